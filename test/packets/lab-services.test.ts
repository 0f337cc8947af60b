// A service's address is translated before policies judge: they judge the pod behind it, whoever translates, whoever asks, wherever the
// pod is. A pod that reaches itself through a service is never blocked by a NetworkPolicy.

import { expect, it } from "vitest";
import { TOPOLOGIES } from "../../src/lab/topology.ts";
import { describeKernel } from "../support/kernel.ts";
import { app, blocks, policyObject } from "../support/lab-manifests.ts";
import { type Place, type Scene, type SceneFlow, withScene } from "../support/lab-scene.ts";
import {
  acceptOwnSource,
  type Service,
  serviceAddresses,
  serviceFor,
  translatorsHere,
  withServicesOn,
} from "../support/lab-services.ts";

const PODS = {
  friend: "node-a",
  stranger: "node-a",
  web: "node-a",
  hermit: "node-a",
  far: "node-b",
  closed: "node-b",
  open: "node-b",
};
const NODES = ["node-a", "node-b"];
/** kube-proxy's own setting would be that all of them have the node's address when they reach themselves. */
const WITHOUT_MASQUERADE = "hermit";

describeKernel("services", () => {
  it.each(TOPOLOGIES)(
    "%s: policies judge the pod behind the address, and not the pod that reaches itself",
    (topology) =>
      withScene({ pods: PODS, topology }, async (scene) => {
        const { web, hermit, far, closed, "node-a": nodeA } = places(scene);
        const policies = [
          policyObject("web", { ingress: [{ from: [app("friend")] }] }),
          policyObject("far", { ingress: [{ from: [app("friend"), ...blocks(nodeA.addresses)] }] }),
          ...["closed", "hermit"].map((name) => policyObject(name, { ingress: [], egress: [] })),
          policyObject("friend", { egress: [{ to: [web, far, closed, hermit].map(({ name }) => app(name)) }] }),
        ];
        await acceptOwnSource(scene.at(WITHOUT_MASQUERADE).ns);
        const flows = flowsOf(places(scene));
        for (const translator of translatorsHere()) {
          await withServicesOn(serviceNodes(scene), servicesOf(scene), translator, async () => {
            expect(await scene.wrongWithoutPolicies(flows), translator).toEqual([]);
            await scene.enforce(...policies);
            expect(await scene.wrong(flows), translator).toEqual([]);
          });
        }
      }),
  );
});

type Places = Record<keyof typeof PODS | "node-a" | "node-b", Place>;

function flowsOf({ friend, stranger, web, hermit, far, closed, open, "node-a": nodeA, "node-b": nodeB }: Places) {
  const pairs: readonly (readonly [Place, Place, boolean])[] = [
    [friend, web, true],
    [stranger, web, false],
    [friend, far, true],
    [stranger, far, false],
    [friend, open, false],
    [stranger, open, true],
    [friend, hermit, false],
    [friend, closed, false],
    [hermit, closed, false],
    [hermit, hermit, true],
    [closed, closed, true],
    [nodeA, web, true],
    [nodeA, far, true],
    [nodeA, closed, false],
    [nodeB, closed, true],
  ];
  return pairs.flatMap(([from, to, allowed]) =>
    (["TCP", "UDP", "SCTP"] as const).map(
      (protocol): SceneFlow => ({ from, to, dials: serviceAddresses(to.addresses), protocol, allowed }),
    ),
  );
}

function places(scene: Scene): Places {
  const names = [...Object.keys(PODS), ...NODES];
  return Object.fromEntries(names.map((name) => [name, scene.at(name)])) as Places;
}

function serviceNodes(scene: Scene): string[] {
  return NODES.map((name) => scene.at(name).ns);
}

function servicesOf(scene: Scene): Service[] {
  return Object.keys(PODS).map((name) => serviceFor(scene.at(name).addresses, name !== WITHOUT_MASQUERADE));
}
