// What a reflector has told so far: uid and resourceVersion of each object, about 150 bytes each, and nothing of its
// content. Owns which changes follow from an event or from a new list.

import type { ObjectChange } from "./object-change.ts";
import { isOlderVersion, type ObjectIdentity } from "./object-identity.ts";

/** Makes the change of an object that is there. */
export type DecodeObject<T> = (item: unknown, identity: ObjectIdentity) => ObjectChange<T>;

interface Known {
  readonly uid: string;
  readonly resourceVersion: string;
}

export class KnownObjects<T> {
  readonly #decode: DecodeObject<T>;
  #known = new Map<string, Known>();

  constructor(decode: DecodeObject<T>) {
    this.#decode = decode;
  }

  get size(): number {
    return this.#known.size;
  }

  /**
   * An object of a watch that is there: nothing when it is known in this version or a later one (repeated and late events),
   * a deletion and an addition when another object has taken its name.
   */
  put(item: unknown, identity: ObjectIdentity): ObjectChange<T>[] {
    const { key, uid, resourceVersion } = identity;
    const known = this.#known.get(key);
    if (known !== undefined && isStale(identity, known)) return [];
    const change = this.#decode(item, identity);
    this.#known.set(key, { uid, resourceVersion });
    return known === undefined || known.uid === uid ? [change] : [deletion(key, known.uid), change];
  }

  /** An object of a watch that is gone. */
  delete(identity: ObjectIdentity): ObjectChange<T>[] {
    const known = this.#known.get(identity.key);
    if (known === undefined || isOlderVersion(identity.resourceVersion, known.resourceVersion)) return [];
    this.#known.delete(identity.key);
    return [deletion(identity.key, known.uid)];
  }

  /** The deletion of everything. */
  clear(): ObjectChange<T>[] {
    const changes = [...this.#known].map(([key, { uid }]) => deletion<T>(key, uid));
    this.#known.clear();
    return changes;
  }

  /** Begins a new list; nothing is changed before its commit, and a list that fails is simply forgotten. */
  beginList(): NewList<T> {
    const adopt = (next: Map<string, Known>) => {
      this.#known = next;
    };
    return new NewList(this.#known, adopt, this.#decode);
  }
}

/** The objects of a list that is being read. Of those that are known in the same version nothing is decoded or kept twice. */
export class NewList<T> {
  readonly #known: ReadonlyMap<string, Known>;
  readonly #adopt: (next: Map<string, Known>) => void;
  readonly #decode: DecodeObject<T>;
  /** What will be known. Made while the list arrives, so that the commit is short. */
  readonly #next = new Map<string, Known>();
  readonly #changed = new Map<string, ObjectChange<T>>();

  constructor(known: ReadonlyMap<string, Known>, adopt: (next: Map<string, Known>) => void, decode: DecodeObject<T>) {
    this.#known = known;
    this.#adopt = adopt;
    this.#decode = decode;
  }

  /** Forgets what came so far. */
  restart(): void {
    this.#next.clear();
    this.#changed.clear();
  }

  /** Versions are compared for equality only: after a restore of etcd they have gone back. */
  put(item: unknown, identity: ObjectIdentity): void {
    const { key, uid, resourceVersion } = identity;
    const known = this.#known.get(key);
    if (known !== undefined && known.uid === uid && known.resourceVersion === resourceVersion) {
      this.#next.set(key, known);
      this.#changed.delete(key);
    } else {
      this.#next.set(key, { uid, resourceVersion });
      this.#changed.set(key, this.#decode(item, identity));
    }
  }

  /** The object was deleted while the list was being sent (streaming lists). */
  delete(key: string): void {
    this.#next.delete(key);
    this.#changed.delete(key);
  }

  /** Only what differs: first all deletions, then additions and updates in the list's order. Once, with no event in between. */
  commit(): ObjectChange<T>[] {
    const changes: ObjectChange<T>[] = [];
    for (const [key, { uid }] of this.#known) if (this.#next.get(key)?.uid !== uid) changes.push(deletion(key, uid));
    for (const change of this.#changed.values()) changes.push(change);
    this.#adopt(this.#next);
    return changes;
  }
}

function isStale(identity: ObjectIdentity, known: Known): boolean {
  if (isOlderVersion(identity.resourceVersion, known.resourceVersion)) return true;
  return known.uid === identity.uid && known.resourceVersion === identity.resourceVersion;
}

function deletion<T>(key: string, uid: string): ObjectChange<T> {
  return { key, object: undefined, uid, diagnostics: [] };
}
