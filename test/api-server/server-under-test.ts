// The fake and the real API server behind one interface, for tests that both must pass: that keeps the fake truthful.

import type { TierResource } from "../../src/kube/resources.ts";
import { FakeApiServer } from "./fake-api-server.ts";
import type { ConfigEntry } from "./kubeconfig-files.ts";
import type { ApiObject } from "./object-store.ts";
import { POLICIES_PATH } from "./objects.ts";
import { RealServer } from "./real-server.ts";

/** Policies of the namespace `default`: every server has it. */
export interface ServerUnderTest {
  readonly port: number;
  readonly authorityPem: string;
  /** May do everything. */
  readonly admin: ConfigEntry;
  /** Is known, but may not list policies. */
  readonly nobody: ConfigEntry;
  createPolicy(name: string, labels: Readonly<Record<string, string>>): Promise<void>;
  updatePolicy(name: string, labels: Readonly<Record<string, string>>): Promise<void>;
  deletePolicy(name: string): Promise<void>;
  /** With its CRD; at once, or some time later. */
  installKind(kind: TierResource): Promise<void>;
  /** With its CRD, and all its policies; at once, or some time later. */
  removeKind(kind: TierResource): Promise<void>;
  createClusterPolicy(kind: TierResource, name: string): Promise<void>;
  /** Ends all connections; versions of before are too old afterwards. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

function policy(name: string, labels: Readonly<Record<string, string>>): ApiObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { namespace: "default", name, labels },
    spec: { podSelector: {}, policyTypes: ["Ingress"] },
  };
}

export async function startFake(): Promise<ServerUnderTest> {
  const [admin, nobody] = ["admin-token-0123456789", "nobody-token-0123456789"];
  const server = await FakeApiServer.start({ tokens: [admin, nobody] });
  server.addFault(({ headers, path }) => {
    server.forbidden = headers.authorization === `Bearer ${nobody}` ? [path] : [];
    return undefined;
  });
  // No server that has started just now knows the versions of before.
  server.store.put(POLICIES_PATH, policy("first", {}));
  server.store.delete(POLICIES_PATH, "default/first");
  server.store.compact();
  const put = async (name: string, labels: Readonly<Record<string, string>>) => {
    server.store.put(POLICIES_PATH, policy(name, labels));
  };
  return {
    port: server.port,
    authorityPem: server.authority.certPem,
    admin: { token: admin },
    nobody: { token: nobody },
    createPolicy: put,
    updatePolicy: put,
    deletePolicy: async (name) => server.store.delete(POLICIES_PATH, `default/${name}`),
    installKind: async ({ path, kind, group, version }) =>
      server.store.addResource(path, `${kind}List`, `${group}/${version}`),
    removeKind: async ({ path }) => server.store.removeResource(path),
    createClusterPolicy: async ({ path }, name) => server.store.put(path, { metadata: { name } }),
    restart: async () => {
      server.store.compact();
      server.cutConnections();
    },
    close: () => server.close(),
  };
}

const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

/** A CRD of the kind that takes every object. */
function definitionOf({ name, path, kind, group, version }: TierResource): ApiObject {
  const openAPIV3Schema = { type: "object", "x-kubernetes-preserve-unknown-fields": true };
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name, annotations: { "api-approved.kubernetes.io": "unapproved, a test" } },
    spec: {
      group,
      scope: "Cluster",
      names: { plural: path.split("/").at(-1), singular: kind.toLowerCase(), kind, listKind: `${kind}List` },
      versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema } }],
    },
  };
}

export async function startReal(assets: string): Promise<ServerUnderTest> {
  const server = await RealServer.start(assets);
  const collection = "/apis/networking.k8s.io/v1/namespaces/default/networkpolicies";
  const send = async (expected: readonly number[], method: string, path: string, body?: unknown) => {
    const answer = await server.send(method, path, body);
    if (!expected.includes(answer.status)) throw new Error(`${method} ${path}: ${answer.status} ${answer.text}`);
    return JSON.parse(answer.text) as ApiObject;
  };
  return {
    port: server.port,
    authorityPem: server.authorityPem,
    admin: { token: server.adminToken },
    nobody: { token: server.nobodyToken },
    createPolicy: async (name, labels) => void (await send([201], "POST", collection, policy(name, labels))),
    updatePolicy: async (name, labels) => {
      const known = await send([200], "GET", `${collection}/${name}`);
      const metadata = { ...(known.metadata as ApiObject), labels };
      await send([200], "PUT", `${collection}/${name}`, { ...known, metadata });
    },
    deletePolicy: async (name) => void (await send([200, 202], "DELETE", `${collection}/${name}`)),
    installKind: async (kind) => void (await send([201], "POST", CRDS, definitionOf(kind))),
    removeKind: async ({ name }) => void (await send([200], "DELETE", `${CRDS}/${name}`)),
    createClusterPolicy: async ({ path, kind, group, version }, name) =>
      void (await send([201], "POST", path, { apiVersion: `${group}/${version}`, kind, metadata: { name } })),
    restart: () => server.restart(),
    close: () => server.close(),
  };
}
