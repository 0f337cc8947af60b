// Datagrams larger than a link: only the first fragment has ports, yet all of an allowed one arrive, and none of a denied one.

import { expect, it } from "vitest";
import { TOPOLOGIES } from "../../src/lab/topology.ts";
import { FAMILIES } from "../../src/net/address.ts";
import { describeKernel } from "../support/kernel.ts";
import { Datagrams, fragmentsTaken } from "../support/lab-datagrams.ts";
import { app, policyObject } from "../support/lab-manifests.ts";
import { type Scene, withScene } from "../support/lab-scene.ts";

const PODS = { friend: "node-a", stranger: "node-a", web: "node-a", far: "node-b" };
const LARGE = 4000;
const SMALL = 100;
const OPEN_PORT = 9000;
const CLOSED_PORT = 9001;
const RULE = { from: [app("friend")], ports: [{ protocol: "UDP", port: OPEN_PORT }] };
const POLICIES = ["web", "far"].map((name) => policyObject(name, { ingress: [RULE] }));

describeKernel("fragments", () => {
  it.each(TOPOLOGIES)("%s: all of an allowed datagram arrive, and none of a denied one", (topology) =>
    withScene({ pods: PODS, topology }, async (scene) => {
      const datagrams = new Datagrams();
      try {
        await tryFragments(scene, datagrams);
      } finally {
        datagrams.close();
      }
    }),
  );
});

async function tryFragments(scene: Scene, datagrams: Datagrams): Promise<void> {
  const [friend, stranger] = [scene.at("friend"), scene.at("stranger")];
  const pairs = [scene.at("web"), scene.at("far")].flatMap((to) =>
    FAMILIES.map((family) => ({
      open: datagrams.open(to, family, OPEN_PORT),
      closed: datagrams.open(to, family, CLOSED_PORT),
      taken: () => fragmentsTaken(scene.lab.network, to, family),
    })),
  );
  for (const { open, closed, taken } of pairs) {
    const before = taken();
    await datagrams.arrives(stranger, open, LARGE);
    await datagrams.arrives(friend, closed, LARGE);
    // They really were fragments: three for each.
    expect(taken() - before).toBeGreaterThanOrEqual(6);
  }
  await scene.enforce(...POLICIES);
  datagrams.forgetSenders();
  for (const { open, closed, taken } of pairs) {
    datagrams.take(closed);
    const before = taken();
    for (let time = 0; time < 3; time++) {
      datagrams.send(stranger, open, LARGE);
      datagrams.send(friend, closed, LARGE);
    }
    await datagrams.arrives(friend, open, SMALL);
    expect(taken() - before).toBe(0);
    await datagrams.arrives(friend, open, LARGE);
    expect(taken() - before).toBeGreaterThanOrEqual(3);
    expect(datagrams.take(closed)).toEqual([]);
  }
}
