// The objects of the fake API server: collections by path, one resourceVersion for all of them, pages that stay as they
// were when their list began, until they are compacted. Keys and order as etcd's.

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

interface Collection {
  /** `PodList` */
  readonly listKind: string;
  readonly apiVersion: string;
  /** `namespace/name` or `name` -> object. */
  readonly objects: Map<string, ApiObject>;
}

interface OpenList {
  readonly items: readonly ApiObject[];
  readonly resourceVersion: number;
}

export class ObjectStore {
  readonly #collections = new Map<string, Collection>();
  #openLists = new Map<string, OpenList>();
  #version = 1;
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

  addResource(path: string, listKind: string, apiVersion: string): void {
    this.#collections.set(path, { listKind, apiVersion, objects: new Map() });
  }

  /** Creates or replaces; the object gets the next resourceVersion. */
  put(path: string, object: ApiObject): void {
    const metadata = object.metadata as ApiObject;
    const versioned = { ...object, metadata: { ...metadata, resourceVersion: String(++this.#version) } };
    this.#collection(path).objects.set(objectKey(metadata), versioned);
  }

  delete(path: string, key: string): void {
    if (this.#collection(path).objects.delete(key)) this.#version++;
  }

  /** All continue tokens given so far are too old. */
  compact(): void {
    this.#openLists = new Map();
  }

  list(path: string, query: ListQuery): ListResult {
    const collection = this.#collections.get(path);
    if (collection === undefined) return { kind: "unknown" };
    if (query.continue === "") {
      const keys = [...collection.objects.keys()].sort();
      const items = keys.map((key) => collection.objects.get(key) as ApiObject);
      return page(collection, { items, resourceVersion: this.#version }, query.limit, 0, this.#keep);
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

  #collection(path: string): Collection {
    const collection = this.#collections.get(path);
    if (collection === undefined) throw new Error(`no resource at ${path}`);
    return collection;
  }
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
