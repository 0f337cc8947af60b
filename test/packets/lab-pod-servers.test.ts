// The servers inside pods, and connections between them: who answers, who asked, and what a changed policy does to what is open.

import { createSocket } from "node:dgram";
import { expect, it } from "vitest";
import { type Lab, probeEnd } from "../../src/lab/lab.ts";
import type { ProbeEnd } from "../../src/lab/measure.ts";
import { PodConnection } from "../../src/lab/pod-connection.ts";
import { startPodServers } from "../../src/lab/pod-servers.ts";
import type { Family } from "../../src/net/address.ts";
import { describeKernel } from "../support/kernel.ts";
import { withTestLab } from "../support/packet-lab.ts";

const PODS = `
apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: db, labels: { app: db } }
spec:
  containers:
    - { name: db, image: db, ports: [{ containerPort: 5432 }, { containerPort: 53, protocol: UDP }] }
---
apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: api, labels: { app: api } }
spec: { containers: [{ name: api, image: api }] }
---
apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: stranger, labels: { app: stranger } }
spec: { containers: [{ name: stranger, image: stranger }] }
`;
const ONLY_API = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { namespace: shop, name: db }
spec:
  podSelector: { matchLabels: { app: db } }
  ingress: [{ from: [{ podSelector: { matchLabels: { app: api } } }] }]
`;
/** For what should come: it ends earlier. */
const PATIENCE_MS = 10_000;
/** For what should not come. TCP sends again after 200 ms. */
const DENIED_MS = 1500;

function end(lab: Lab, name: string, family: Family = 4): ProbeEnd {
  const found = probeEnd(lab.network, name, family);
  if (found === undefined) throw new Error(`${name} has no IPv${family} address`);
  return found;
}

function openTo(lab: Lab, from: ProbeEnd, to: ProbeEnd, patienceMs = PATIENCE_MS) {
  return PodConnection.open(lab.network, from, to.address, 5432, patienceMs);
}

describeKernel("servers inside pods", () => {
  it("answer on TCP with who they are and who asked, again and again on one connection, in both families", () =>
    withTestLab({ yaml: PODS }, { dualStack: true }, async ({ lab, store }) => {
      const servers = await startPodServers(lab.network, store);
      try {
        for (const family of [4, 6] as const) {
          const [api, db] = [end(lab, "shop/api", family), end(lab, "shop/db", family)];
          const connection = await openTo(lab, api, db);
          const answer = `I am shop/db, you are ${api.address}`;
          expect(await connection?.ask(PATIENCE_MS)).toBe(answer);
          expect(await connection?.ask(PATIENCE_MS)).toBe(answer);
          connection?.close();
        }
      } finally {
        servers.close();
      }
    }));

  it("answer datagrams", () =>
    withTestLab({ yaml: PODS }, {}, async ({ lab, store }) => {
      const servers = await startPodServers(lab.network, store);
      const client = createSocket({ type: "udp4", lookup: (host, _options, found) => found(null, host, 4) });
      try {
        const [api, db] = [end(lab, "shop/api"), end(lab, "shop/db")];
        lab.network.inside(api.ns, () => client.bind(0));
        const answer = new Promise<string>((resolve) => client.once("message", (bytes) => resolve(bytes.toString())));
        client.send("who?", 53, db.address);
        expect(await answer).toBe(`I am shop/db, you are ${api.address}\n`);
      } finally {
        client.close();
        servers.close();
      }
    }));

  it("are heard by those whom a new policy still allows, and no longer by others whose connection was open", () =>
    withTestLab({ yaml: PODS }, {}, async ({ lab, store, replace }) => {
      const servers = await startPodServers(lab.network, store);
      const db = end(lab, "shop/db");
      const api = await openTo(lab, end(lab, "shop/api"), db);
      const stranger = await openTo(lab, end(lab, "shop/stranger"), db);
      try {
        expect(await stranger?.ask(PATIENCE_MS)).toContain("I am shop/db");
        await replace({ yaml: `${PODS}---${ONLY_API}` });
        expect(await api?.ask(PATIENCE_MS)).toContain("I am shop/db");
        await expect.poll(() => stranger?.ask(DENIED_MS), { timeout: 30_000 }).toBeUndefined();
        expect(await openTo(lab, end(lab, "shop/stranger"), db, DENIED_MS)).toBeUndefined();
        expect(await api?.ask(PATIENCE_MS)).toContain("I am shop/db");
      } finally {
        api?.close();
        stranger?.close();
        servers.close();
      }
    }));

  it("are gone after close: nobody listens, and the ports are free again", () =>
    withTestLab({ yaml: PODS }, {}, async ({ lab, store }) => {
      const servers = await startPodServers(lab.network, store);
      servers.close();
      expect(await openTo(lab, end(lab, "shop/api"), end(lab, "shop/db"), PATIENCE_MS)).toBeUndefined();
      const again = await startPodServers(lab.network, store);
      again.close();
    }));
});
