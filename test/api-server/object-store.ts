// The objects of the fake API server: collections by path, one resourceVersion for all of them, the history of their
// changes until it is compacted, and pages that stay as they were when their list began. Keys and order as etcd's.

export type ApiObject = Readonly<Record<string, unknown>>;

export interface ListQuery {
  /** 0: everything. */
  readonly limit: number;
  readonly continue: string;
}

export type ListResult =
  | { readonly kind: "list"; readonly list: ApiObject }
  | { readonly kind: "expired" }
  | { readonly kind: "unknown" };

export interface StoredEvent {
  readonly type: "ADDED" | "MODIFIED" | "DELETED";
  readonly version: number;
  /** With kind and apiVersion; a deleted one as it was, with the version of its deletion. */
  readonly object: ApiObject;
}

export interface Collection {
  readonly path: string;
  /** `PodList` */
  readonly listKind: string;
  readonly apiVersion: string;
  /** `namespace/name` or `name` -> object. */
  readonly objects: Map<string, ApiObject>;
  history: StoredEvent[];
  /** When it was made: what was before is not known, also of a collection of the same name. */
  readonly since: number;
  readonly watchers: Set<Watcher>;
}

/** A watch of a collection. */
export interface Watcher {
  changed(event: StoredEvent): void;
  /** The collection is not served any more. */
  ended(): void;
}

interface OpenList {
  readonly items: readonly ApiObject[];
  readonly resourceVersion: number;
}

export class ObjectStore {
  readonly #collections = new Map<string, Collection>();
  #openLists = new Map<string, OpenList>();
  #version = 1;
  #oldest = 1;
  #nextList = 1;

  constructor() {
    this.addResource("/api/v1/namespaces", "NamespaceList", "v1");
    this.addResource("/api/v1/pods", "PodList", "v1");
    this.addResource("/api/v1/nodes", "NodeList", "v1");
    this.addResource("/apis/networking.k8s.io/v1/networkpolicies", "NetworkPolicyList", "networking.k8s.io/v1");
  }

  get resourceVersion(): number {
    return this.#version;
  }

  /** Watches that go on from an earlier version come too late. */
  get oldestVersion(): number {
    return this.#oldest;
  }

  addResource(path: string, listKind: string, apiVersion: string): void {
    this.#collections.set(path, {
      path,
      listKind,
      apiVersion,
      objects: new Map(),
      history: [],
      since: this.#version,
      watchers: new Set<Watcher>(),
    });
  }

  /** A custom resource definition is gone. As real servers: first its objects are, then it, then its watches end. */
  removeResource(path: string): void {
    for (const key of [...(this.#collections.get(path)?.objects.keys() ?? [])]) this.delete(path, key);
    this.hideResource(path);
  }

  /** Not served any more, its objects not deleted (a version of a CRD with `served: false`): watches end without a word. */
  hideResource(path: string): void {
    const collection = this.#collections.get(path);
    this.#collections.delete(path);
    this.#version++;
    for (const watcher of [...(collection?.watchers ?? [])]) watcher.ended();
  }

  get resources(): readonly Collection[] {
    return [...this.#collections.values()];
  }

  collection(path: string): Collection | undefined {
    return this.#collections.get(path);
  }

  /** Creates or replaces; the object gets the next resourceVersion. */
  put(path: string, object: ApiObject): void {
    const collection = this.#existing(path);
    const metadata = object.metadata as ApiObject;
    const key = objectKey(metadata);
    const version = ++this.#version;
    const known = collection.objects.get(key);
    const uid = metadata.uid ?? (known?.metadata as ApiObject | undefined)?.uid ?? `uid-${version}`;
    const versioned = { ...object, metadata: { ...metadata, uid, resourceVersion: String(version) } };
    collection.objects.set(key, versioned);
    this.#record(collection, known === undefined ? "ADDED" : "MODIFIED", version, versioned);
  }

  delete(path: string, key: string): void {
    const collection = this.#existing(path);
    const object = collection.objects.get(key);
    if (object === undefined) return;
    collection.objects.delete(key);
    const version = ++this.#version;
    const metadata = { ...(object.metadata as ApiObject), resourceVersion: String(version) };
    this.#record(collection, "DELETED", version, { ...object, metadata });
  }

  /** The changes after this version; undefined when they are not known any more. */
  changesSince(collection: Collection, version: number): readonly StoredEvent[] | undefined {
    if (version < Math.max(this.#oldest, collection.since)) return undefined;
    return collection.history.filter((event) => event.version > version);
  }

  /** All continue tokens given so far are too old, and so are all versions before the present one. */
  compact(): void {
    this.#openLists = new Map();
    this.#oldest = this.#version;
    for (const collection of this.#collections.values()) collection.history = [];
  }

  /** etcd is restored from a backup: the objects as they are now, but the versions of long ago. */
  rewind(byVersions: number): void {
    this.#version -= byVersions;
    this.#oldest = this.#version;
    for (const collection of this.#collections.values()) {
      collection.history = [];
      for (const [key, object] of collection.objects) {
        const metadata = object.metadata as ApiObject;
        const resourceVersion = String(Math.min(Number(metadata.resourceVersion), this.#version));
        collection.objects.set(key, { ...object, metadata: { ...metadata, resourceVersion } });
      }
    }
  }

  list(path: string, query: ListQuery): ListResult {
    const collection = this.#collections.get(path);
    if (collection === undefined) return { kind: "unknown" };
    if (query.continue === "") {
      const open = { items: sortedObjects(collection), resourceVersion: this.#version };
      return page(collection, open, query.limit, 0, this.#keep);
    }
    const { list, start } = JSON.parse(Buffer.from(query.continue, "base64url").toString()) as {
      list: string;
      start: number;
    };
    const open = this.#openLists.get(list);
    if (open === undefined) return { kind: "expired" };
    return page(collection, open, query.limit, start, () => list);
  }

  #keep = (list: OpenList): string => {
    const name = String(this.#nextList++);
    this.#openLists.set(name, list);
    return name;
  };

  #record(collection: Collection, type: StoredEvent["type"], version: number, object: ApiObject): void {
    const event = { type, version, object: typed(collection, object) };
    collection.history.push(event);
    for (const watcher of [...collection.watchers]) watcher.changed(event);
  }

  #existing(path: string): Collection {
    const collection = this.#collections.get(path);
    if (collection === undefined) throw new Error(`no resource at ${path}`);
    return collection;
  }
}

export function sortedObjects(collection: Collection): readonly ApiObject[] {
  return [...collection.objects.keys()].sort().map((key) => collection.objects.get(key) as ApiObject);
}

/** Events say kind and apiVersion of their objects; items of lists do not. */
export function typed({ listKind, apiVersion }: Collection, object: ApiObject): ApiObject {
  return { kind: listKind.replace(/List$/, ""), apiVersion, ...object };
}

function page(
  { listKind, apiVersion }: Collection,
  open: OpenList,
  limit: number,
  start: number,
  keep: (list: OpenList) => string,
): ListResult {
  const end = limit === 0 ? open.items.length : start + limit;
  const items = open.items.slice(start, end);
  const remaining = open.items.length - start - items.length;
  const token =
    remaining === 0 ? undefined : Buffer.from(JSON.stringify({ list: keep(open), start: end })).toString("base64url");
  const metadata = {
    resourceVersion: String(open.resourceVersion),
    ...(token === undefined ? {} : { continue: token, remainingItemCount: remaining }),
  };
  return { kind: "list", list: { kind: listKind, apiVersion, metadata, items } };
}

function objectKey(metadata: ApiObject): string {
  const { namespace, name } = metadata;
  return namespace === undefined ? String(name) : `${namespace}/${name}`;
}
