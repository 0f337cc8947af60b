// What a reflector has told so far: uid and resourceVersion of each object, about 150 bytes each, and nothing of its
// content. Owns which changes follow from an event or from a new list.

import type { ObjectChange } from "./object-change.ts";
import { isOlderVersion, type ObjectIdentity } from "./object-identity.ts";

/** Makes the change of an object that is there. */
export type DecodeObject<T> = (item: unknown, identity: ObjectIdentity) => ObjectChange<T>;

interface Known {
  readonly uid: string;
  readonly resourceVersion: string;
  /** The last list that had it unchanged. */
  seenInList: number;
}

export class KnownObjects<T> {
  readonly #decode: DecodeObject<T>;
  readonly #known = new Map<string, Known>();
  #lists = 0;

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
    this.#known.set(key, { uid, resourceVersion, seenInList: 0 });
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
    return new NewList(this.#known, () => ++this.#lists, this.#decode);
  }
}

/** The objects of a list that is being read. Of those that are known in the same version nothing is kept or decoded. */
export class NewList<T> {
  readonly #known: Map<string, Known>;
  readonly #nextNumber: () => number;
  #number: number;
  readonly #decode: DecodeObject<T>;
  readonly #pending = new Map<string, { readonly change: ObjectChange<T>; readonly resourceVersion: string }>();

  constructor(known: Map<string, Known>, nextNumber: () => number, decode: DecodeObject<T>) {
    this.#known = known;
    this.#nextNumber = nextNumber;
    this.#number = nextNumber();
    this.#decode = decode;
  }

  /** Forgets what came so far. */
  restart(): void {
    this.#pending.clear();
    this.#number = this.#nextNumber();
  }

  /** Versions are compared for equality only: after a restore of etcd they have gone back. */
  put(item: unknown, identity: ObjectIdentity): void {
    const { key, uid, resourceVersion } = identity;
    const known = this.#known.get(key);
    if (known !== undefined && known.uid === uid && known.resourceVersion === resourceVersion) {
      known.seenInList = this.#number;
      this.#pending.delete(key);
    } else {
      this.#pending.set(key, { change: this.#decode(item, identity), resourceVersion });
    }
  }

  /** The object was deleted while the list was being sent (streaming lists). */
  delete(key: string): void {
    this.#pending.delete(key);
    const known = this.#known.get(key);
    if (known !== undefined) known.seenInList = 0;
  }

  /** Only what differs: first all deletions, then additions and updates in the list's order. */
  commit(): ObjectChange<T>[] {
    const changes: ObjectChange<T>[] = [];
    for (const [key, known] of this.#known) {
      const pending = this.#pending.get(key);
      const stays = pending === undefined ? known.seenInList === this.#number : pending.change.uid === known.uid;
      if (stays) continue;
      changes.push(deletion(key, known.uid));
      if (pending === undefined) this.#known.delete(key);
    }
    for (const [key, { change, resourceVersion }] of this.#pending) {
      this.#known.set(key, { uid: change.uid, resourceVersion, seenInList: this.#number });
      changes.push(change);
    }
    this.#pending.clear();
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
