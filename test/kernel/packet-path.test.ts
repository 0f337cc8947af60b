// Whether the agent finds out that pods' packets pass it by, on nodes made of namespaces, with real packets and real rules.
// Topologies that this kernel cannot make (Open vSwitch, ipvlan, Cilium) are data in src/agent/packet-path.test.ts.

import { expect, it } from "vitest";
import { describeKernel } from "../support/kernel.ts";
import { bridgePods, routePods, type TestNode, whilePodsTalk, withTestNode } from "./packet-path-node.ts";

const CALLS = ["net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"] as const;
const WINDOW_MS = 1_000;

async function setCalls(node: TestNode, value: "0" | "1"): Promise<void> {
  for (const path of CALLS) await node.setSysctl(path, value);
}

const measured = (node: TestNode) => whilePodsTalk(node, () => node.look({ windowMs: WINDOW_MS }));
const codes = ({ findings }: Awaited<ReturnType<TestNode["look"]>>) => findings.map(({ code }) => code);

describeKernel("the packet path of bridged pods", () => {
  it("misses packets while bridge-nf-call is off: both switches are named, and it is measured", () =>
    withTestNode(async (node) => {
      await bridgePods(node);
      await setCalls(node, "0");
      const answer = await measured(node);
      expect(codes(answer)).toEqual(["bridge-calls-off", "bridge-calls-off", "measured-bypass"]);
      expect(answer.findings[0]?.message).toBe(
        "net.bridge.bridge-nf-call-iptables is 0: IPv4 packets from pod to pod on the bridge cni0 do not cross the rules (pods 10.9.0.1, 10.9.0.2)",
      );
      const pods = node.pods.flatMap(({ ip4, ip6 }) => [ip4, ip6]);
      expect(answer.findings[2]?.pods.toSorted()).toEqual(pods.toSorted());
      expect(answer.podsSeenCrossing).toBe(false);
    }));

  it("is fine with bridge-nf-call, and packets are seen to cross", () =>
    withTestNode(async (node) => {
      await bridgePods(node);
      await setCalls(node, "1");
      expect(await measured(node)).toMatchObject({ findings: [], podsSeenCrossing: true });
    }));
});

describeKernel("the packet path of routed pods", () => {
  it("is fine, and packets are seen to cross", () =>
    withTestNode(async (node) => {
      await routePods(node);
      expect(await measured(node)).toMatchObject({ findings: [], podsSeenCrossing: true });
    }));
});
