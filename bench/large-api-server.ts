// A process of its own: an API server over plain HTTP with many large pods, made as they are sent, and few other objects.
// Prints its port; each line `NUMBER` on standard input sends so many pod events to the watches, then prints `sent`.
// Arguments: number of pods, bytes of a pod, local pods.

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { DEFINITIONS_PATH } from "../src/kube/server-version.ts";

const [pods = 50_000, podBytes = 6_000, localPods = 110] = process.argv.slice(2).map(Number);
const POLICIES = 1_000;
const NAMESPACES = 100;
const LAST_VERSION = 1_000_000;

interface Resource {
  readonly kind: string;
  readonly apiVersion: string;
  readonly count: number;
  readonly make: (index: number) => unknown;
}

const padding = "x".repeat(Math.max(0, podBytes - 1_150));

function pod(index: number, version = index + 1, generation = 0): unknown {
  const name = `web-${index}-7d9f8b6c5d-abcde`;
  const ip = `10.${128 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
  return {
    metadata: {
      name,
      namespace: `ns-${index % NAMESPACES}`,
      uid: `6f9619ff-8b86-d011-b42d-${String(index).padStart(12, "0")}`,
      resourceVersion: String(version),
      creationTimestamp: "2026-01-01T00:00:00Z",
      labels: {
        app: `app-${Math.floor(index / 100) % 10}`,
        tier: `tier-${(index + generation) % 3}`,
        "pod-template-hash": "7d9f8b6c5d",
      },
      annotations: { "example.com/config": padding },
      ownerReferences: [
        { apiVersion: "apps/v1", kind: "ReplicaSet", name: `web-${index}-7d9f8b6c5d`, uid: "u", controller: true },
      ],
    },
    spec: {
      nodeName: index < localPods ? "node-0" : `node-${1 + (index % 450)}`,
      containers: [
        {
          name: "main",
          image: "registry.example/web:1.2.3",
          ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
          resources: { requests: { cpu: "100m", memory: "128Mi" } },
          volumeMounts: [{ name: "token", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount", readOnly: true }],
        },
      ],
      tolerations: [
        { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 },
      ],
    },
    status: {
      phase: "Running",
      hostIP: "192.168.0.1",
      podIP: ip,
      podIPs: [{ ip }],
      startTime: "2026-01-01T00:00:01Z",
      conditions: ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({
        type,
        status: "True",
        lastTransitionTime: "2026-01-01T00:00:02Z",
      })),
    },
  };
}

const metadata = (index: number, prefix: string) => ({
  name: `${prefix}-${index}`,
  uid: `${prefix}-${index}`,
  resourceVersion: "1",
});

const RESOURCES: Readonly<Record<string, Resource>> = {
  "/api/v1/pods": { kind: "Pod", apiVersion: "v1", count: pods, make: (index) => pod(index) },
  "/api/v1/namespaces": {
    kind: "Namespace",
    apiVersion: "v1",
    count: NAMESPACES,
    make: (index) => ({ metadata: { ...metadata(index, "ns"), labels: { team: `team-${index % 10}` } } }),
  },
  "/api/v1/nodes": {
    kind: "Node",
    apiVersion: "v1",
    count: 451,
    make: (index) => ({
      metadata: metadata(index, "node"),
      status: { addresses: [{ type: "InternalIP", address: `192.168.${index >> 8}.${index & 255}` }] },
    }),
  },
  "/apis/networking.k8s.io/v1/networkpolicies": {
    kind: "NetworkPolicy",
    apiVersion: "networking.k8s.io/v1",
    count: POLICIES,
    make: (index) => ({
      metadata: { ...metadata(index, "policy"), namespace: `ns-${index % NAMESPACES}` },
      spec: {
        podSelector: index % 10 === 0 ? {} : { matchLabels: { app: `app-${Math.floor(index / 100)}` } },
        policyTypes: ["Ingress", "Egress"],
        ingress: [{ from: [{ podSelector: { matchLabels: { app: `app-${index % 10}` } } }], ports: [{ port: 8080 }] }],
        egress: [
          {
            to: [
              {
                namespaceSelector: { matchLabels: { team: `team-${index % 10}` } },
                podSelector: { matchLabels: { tier: "tier-1" } },
              },
            ],
          },
        ],
      },
    }),
  },
};

const watches = new Map<string, Set<ServerResponse>>();

/** Waits until there is room again, or for nothing once the client is gone. */
function write(response: ServerResponse, text: string): Promise<void> | void {
  if (response.destroyed || response.write(text)) return;
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done).off("close", done);
      resolve();
    };
    response.on("drain", done).on("close", done);
  });
}

async function sendList(response: ServerResponse, { kind, apiVersion, count, make }: Resource): Promise<void> {
  await write(
    response,
    `{"kind":"${kind}List","apiVersion":"${apiVersion}","metadata":{"resourceVersion":"${LAST_VERSION}"},"items":[`,
  );
  for (let index = 0; index < count; index++) {
    await write(response, `${index === 0 ? "" : ","}${JSON.stringify(make(index))}`);
  }
  response.end("]}");
}

async function beginWatch(
  response: ServerResponse,
  path: string,
  resource: Resource,
  query: URLSearchParams,
): Promise<void> {
  const { kind, apiVersion, count, make } = resource;
  response.flushHeaders();
  if (query.get("sendInitialEvents") === "true") {
    for (let index = 0; index < count; index++) {
      await write(
        response,
        `${JSON.stringify({ type: "ADDED", object: { kind, apiVersion, ...(make(index) as object) } })}\n`,
      );
    }
    const annotations = { "k8s.io/initial-events-end": "true" };
    await write(
      response,
      `${JSON.stringify({ type: "BOOKMARK", object: { kind, apiVersion, metadata: { resourceVersion: String(LAST_VERSION), annotations } } })}\n`,
    );
  }
  const open = watches.get(path) ?? new Set();
  watches.set(path, open.add(response));
  response.on("close", () => open.delete(response));
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
  response.writeHead(200, { "content-type": "application/json" });
  if (url.searchParams.get("watch") !== null) void beginWatch(response, url.pathname, resource, url.searchParams);
  else void sendList(response, resource);
});

let eventsSent = 0;
async function sendEvents(count: number): Promise<void> {
  for (let index = 0; index < count; index++) {
    eventsSent++;
    // Pods of other nodes, one after the other; each time around their labels are others.
    const which = localPods + (eventsSent % (pods - localPods));
    const object = {
      kind: "Pod",
      apiVersion: "v1",
      ...(pod(which, LAST_VERSION + eventsSent, Math.floor(eventsSent / pods) + 1) as object),
    };
    const line = `${JSON.stringify({ type: "MODIFIED", object })}\n`;
    for (const watch of watches.get("/api/v1/pods") ?? []) await write(watch, line);
  }
}

server.listen(0, "127.0.0.1", () => console.log((server.address() as AddressInfo).port));
for await (const line of createInterface({ input: process.stdin })) {
  await sendEvents(Number(line));
  console.log("sent");
}
