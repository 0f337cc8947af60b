// What the fake API server answers to lists, watches, posts of Events and questions about itself. Owns the rules for
// their parameters, as a real server has them; connections and faults are fake-api-server.ts.

import type { ApiObject, ListQuery, ObjectStore } from "./object-store.ts";
import { invalid, statusObject, tooLarge } from "./status-object.ts";
import type { WatchQuery } from "./watch-session.ts";

export type StreamingLists =
  | "served"
  /** The parameter is known but switched off. */
  | "refused"
  /** A server before 1.19: it takes the request for a plain watch. */
  | "ignored";

export interface ServerState {
  readonly store: ObjectStore;
  readonly streamingLists: StreamingLists;
  readonly forbidden: readonly string[];
  readonly postedEvents: ApiObject[];
}

export type WholeAnswer =
  | { readonly kind: "value"; readonly code: number; readonly value: ApiObject }
  | { readonly kind: "text"; readonly code: number; readonly text: string };

export type ApiAnswer = WholeAnswer | { readonly kind: "watch"; readonly query: WatchQuery };

const EVENTS_PATH = /^\/apis\/events\.k8s\.io\/v1\/namespaces\/([^/]+)\/events$/;

export function answerTo(state: ServerState, path: string, query: URLSearchParams): ApiAnswer {
  if (path === "/version")
    return value(200, { major: "1", minor: "34", gitVersion: "v1.34.0", platform: "linux/amd64" });
  if (path === "/apis/apiextensions.k8s.io/v1") {
    const resources = [{ name: "customresourcedefinitions", kind: "CustomResourceDefinition", verbs: ["list"] }];
    return value(200, {
      kind: "APIResourceList",
      apiVersion: "v1",
      groupVersion: path.slice("/apis/".length),
      resources,
    });
  }
  if (path === "/livez" || path === "/readyz") return { kind: "text", code: 200, text: "ok" };
  const collection = state.store.collection(path);
  if (collection === undefined) return discovery(state, path);
  const isWatch = ["1", "true"].includes(query.get("watch") ?? "");
  if (state.forbidden.includes(path)) {
    const plural = path.split("/").at(-1);
    const verb = isWatch ? "watch" : "list";
    const message = `${plural} is forbidden: User "tester" cannot ${verb} resource "${plural}" at the cluster scope`;
    return failure(statusObject(403, "Forbidden", message));
  }
  return isWatch ? watch(state, query) : list(state, path, query);
}

/** The new object, or the Status that says why not. */
export function createEvent(state: ServerState, path: string, body: string): WholeAnswer {
  const namespace = EVENTS_PATH.exec(path)?.[1];
  if (namespace === undefined) return notFound();
  let event: ApiObject;
  try {
    event = JSON.parse(body) as ApiObject;
  } catch {
    return failure(statusObject(400, "BadRequest", "the object provided is unrecognized"));
  }
  const metadata = event.metadata as ApiObject;
  const fault = eventFault(event, metadata, namespace);
  if (fault !== undefined) return failure(invalid(`Event.events.k8s.io "${metadata.name}" is invalid: ${fault}`));
  const exists = state.postedEvents.some((known) => {
    const other = known.metadata as ApiObject;
    return other.name === metadata.name && other.namespace === metadata.namespace;
  });
  if (exists) {
    const message = `events.events.k8s.io "${metadata.name}" already exists`;
    return failure(statusObject(409, "AlreadyExists", message));
  }
  state.postedEvents.push(event);
  return value(201, event);
}

/** The API server's rules for new events (validation of events.k8s.io/v1), as far as we could break them. */
function eventFault(event: ApiObject, metadata: ApiObject, namespace: string): string | undefined {
  const regarding = event.regarding as ApiObject | undefined;
  if (metadata.namespace !== namespace) return "metadata.namespace: does not match the namespace sent on the request";
  if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(String(metadata.name)) || String(metadata.name).length > 253) {
    return "metadata.name: a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters";
  }
  if (typeof event.eventTime !== "string" || !/^\d{4}-.*\.\d{6}Z$/.test(event.eventTime))
    return "eventTime: Required value";
  if (!event.reportingController) return "reportingController: Required value";
  if (!event.reportingInstance || String(event.reportingInstance).length > 128)
    return "reportingInstance: Required value";
  if (!event.action || String(event.action).length > 128) return "action: Required value";
  if (!event.reason || String(event.reason).length > 128) return "reason: Required value";
  if (event.type !== "Normal" && event.type !== "Warning") return "type: Invalid value";
  if (Buffer.byteLength(String(event.note ?? "")) > 1024) return "note: can have at most 1024 bytes";
  const expected = (regarding?.namespace as string | undefined) || "default";
  return expected === namespace ? undefined : "regarding.namespace: does not match event.namespace";
}

function list({ store }: ServerState, path: string, query: URLSearchParams): ApiAnswer {
  const page: ListQuery = { limit: Number(query.get("limit") ?? 0), continue: query.get("continue") ?? "" };
  const version = query.get("resourceVersion") ?? "";
  const match = query.get("resourceVersionMatch") ?? "";
  if (match !== "" && version === "") {
    return failure(
      invalid("resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"),
    );
  }
  if (page.continue !== "" && version !== "" && version !== "0") {
    return failure(statusObject(400, "BadRequest", "specifying resource version is not allowed when using continue"));
  }
  if (Number(version) > store.resourceVersion) return failure(tooLarge(Number(version), store.resourceVersion));
  const result = store.list(path, page);
  switch (result.kind) {
    case "list":
      return value(200, result.list);
    case "unknown":
      return notFound();
    case "expired":
      return failure(statusObject(410, "Expired", "The provided continue parameter is too old"));
  }
}

function watch({ streamingLists }: ServerState, query: URLSearchParams): ApiAnswer {
  const asked = query.get("sendInitialEvents");
  const match = query.get("resourceVersionMatch") ?? "";
  const allowBookmarks = ["1", "true"].includes(query.get("allowWatchBookmarks") ?? "");
  const seconds = query.get("timeoutSeconds");
  const base = {
    resourceVersion: query.get("resourceVersion") ?? "",
    allowBookmarks,
    timeoutSeconds: seconds === null ? undefined : Number(seconds),
  };
  if (streamingLists === "ignored") return { kind: "watch", query: { ...base, sendInitialEvents: false } };
  if (asked === null && match !== "") {
    return failure(
      invalid(
        "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
      ),
    );
  }
  if (asked !== null && streamingLists === "refused") {
    return failure(
      invalid(
        "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled",
      ),
    );
  }
  if (asked !== null && match !== "NotOlderThan") {
    return failure(
      invalid(
        "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
      ),
    );
  }
  return { kind: "watch", query: { ...base, sendInitialEvents: asked === "true" } };
}

/** `/apis/GROUP` and `/apis/GROUP/VERSION`, made from the resources that the store has. */
function discovery({ store }: ServerState, path: string): ApiAnswer {
  const inside = store.resources.filter((resource) => resource.path.startsWith(`${path}/`));
  if (!/^\/apis\/[^/]+(\/[^/]+)?$/.test(path) || inside.length === 0) return notFound();
  if (path.split("/").length === 3) {
    const groupVersions = [...new Set(inside.map(({ apiVersion }) => apiVersion))];
    const versions = groupVersions.map((groupVersion) => ({ groupVersion, version: groupVersion.split("/")[1] }));
    const name = path.slice("/apis/".length);
    return value(200, { kind: "APIGroup", apiVersion: "v1", name, versions, preferredVersion: versions[0] });
  }
  const resources = inside.map((resource) => ({
    name: resource.path.slice(path.length + 1),
    kind: resource.listKind.replace(/List$/, ""),
    verbs: ["list", "watch"],
  }));
  return value(200, {
    kind: "APIResourceList",
    apiVersion: "v1",
    groupVersion: path.slice("/apis/".length),
    resources,
  });
}

function value(code: number, object: ApiObject): WholeAnswer {
  return { kind: "value", code, value: object };
}

function failure(status: ApiObject): WholeAnswer {
  return value(Number(status.code), status);
}

/** A path that nothing is registered for. */
function notFound(): WholeAnswer {
  return { kind: "text", code: 404, text: "404 page not found\n" };
}
