// A process of its own: an API server over plain HTTP with a large cluster, made as it is sent. Prints its port; each line `COMMAND
// [NUMBER]` on standard input is answered with `done` when it has been sent. Arguments: pods, local pods, nodes, policies, bytes of a pod.

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { DEFINITIONS_PATH } from "../../src/kube/server-version.ts";
import { EventChunks } from "./event-chunks.ts";
import { ServedCluster } from "./served-cluster.ts";

const [remotePods = 0, localPods = 0, nodes = 0, policies = 0, podBytes = 0] = process.argv.slice(2).map(Number);
const cluster = new ServedCluster({ remotePods, localPods, nodes, policies }, podBytes);
const AT_ONCE_BYTES = 256 * 1024;

interface Resource {
  readonly kind: string;
  readonly apiVersion: string;
  addAll(chunks: EventChunks, flush: () => Promise<void>): Promise<void>;
}

const POD_PATH = "/api/v1/pods";
const POLICY_PATH = "/apis/networking.k8s.io/v1/networkpolicies";

function fewer(kind: string, apiVersion: string, name: "namespaces" | "nodes" | "policies"): Resource {
  return {
    kind,
    apiVersion,
    async addAll(chunks, flush) {
      for (const object of cluster.objects(name)) {
        chunks.addObject("ADDED", object);
        if (chunks.size >= AT_ONCE_BYTES) await flush();
      }
    },
  };
}

const RESOURCES: Readonly<Record<string, Resource>> = {
  [POD_PATH]: {
    kind: "Pod",
    apiVersion: "v1",
    async addAll(chunks, flush) {
      for (let slot = 0; slot < cluster.podCount; slot++) {
        cluster.addPod(chunks, "ADDED", slot);
        if (chunks.size >= AT_ONCE_BYTES) await flush();
      }
    },
  },
  "/api/v1/namespaces": fewer("Namespace", "v1", "namespaces"),
  "/api/v1/nodes": fewer("Node", "v1", "nodes"),
  [POLICY_PATH]: fewer("NetworkPolicy", "networking.k8s.io/v1", "policies"),
};

const watches = new Map<string, Set<ServerResponse>>();
/** Paths whose next watch from a version is refused: the version is too old. */
const expired = new Set<string>();
let watchBegan = (): void => {};

/** Past Node's own chunks; waits until there is room again, or for nothing once the client is gone. */
async function send(response: ServerResponse, bytes: Buffer): Promise<void> {
  const { socket } = response;
  if (socket === null || socket.destroyed || socket.write(bytes)) return;
  await new Promise<void>((resolve) => {
    const done = () => {
      socket.off("drain", done).off("close", done);
      resolve();
    };
    socket.on("drain", done).on("close", done);
  });
}

async function beginWatch(
  response: ServerResponse,
  path: string,
  resource: Resource,
  query: URLSearchParams,
): Promise<void> {
  response.flushHeaders();
  const { kind, apiVersion } = resource;
  const chunks = new EventChunks(AT_ONCE_BYTES + 4 * podBytes);
  if (query.get("sendInitialEvents") === "true") {
    await resource.addAll(chunks, () => send(response, chunks.take()));
    const annotations = { "k8s.io/initial-events-end": "true" };
    const metadata = { resourceVersion: String(cluster.lastVersion), annotations };
    chunks.addObject("BOOKMARK", { kind, apiVersion, metadata });
    await send(response, chunks.take());
  } else if (expired.delete(path)) {
    const status = { kind: "Status", apiVersion: "v1", status: "Failure", reason: "Expired", code: 410 };
    chunks.addObject("ERROR", status);
    await send(response, chunks.take());
    response.end();
    return;
  }
  const open = watches.get(path) ?? new Set();
  watches.set(path, open.add(response));
  response.on("close", () => open.delete(response));
  watchBegan();
}

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://server");
  const resource = RESOURCES[url.pathname];
  const answer = (status: number, value: unknown) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(value));
  };
  if (url.pathname === "/version") return answer(200, { major: "1", minor: "33", gitVersion: "v1.33.0" });
  // Without this its 404 for kinds of policies that are not installed would not be believed.
  if (url.pathname === DEFINITIONS_PATH)
    return answer(200, { kind: "APIResourceList", apiVersion: "v1", resources: [] });
  if (resource === undefined)
    return answer(404, { kind: "Status", apiVersion: "v1", status: "Failure", reason: "NotFound", code: 404 });
  const { kind, apiVersion } = resource;
  // The agent reads lists as watches; what remains is its question for the newest version.
  if (url.searchParams.get("watch") === null) {
    const metadata = { resourceVersion: String(cluster.lastVersion) };
    return answer(200, { kind: `${kind}List`, apiVersion, metadata, items: [] });
  }
  response.writeHead(200, { "content-type": "application/json" });
  void beginWatch(response, url.pathname, resource, url.searchParams);
});

/** The server ends all watches; answered when as many are open again. */
async function restartWatches(): Promise<void> {
  const open = [...watches.values()].flatMap((each) => [...each]);
  const count = () => [...watches.values()].reduce((sum, each) => sum + each.size, 0);
  await new Promise<void>((resolve) => {
    let begun = 0;
    watchBegan = () => {
      begun++;
      if (begun >= open.length && count() >= open.length) resolve();
    };
    for (const response of open) response.end();
  });
  watchBegan = () => {};
}

type Change = (chunks: EventChunks, count: number) => void;

const CHANGES: Readonly<Record<string, { readonly path: string; readonly change: Change }>> = {
  relabel: { path: POD_PATH, change: (chunks, count) => cluster.relabel(chunks, count) },
  touch: { path: POD_PATH, change: (chunks, count) => cluster.touch(chunks, count) },
  "toggle-clients": { path: POD_PATH, change: (chunks, count) => cluster.toggleClients(chunks, count) },
  replace: { path: POD_PATH, change: (chunks, count) => cluster.replace(chunks, count) },
  "add-policies": { path: POLICY_PATH, change: (chunks, count) => cluster.addPolicies(chunks, count) },
  "remove-policies": { path: POLICY_PATH, change: (chunks, count) => cluster.removePolicies(chunks, count) },
};

async function obey(command: string, count: number): Promise<void> {
  if (command === "expire") expired.add(POD_PATH);
  if (command === "expire" || command === "restart-watches") return restartWatches();
  const known = CHANGES[command];
  if (known === undefined) throw new Error(`unknown command ${command}`);
  const chunks = new EventChunks(AT_ONCE_BYTES);
  known.change(chunks, count);
  const bytes = chunks.take();
  for (const watch of watches.get(known.path) ?? []) await send(watch, bytes);
}

server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
for await (const line of createInterface({ input: process.stdin })) {
  const [command = "", count = "0"] = line.split(" ");
  await obey(command, Number(count));
  console.log("done");
}
server.closeAllConnections();
server.close();
