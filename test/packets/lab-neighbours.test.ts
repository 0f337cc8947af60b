// Neighbour discovery is never blocked: with empty neighbour tables allowed packets arrive, and a closed pod finds others and is found.

import { expect, it } from "vitest";
import type { Topology } from "../../src/lab/topology.ts";
import { type Address, FAMILIES } from "../../src/net/address.ts";
import { describeKernel } from "../support/kernel.ts";
import { policyObject } from "../support/lab-manifests.ts";
import { flushNeighbours, isResolved } from "../support/lab-neighbours.ts";
import { type Scene, type SceneFlow, withScene } from "../support/lab-scene.ts";

const PODS = { closed: "node-a", shut: "node-a", open: "node-a", free: "node-a", far: "node-b" };
const PLACES = [...Object.keys(PODS), "node-a", "node-b"];
const GATEWAYS = ["169.254.1.1", "fe80::1"] as Address[];
const CLOSED = { ingress: [], egress: [] };

/** Who asks whose link address, for a packet that is denied. */
type Question = readonly [asks: string, to: string];

/** On a bridge pods ask each other, through the rules; with a route of its own each asks its node, which asks them. */
const BETWEEN_PODS: readonly Question[] = [
  ["open", "closed"],
  ["closed", "open"],
  ["closed", "shut"],
];

describeKernel("neighbours", () => {
  it.each<{ readonly topology: Topology; readonly questions: readonly Question[] }>([
    { topology: "routed", questions: [] },
    { topology: "bridged", questions: BETWEEN_PODS },
  ])("$topology: they are found while pods are closed", ({ topology, questions }) =>
    // The strictest: what a pod asks its own node is judged, too.
    withScene({ pods: PODS, topology, program: { podToOwnNode: "enforce" } }, async (scene) => {
      await scene.enforce(policyObject("closed", CLOSED), policyObject("shut", CLOSED));
      const flows: readonly SceneFlow[] = [
        ...(["free", "far", "node-a", "node-b"] as const).map((to) => flow(scene, "open", to, true)),
        flow(scene, "far", "free", true),
        flow(scene, "node-a", "closed", true),
        flow(scene, "closed", "node-a", false),
        flow(scene, "closed", "far", false),
        flow(scene, "far", "closed", false),
        ...questions.map(([asks, to]) => flow(scene, asks, to, false)),
      ];
      expect(await scene.wrong(flows)).toEqual([]);
      await flushNeighbours(
        scene.lab.network,
        PLACES.map((name) => scene.at(name).ns),
      );
      expect(await scene.wrong(flows)).toEqual([]);
      const unresolved: string[] = [];
      const ask = async (asks: string, address: Address) => {
        if (!(await isResolved(scene.at(asks).ns, address))) unresolved.push(`${asks} finds no ${address}`);
      };
      for (const family of FAMILIES) {
        for (const [asks, to] of questions) await ask(asks, scene.at(to).addresses[family]);
        await ask("node-a", scene.at("closed").addresses[family]);
      }
      for (const gateway of GATEWAYS) await ask("closed", gateway);
      expect(unresolved).toEqual([]);
    }),
  );
});

function flow(scene: Scene, from: string, to: string, allowed: boolean): SceneFlow {
  return { from: scene.at(from), to: scene.at(to), allowed };
}
