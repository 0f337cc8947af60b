// A process of its own: an API server over plain HTTP with a cluster of a size, which sends one change when it is told to.
// Arguments: pods, policies. Prints its port. Each line `KIND ROUND` (the kind by its number) on standard input sends that
// change to the watch; `times` prints when each was written since, as JSON; `nothing`
// does nothing.

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { DEFINITIONS_PATH } from "../../src/kube/server-version.ts";
import { CHANGE_KINDS, type ChangeKind, changeOf } from "./changes.ts";
import { type ApiObject, PATHS, type ResourceList, resourceLists } from "./cluster.ts";
import { monotonicMs } from "./monotonic.ts";

const [pods = 1_000, policies = 100] = process.argv.slice(2).map(Number);
const LIST_VERSION = 1_000;

const lists = new Map(resourceLists({ pods, policies }).map((list) => [list.path, list]));
const watches = new Map<string, ServerResponse>();
let version = LIST_VERSION;

/** What is asked before the lists: which kinds of cluster-wide policies there are. */
const DOCUMENTS: Readonly<Record<string, unknown>> = {
  "/version": { major: "1", minor: "33", gitVersion: "v1.33.0" },
  [DEFINITIONS_PATH]: { kind: "APIResourceList", apiVersion: "v1", resources: [] },
  "/apis/policy.networking.k8s.io": { kind: "APIGroup", apiVersion: "v1", versions: [{ version: "v1alpha1" }] },
  "/apis/policy.networking.k8s.io/v1alpha1": {
    kind: "APIResourceList",
    apiVersion: "v1",
    resources: [{ name: PATHS.adminPolicies.slice(PATHS.adminPolicies.lastIndexOf("/") + 1) }],
  },
};

function versioned(object: ApiObject, resourceVersion: number): ApiObject {
  return { ...object, metadata: { ...object.metadata, resourceVersion: String(resourceVersion) } };
}

async function write(response: ServerResponse, text: string): Promise<void> {
  if (!response.write(text)) await new Promise((resolve) => response.once("drain", resolve));
}

async function sendList(response: ServerResponse, { kind, apiVersion, objects }: ResourceList): Promise<void> {
  const metadata = JSON.stringify({ resourceVersion: String(LIST_VERSION) });
  await write(response, `{"kind":"${kind}List","apiVersion":"${apiVersion}","metadata":${metadata},"items":[`);
  let separator = "";
  for (const object of objects()) {
    await write(response, separator + JSON.stringify(versioned(object, 1)));
    separator = ",";
  }
  response.end("]}");
}

async function sendInitialEvents(response: ServerResponse, { kind, apiVersion, objects }: ResourceList): Promise<void> {
  for (const object of objects())
    await write(response, `${JSON.stringify({ type: "ADDED", object: versioned(object, 1) })}\n`);
  const annotations = { "k8s.io/initial-events-end": "true" };
  const metadata = { resourceVersion: String(LIST_VERSION), annotations };
  await write(response, `${JSON.stringify({ type: "BOOKMARK", object: { kind, apiVersion, metadata } })}\n`);
}

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url ?? "/", "http://server");
  const list = lists.get(pathname);
  const document = DOCUMENTS[pathname];
  if (list === undefined) {
    const missing = { kind: "Status", apiVersion: "v1", status: "Failure", reason: "NotFound", code: 404 };
    response.writeHead(document === undefined ? 404 : 200, { "content-type": "application/json" });
    response.end(JSON.stringify(document ?? missing));
    return;
  }
  response.writeHead(200, { "content-type": "application/json" });
  if (!searchParams.has("watch")) {
    await sendList(response, list);
    return;
  }
  response.flushHeaders();
  if (searchParams.get("sendInitialEvents") === "true") await sendInitialEvents(response, list);
  watches.set(pathname, response);
});

function send(kind: ChangeKind, round: number): number {
  const { path, type, object } = changeOf(kind, round);
  const text = `${JSON.stringify({ type, object: versioned(object, ++version) })}\n`;
  const watch = watches.get(path);
  if (watch === undefined) throw new Error(`nobody watches ${path}`);
  const sentAt = monotonicMs();
  watch.write(text);
  return sentAt;
}

server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
let sentAt: number[] = [];
for await (const line of createInterface({ input: process.stdin })) {
  if (line === "times") {
    console.log(JSON.stringify(sentAt));
    sentAt = [];
    continue;
  }
  if (line === "nothing") continue;
  const [kind, round] = line.split(" ").map(Number);
  sentAt.push(send(CHANGE_KINDS[kind as number] as ChangeKind, round as number));
}
process.exit();
