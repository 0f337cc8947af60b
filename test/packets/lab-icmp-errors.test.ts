// ICMP errors belong to the flow that they are about: those of an allowed flow reach its sender, whatever the policies say of the way back;
// of a flow that there is not, none gets into an isolated pod.

import { afterEach, describe, expect, it } from "vitest";
import { TOPOLOGIES } from "../../src/lab/topology.ts";
import { FAMILIES, type Family } from "../../src/net/address.ts";
import { describeKernel } from "../support/kernel.ts";
import { Datagrams } from "../support/lab-datagrams.ts";
import { encodeIcmpError, type IcmpError, type QuotedUdp } from "../support/lab-icmp.ts";
import { IcmpEars } from "../support/lab-icmp-ears.ts";
import { app, policyObject } from "../support/lab-manifests.ts";
import { mustRun } from "../support/lab-netns.ts";
import { type Place, type Scene, withScene } from "../support/lab-scene.ts";
import { until } from "../support/until.ts";

const PODS = { shy: "node-a", near: "node-a", forger: "node-a", far: "node-b" };
/** Nobody sends to `shy`; those it asks send nothing of their own accord, but for the forger, whom no policy selects. */
const POLICIES = [
  policyObject("shy", { ingress: [] }),
  ...["near", "far"].map((name) => policyObject(name, { ingress: [{ from: [app("shy")] }], egress: [] })),
];
const PORT = 9000;
const SENDS_EVERY_MS = 100;

const datagrams = new Datagrams();
afterEach(() => datagrams.close());

describeKernel("ICMP errors", () => {
  describe.each(TOPOLOGIES)("%s", (topology) => {
    it("of allowed flows reach the sender, whose ingress is closed; of no flow, they do not", () =>
      withScene({ pods: PODS, topology }, async (scene) => {
        const shy = scene.at("shy");
        const ears = await IcmpEars.at(scene, shy);
        try {
          for (const family of FAMILIES) await forgedArrives(scene, ears, family, true);
          await scene.enforce(...POLICIES);
          for (const family of FAMILIES) {
            for (const to of [scene.at("near"), scene.at("far")]) await portUnreachable(ears, shy, to, family);
            await forgedArrives(scene, ears, family, false);
          }
        } finally {
          ears.close();
        }
      }));
  });

  it("a packet that is too big for a link on its way is told to its sender, whose ingress is closed", () =>
    withScene({ pods: PODS, topology: "routed" }, async (scene) => {
      const [shy, far] = [scene.at("shy"), scene.at("far")];
      const ears = await IcmpEars.at(scene, shy);
      try {
        await scene.enforce(...POLICIES);
        // The link to the second node.
        await mustRun(scene.outside.ns, ["ip", "link", "set", "node1", "mtu", "1300"]);
        for (const [index, family] of FAMILIES.entries()) {
          const port = PORT + 10 + index;
          const box = datagrams.open(far, family, port);
          await hearing(ears, family, "too big", port, () => datagrams.send(shy, box, 1400));
          await datagrams.arrives(shy, box, 1400);
        }
      } finally {
        ears.close();
      }
    }));
});

let lastPort = PORT + 100;

/** Nobody listens there. */
async function portUnreachable(ears: IcmpEars, shy: Place, to: Place, family: Family): Promise<void> {
  const port = ++lastPort;
  await hearing(ears, family, "port unreachable", port, () => datagrams.send(shy, { at: to, port, family }, 10));
}

/** The forger sends errors: about a flow that there is they arrive; whether those about none that it sent before do, is as expected. */
async function forgedArrives(scene: Scene, ears: IcmpEars, family: Family, expected: boolean): Promise<void> {
  const [shy, forger] = [scene.at("shy"), scene.at("forger")];
  const box = datagrams.open(forger, family, ++lastPort);
  await datagrams.arrives(shy, box, 10);
  const real: QuotedUdp = {
    source: shy.addresses[family],
    destination: forger.addresses[family],
    sourcePort: datagrams.portOf(shy, family),
    destinationPort: box.port,
  };
  const unreal = { ...real, destinationPort: ++lastPort };
  const forge = (error: IcmpError, quoted: QuotedUdp) =>
    ears.send(forger, family, encodeIcmpError(error, family, quoted), quoted.source);
  for (const error of ["port unreachable", "too big"] as const) {
    await hearing(ears, family, error, real.destinationPort, () => {
      forge(error, unreal);
      forge(error, real);
    });
    const came = ears
      .heard(family)
      .some((each) => each.error === error && each.destinationPort === unreal.destinationPort);
    expect(came, `${error}, IPv${family}`).toBe(expected);
  }
}

/** Sends until an error about a packet to this port has come. */
async function hearing(
  ears: IcmpEars,
  family: Family,
  error: IcmpError,
  port: number,
  send: () => void,
): Promise<void> {
  let sentAt = -Infinity;
  await until(`${error} about port ${port}, IPv${family}`, () => {
    if (performance.now() > sentAt + SENDS_EVERY_MS) {
      send();
      sentAt = performance.now();
    }
    return ears.heard(family).some((each) => each.error === error && each.destinationPort === port);
  });
}
