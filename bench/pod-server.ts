// A process of its own: an API server that serves only pods of realistic shape, as a list or a streaming list, over plain
// HTTP and HTTPS, gzipped where it is asked for. Prints its two ports and the authority. Arguments: number of pods.

import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { createGzip } from "node:zlib";
import { issueCertificate, makeAuthority } from "../test/api-server/certificates.ts";

const count = Number(process.argv[2]);
const PODS_AT_ONCE = 8;

/** About 6 KB, half of it managedFields, as a Deployment's pod. NAME, NAMESPACE, INDEX and ADDRESS are put in later. */
const TEMPLATE = JSON.stringify({
  metadata: {
    name: "NAME",
    generateName: "web-7d9f8b6c5d-",
    namespace: "NAMESPACE",
    uid: "6f9619ff-8b86-4011-b42d-INDEX",
    resourceVersion: "1INDEX",
    creationTimestamp: "2026-01-01T00:00:00Z",
    labels: { app: "app-INDEX", tier: "backend", "pod-template-hash": "7d9f8b6c5d", version: "v1.2.3" },
    annotations: { "prometheus.io/scrape": "true", "prometheus.io/port": "8080", "checksum/config": "0".repeat(64) },
    ownerReferences: [
      {
        apiVersion: "apps/v1",
        kind: "ReplicaSet",
        name: "web-7d9f8b6c5d",
        uid: "7f9619ff-8b86-4011-b42d-000000000000",
        controller: true,
        blockOwnerDeletion: true,
      },
    ],
    managedFields: ["kube-controller-manager", "kubelet"].map((manager) => ({
      manager,
      operation: "Update",
      apiVersion: "v1",
      time: "2026-01-01T00:00:00Z",
      fieldsType: "FieldsV1",
      fieldsV1: Object.fromEntries(
        ["metadata", "spec", "status"].map((part) => [
          `f:${part}`,
          Object.fromEntries(
            Array.from({ length: 12 }, (_, index) => [`f:field${index}`, { ".": {}, [`f:inner${index}`]: {} }]),
          ),
        ]),
      ),
    })),
  },
  spec: {
    nodeName: "node-INDEX",
    serviceAccountName: "default",
    restartPolicy: "Always",
    dnsPolicy: "ClusterFirst",
    containers: [
      {
        name: "main",
        image: "registry.example/team/web@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        ports: [
          { name: "http", containerPort: 8080, protocol: "TCP" },
          { name: "metrics", containerPort: 9090, protocol: "TCP" },
        ],
        env: Array.from({ length: 10 }, (_, index) => ({ name: `SETTING_${index}`, value: `value-${index}` })),
        resources: { requests: { cpu: "100m", memory: "128Mi" }, limits: { memory: "256Mi" } },
        livenessProbe: { httpGet: { path: "/healthz", port: "http", scheme: "HTTP" }, periodSeconds: 10 },
        volumeMounts: [{ name: "token", mountPath: "/var/run/secrets/kubernetes.io/serviceaccount", readOnly: true }],
      },
    ],
    tolerations: ["not-ready", "unreachable"].map((key) => ({
      key: `node.kubernetes.io/${key}`,
      operator: "Exists",
      effect: "NoExecute",
      tolerationSeconds: 300,
    })),
    volumes: [
      { name: "token", projected: { sources: [{ serviceAccountToken: { path: "token" } }], defaultMode: 420 } },
    ],
  },
  status: {
    phase: "Running",
    hostIP: "192.0.2.1",
    podIP: "ADDRESS",
    podIPs: [{ ip: "ADDRESS" }],
    startTime: "2026-01-01T00:00:01Z",
    qosClass: "Burstable",
    conditions: ["Initialized", "Ready", "ContainersReady", "PodScheduled"].map((type) => ({
      type,
      status: "True",
      lastProbeTime: null,
      lastTransitionTime: "2026-01-01T00:00:02Z",
    })),
    containerStatuses: [
      { name: "main", ready: true, restartCount: 0, state: { running: { startedAt: "2026-01-01" } } },
    ],
  },
});

function pod(index: number): string {
  const digits = String(index).padStart(12, "0");
  const address = `10.${128 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
  return TEMPLATE.replaceAll("INDEX", digits)
    .replaceAll("ADDRESS", address)
    .replace("NAMESPACE", `ns-${index % 100}`)
    .replace("NAME", `web-7d9f8b6c5d-${digits}`);
}

function* listText(): Generator<string> {
  yield '{"kind":"PodList","apiVersion":"v1","metadata":{"resourceVersion":"9000000000000"},"items":[';
  for (let index = 0; index < count; index += PODS_AT_ONCE) {
    const end = Math.min(count, index + PODS_AT_ONCE);
    const items = Array.from({ length: end - index }, (_, offset) => pod(index + offset));
    yield `${index === 0 ? "" : ","}${items.join(",")}`;
  }
  yield "]}\n";
}

function* eventsText(): Generator<string> {
  for (let index = 0; index < count; index += PODS_AT_ONCE) {
    const end = Math.min(count, index + PODS_AT_ONCE);
    const kind = '"kind":"Pod","apiVersion":"v1",';
    const lines = Array.from({ length: end - index }, (_, offset) => {
      return `{"type":"ADDED","object":{${kind}${pod(index + offset).slice(1)}}\n`;
    });
    yield lines.join("");
  }
  const annotations = '"annotations":{"k8s.io/initial-events-end":"true"}';
  yield `{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"9000000000000",${annotations}}}}\n`;
}

/** `/list/...` refuses streaming lists, `/gzip/...` does so too and compresses. */
function answer(request: IncomingMessage, response: ServerResponse): void {
  const url = new URL(request.url ?? "/", "http://server");
  const mode = url.pathname.split("/")[1] ?? "";
  const isWatch = url.searchParams.has("watch");
  if (isWatch && url.searchParams.has("sendInitialEvents")) {
    if (mode !== "streaming") {
      response.writeHead(422, { "content-type": "application/json" });
      response.end('{"kind":"Status","code":422,"reason":"Invalid"}');
      return;
    }
    response.writeHead(200);
    Readable.from(eventsText(), { objectMode: true }).pipe(response, { end: false });
  } else if (isWatch) {
    response.writeHead(200);
    response.flushHeaders();
  } else if (mode === "gzip") {
    response.writeHead(200, { "content-encoding": "gzip" });
    Readable.from(listText())
      .pipe(createGzip({ level: 1 }))
      .pipe(response);
  } else {
    response.writeHead(200);
    Readable.from(listText()).pipe(response);
  }
}

const authority = makeAuthority();
const { certPem, keyPem } = issueCertificate(authority, { commonName: "bench", names: ["127.0.0.1"] });
const servers = [createHttpServer(answer), createHttpsServer({ cert: certPem, key: keyPem }, answer)] as const;
await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))));
const [http, https] = servers.map((server) => (server.address() as AddressInfo).port);
console.log(JSON.stringify({ http, https, authority: authority.certPem, podBytes: pod(0).length }));
