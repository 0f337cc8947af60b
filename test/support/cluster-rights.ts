// What RBAC of a Kubernetes API server decides about a request, as far as nftpol asks anything: which right it needs, whether a
// ClusterRole or the built-in discovery role grants it, and the refusal on the wire. Paths and words as the real server's.

import type { FakeApiServer, RecordedRequest } from "../api-server/fake-api-server.ts";
import type { Fault } from "../api-server/faults.ts";
import { statusObject } from "../api-server/status-object.ts";

/** One entry of `rules` of a ClusterRole. */
export interface PolicyRule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

/** The smallest thing that a ClusterRole can grant. */
export interface Right {
  /** "": the core group. */
  readonly apiGroup: string;
  readonly resource: string;
  readonly verb: string;
}

interface ResourceRequest extends Right {
  /** undefined: all namespaces, or a resource that is in none. */
  readonly namespace: string | undefined;
}

/** What a request asks for: something of a resource, or a path that belongs to none. */
type Wish = { readonly kind: "resource"; readonly asked: ResourceRequest } | { readonly kind: "path"; verb: string };

/** nonResourceURLs of the ClusterRole system:discovery, which is bound to everybody who is logged in. */
const DISCOVERY = ["/api", "/api/*", "/apis", "/apis/*", "/healthz", "/livez", "/openapi", "/openapi/*"];
const PUBLIC_INFO = ["/readyz", "/version", "/version/"];

/** `list pods`, `create events.events.k8s.io`: as `kubectl auth can-i` is asked. */
export function rightName({ apiGroup, resource, verb }: Right): string {
  return `${verb} ${qualified(resource, apiGroup)}`;
}

/** Each right for itself. */
export function rightsOf(rules: readonly PolicyRule[]): readonly Right[] {
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((apiGroup) =>
      resources.flatMap((resource) => verbs.map((verb) => ({ apiGroup, resource, verb }))),
    ),
  );
}

/** Answers 403 to whatever the rights do not allow, and remembers what was asked. */
export class ClusterRights {
  /** As in {@link rightName}, or `get /path`; in the order in which they were refused. */
  readonly refused: string[] = [];
  /** Rights that some request needed. */
  readonly used = new Set<string>();
  readonly #granted: ReadonlySet<string>;
  readonly #user: string;

  constructor(granted: readonly Right[], user: string) {
    this.#granted = new Set(granted.map(rightName));
    this.#user = user;
  }

  /** From now on this server asks these rights. */
  guard(server: FakeApiServer): void {
    server.addFault((request) => this.refusal(request));
  }

  /** undefined: it is allowed. */
  refusal(request: Pick<RecordedRequest, "method" | "path" | "query">): Fault | undefined {
    const wish = wishOf(request);
    const needed = wish.kind === "resource" ? rightName(wish.asked) : `${wish.verb} ${request.path}`;
    if (wish.kind === "resource" ? this.#granted.has(needed) : isDiscovery(request.path, wish.verb)) {
      if (wish.kind === "resource") this.used.add(needed);
      return undefined;
    }
    this.refused.push(needed);
    const { message, details } = wish.kind === "resource" ? refusedResource(wish.asked) : refusedPath(needed);
    const status = statusObject(403, "Forbidden", message.replace("USER", JSON.stringify(this.#user)), details);
    return { kind: "answer", status: 403, body: JSON.stringify(status) };
  }
}

function refusedResource({ apiGroup, resource, verb, namespace }: ResourceRequest) {
  const where = namespace === undefined ? "at the cluster scope" : `in the namespace "${namespace}"`;
  const what = `cannot ${verb} resource "${resource}" in API group "${apiGroup}" ${where}`;
  const details = { ...(apiGroup === "" ? {} : { group: apiGroup }), kind: resource };
  return { message: `${qualified(resource, apiGroup)} is forbidden: User USER ${what}`, details };
}

function refusedPath(needed: string) {
  const [verb, path] = needed.split(" ");
  return { message: `forbidden: User USER cannot ${verb} path "${path}"`, details: {} };
}

function qualified(resource: string, apiGroup: string): string {
  return apiGroup === "" ? resource : `${resource}.${apiGroup}`;
}

function isDiscovery(path: string, verb: string): boolean {
  const covers = (url: string) => (url.endsWith("*") ? path.startsWith(url.slice(0, -1)) : path === url);
  return verb === "get" && [...DISCOVERY, ...PUBLIC_INFO].some(covers);
}

/** `/api/v1/…` and `/apis/GROUP/VERSION/…`; what is shorter, or elsewhere, belongs to no resource. */
function wishOf({ method, path, query }: Pick<RecordedRequest, "method" | "path" | "query">): Wish {
  const [root, ...segments] = path.split("/").slice(1);
  const isCore = root === "api";
  const [apiGroup = "", , ...inside] = isCore ? ["", ...segments] : segments;
  if ((!isCore && root !== "apis") || inside.length === 0) return { kind: "path", verb: method.toLowerCase() };
  const isInNamespace = inside[0] === "namespaces" && inside.length > 2;
  const [plural = "", name, subresource] = isInNamespace ? inside.slice(2) : inside;
  const asked = {
    apiGroup,
    resource: subresource === undefined ? plural : `${plural}/${subresource}`,
    verb: verbOf(method, name !== undefined, ["1", "true"].includes(query.get("watch") ?? "")),
    namespace: isInNamespace ? inside[1] : undefined,
  };
  return { kind: "resource", asked };
}

function verbOf(method: string, isNamed: boolean, isWatch: boolean): string {
  switch (method) {
    case "GET":
    case "HEAD":
      if (isWatch) return "watch";
      return isNamed ? "get" : "list";
    case "POST":
      return "create";
    case "PUT":
      return "update";
    case "DELETE":
      return isNamed ? "delete" : "deletecollection";
    default:
      return method.toLowerCase();
  }
}
