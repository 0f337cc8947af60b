// Everything that the server ever had: for each resource its versions in order, and which of them stood together.
// Owns the writing of objects in scenarios that ask for the past.

import type { ClusterEvent } from "../../src/state/change.ts";
import { ClusterStore } from "../../src/state/store.ts";
import type { ObjectStore } from "../api-server/object-store.ts";
import type { ApiObject } from "../support/random-cluster.ts";
import {
  decodedEvent,
  deleteObject,
  eventKey,
  installKind,
  KINDS,
  type Kind,
  kindOf,
  pathOf,
  putObject,
  storeKey,
  type TierKind,
} from "../support/server-objects.ts";

/** One version of each resource, by its place in the resource's history. */
export type Versions = Readonly<Record<Kind, number>>;

export const FIRST_VERSIONS = Object.fromEntries(KINDS.map((kind) => [kind, 0])) as Versions;

/** Objects of one resource at one time: `eventKey` -> the event that sets it. */
type Contents = ReadonlyMap<string, ClusterEvent>;

interface Version {
  readonly contents: Contents;
  readonly fingerprint: string;
  /** Of the first version of the resource that has the same contents. */
  readonly firstLikeIt: number;
}

export class ServerHistory {
  readonly #store: ObjectStore;
  readonly #objects = new Map<Kind, Map<string, ApiObject>>(KINDS.map((kind) => [kind, new Map()]));
  readonly #versions = new Map<Kind, Version[]>();
  readonly #together: string[] = [];
  readonly #states = new Map<string, ClusterStore>();

  /** Of a store that is still empty. */
  constructor(store: ObjectStore) {
    this.#store = store;
    const empty: Version = { contents: new Map(), fingerprint: fingerprintOf([]), firstLikeIt: 0 };
    for (const kind of KINDS) this.#versions.set(kind, [empty]);
    this.#together.push(this.stateKey(this.newest()));
  }

  put(object: ApiObject): void {
    putObject(this.#store, object);
    this.#objectsOf(kindOf(object)).set(storeKey(object), object);
    const event = decodedEvent(object);
    if (event === undefined) throw new Error(`an object that cannot be read at all: ${JSON.stringify(object)}`);
    this.#append(kindOf(object), (contents) => contents.set(eventKey(event), event));
  }

  delete(object: ApiObject): void {
    deleteObject(this.#store, object);
    this.#objectsOf(kindOf(object)).delete(storeKey(object));
    const event = decodedEvent(object) as ClusterEvent;
    this.#append(kindOf(object), (contents) => contents.delete(eventKey(event)));
  }

  isInstalled(kind: TierKind): boolean {
    return this.#store.collection(pathOf(kind)) !== undefined;
  }

  install(kind: TierKind): void {
    installKind(this.#store, kind);
  }

  /** Its objects are deleted first, one by one. */
  uninstall(kind: TierKind): void {
    for (const object of this.objects(kind)) this.delete(object);
    this.#store.removeResource(pathOf(kind));
  }

  /** As they are now. */
  objects(kind: Kind): readonly ApiObject[] {
    return [...this.#objectsOf(kind).values()];
  }

  newest(): Versions {
    return Object.fromEntries(KINDS.map((kind) => [kind, this.#versionsOf(kind).length - 1])) as Versions;
  }

  /** The first version from `from` on that has exactly these objects; undefined: there was none. */
  find(kind: Kind, contents: Contents, from: number): number | undefined {
    const fingerprint = fingerprintOf([...contents.values()]);
    const index = this.#versionsOf(kind).findIndex((version, at) => at >= from && version.fingerprint === fingerprint);
    return index < 0 ? undefined : index;
  }

  /** Equal for equal contents of all resources. */
  stateKey(versions: Versions): string {
    return KINDS.map((kind) => this.#version(kind, versions[kind]).firstLikeIt).join(" ");
  }

  /** What an agent knows that has been told these versions. */
  stateAt(versions: Versions): ClusterStore {
    const key = this.stateKey(versions);
    let state = this.#states.get(key);
    if (state === undefined) {
      state = new ClusterStore();
      for (const kind of KINDS)
        for (const event of this.#version(kind, versions[kind]).contents.values()) state.apply(event);
      this.#states.set(key, state);
    }
    return state;
  }

  /** The contents between two versions of a resource, both included: the newest first, equal ones once. */
  distinctVersions(kind: Kind, oldest: number, newest: number): readonly number[] {
    const versions = this.#versionsOf(kind)
      .slice(oldest, newest + 1)
      .reverse();
    return [...new Set(versions.map(({ firstLikeIt }) => firstLikeIt))];
  }

  /** How many times something was written so far. */
  get length(): number {
    return this.#together.length;
  }

  /** `stateKey` of every state that the server really had, from the given `length` on, the state of that moment included. */
  statesSince(length: number): ReadonlySet<string> {
    return new Set(this.#together.slice(length - 1));
  }

  #append(kind: Kind, change: (contents: Map<string, ClusterEvent>) => void): void {
    const versions = this.#versionsOf(kind);
    const contents = new Map(versions.at(-1)?.contents);
    change(contents);
    const fingerprint = fingerprintOf([...contents.values()]);
    const known = versions.findIndex((version) => version.fingerprint === fingerprint);
    versions.push({ contents, fingerprint, firstLikeIt: known < 0 ? versions.length : known });
    this.#together.push(this.stateKey(this.newest()));
  }

  #objectsOf(kind: Kind): Map<string, ApiObject> {
    return this.#objects.get(kind) as Map<string, ApiObject>;
  }

  #versionsOf(kind: Kind): Version[] {
    return this.#versions.get(kind) as Version[];
  }

  #version(kind: Kind, index: number): Version {
    const version = this.#versionsOf(kind)[index];
    if (version === undefined) throw new Error(`the server never had version ${index} of ${kind}`);
    return version;
  }
}

function fingerprintOf(events: readonly ClusterEvent[]): string {
  const texts = events.map((event) =>
    JSON.stringify(event, (_name, value: unknown) => (typeof value === "bigint" ? String(value) : value)),
  );
  return texts.sort().join(" ");
}
