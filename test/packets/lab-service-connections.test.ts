// Whole connections through services: the answers find their way back through the translation, to clients to whom nobody may send, and
// a closed pod talks to itself.

import { expect, it } from "vitest";
import { TOPOLOGIES } from "../../src/lab/topology.ts";
import { FAMILIES } from "../../src/net/address.ts";
import { describeKernel } from "../support/kernel.ts";
import { type ConnectionEnds, withConnections } from "../support/lab-connections.ts";
import { app, policyObject } from "../support/lab-manifests.ts";
import { type Scene, withScene } from "../support/lab-scene.ts";
import { serviceAddresses, serviceFor, translatorsHere, withServicesOn } from "../support/lab-services.ts";

const PODS = { client: "node-a", near: "node-a", far: "node-b" };
const SERVERS = ["near", "far"];
const POLICIES = [
  policyObject("client", { ingress: [], egress: [{ to: SERVERS.map(app) }] }),
  ...SERVERS.map((name) => policyObject(name, { ingress: [{ from: [app("client")] }], egress: [] })),
];

/** From, to. */
const OPEN = [
  ["client", "near"],
  ["client", "far"],
  ["client", "client"],
  ["near", "near"],
  ["far", "far"],
] as const;

describeKernel("connections through services", () => {
  it.each(TOPOLOGIES)("%s: both sides hear each other where only the client may begin", (topology) =>
    withScene({ pods: PODS, topology }, async (scene) => {
      await scene.enforce(...POLICIES);
      const nodes = ["node-a", "node-b"].map((name) => scene.at(name).ns);
      const services = Object.keys(PODS).map((name) => serviceFor(scene.at(name).addresses, true));
      for (const translator of translatorsHere()) {
        await withServicesOn(nodes, services, translator, () =>
          withConnections(async (connections) => {
            await Promise.all(
              OPEN.flatMap(([from, to]) => endsOf(scene, from, to)).map((ends) => connections.open(ends)),
            );
            const back = SERVERS.map((name) => ({ from: scene.at(name), to: scene.at("client"), allowed: false }));
            const there = SERVERS.map((name) => ({ from: scene.at("client"), to: scene.at(name), allowed: true }));
            const flows = [...back, ...there].map((flow) => ({ ...flow, dials: serviceAddresses(flow.to.addresses) }));
            expect(await scene.wrong(flows), translator).toEqual([]);
          }),
        );
      }
    }),
  );
});

function endsOf(scene: Scene, from: string, to: string): ConnectionEnds[] {
  const [client, server] = [scene.at(from), scene.at(to)];
  return FAMILIES.map((family) => ({ from: client, to: server, family, dials: serviceAddresses(server.addresses) }));
}
