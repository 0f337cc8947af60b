// A pod that is new on the node, and that a policy isolates, under traffic that was there before the pod object: it is never
// open once its address is known, and with --unknown-local-pods=drop not before either.

import { expect, it } from "vitest";
import { FAMILIES } from "../../src/net/address.ts";
import type { ObjectStore } from "../api-server/object-store.ts";
import { describeKernel } from "../support/kernel.ts";
import { NODE_NAME, type PacketAgent, withAgent } from "../support/packet-agent.ts";
import { withApiServer } from "../support/packet-api-server.ts";
import { type PacketNetwork, withPacketNetwork } from "../support/packet-network.ts";
import type { Stream } from "../support/packet-streams.ts";
import { type PacketTraffic, withTraffic } from "../support/packet-traffic.ts";
import { deletePod, labelSelector, onlyWith, putHost, putNamespace, putNodes, putPod, putPolicy } from "./cluster.ts";
import { withGenerations } from "./generations.ts";

const HOSTS = {
  "late-r": "routed",
  "late-b": "bridged",
  "friend-r": "routed",
  "friend-b": "bridged",
  "friend-o": "outside",
  "stranger-r": "routed",
  "stranger-b": "bridged",
  "stranger-o": "outside",
} as const;

const LATE = ["late-r", "late-b"] as const;

interface NewPods {
  readonly network: PacketNetwork;
  readonly store: ObjectStore;
  readonly agent: PacketAgent;
  readonly traffic: PacketTraffic;
  /** To and from the late pods, which no object tells of yet. */
  readonly friends: readonly Stream[];
  readonly strangers: readonly Stream[];
}

describeKernel("a new pod that a policy isolates", () => {
  it("by default: open before its address is known, closed from the transaction on in which it is", () =>
    withNewPods([], async ({ network, store, agent, traffic, friends, strangers }) => {
      await traffic.flowing(20, [...friends, ...strangers]);
      await withGenerations(network.node, async (generations) => {
        await startPods(store, network, agent);
        const closedFrom = new Map(strangers.map((stream) => [stream, stream.sent]));
        await traffic.more(50);
        await traffic.finish(friends);
        expect(lossesOf(friends)).toEqual(lossesOf(friends, () => []));
        for (const stream of strangers) {
          expect(stream.arrived.from(closedFrom.get(stream) ?? 0), stream.spec.name).toEqual([]);
          // Closed once and for all: nothing arrived after something that did not.
          expect(stream.arrived.missing(0, stream.arrived.last + 1), stream.spec.name).toEqual([]);
        }
        // The address is nowhere in the table before it is in these, not even as a peer of others.
        const told = (name: string) =>
          generations
            .flat()
            .some((line) => words(line)[4] === "self4" && words(line).includes(network.host(name).addresses[4]));
        await traffic.until("the kernel told it", () => LATE.every(told));
        for (const name of LATE) {
          const address = network.host(name).addresses[4];
          const first = generations.find((lines) => lines.some((line) => words(line).includes(address)));
          const sets = first?.filter((line) => words(line).includes(address)).map((line) => words(line)[4]);
          expect(sets).toEqual(expect.arrayContaining(["ingress4", "egress4", "isolated4", "self4"]));
          expect(sets).toContainEqual(expect.stringMatching(/^pods4_shop\.app\.late/));
        }
      });
    }));

  it("--unknown-local-pods=drop: closed before, too; what is allowed begins with the pod's address and ends with the pod", () =>
    withNewPods(["--unknown-local-pods", "drop"], async ({ network, store, agent, traffic, friends, strangers }) => {
      const everybody = [...friends, ...strangers];
      await traffic.more(50, everybody);
      expect(everybody.map((stream) => stream.arrived.count)).toEqual(everybody.map(() => 0));
      await startPods(store, network, agent);
      const openFrom = new Map(friends.map((stream) => [stream, stream.sent]));
      await traffic.flowing(50, friends);
      const from = agent.log.length;
      const openUntil = new Map(friends.map((stream) => [stream, stream.sent]));
      for (const name of LATE) {
        deletePod(store, name);
        await agent.logged("rules changed", from);
      }
      await traffic.until("closed", () => friends.every((stream) => stream.sent > stream.arrived.last + 20));
      const closedFrom = new Map(friends.map((stream) => [stream, stream.arrived.last + 1]));
      await traffic.more(20, everybody);
      await traffic.finish([]);
      expect(strangers.map((stream) => [stream.spec.name, stream.arrived.count])).toEqual(
        strangers.map((stream) => [stream.spec.name, 0]),
      );
      for (const stream of friends) {
        const [open, end, closed] = [openFrom, openUntil, closedFrom].map((each) => each.get(stream) ?? 0);
        expect(stream.arrived.missing(open ?? 0, end ?? 0), stream.spec.name).toEqual([]);
        expect(stream.arrived.from(closed ?? 0), stream.spec.name).toEqual([]);
      }
    }));
});

/** As the kubelet tells it: first the pod, then its address. Resolves when both are in force. */
async function startPods(store: ObjectStore, network: PacketNetwork, agent: PacketAgent): Promise<void> {
  const labels = { app: "late" };
  for (const name of LATE) {
    putPod(store, { name, labels, nodeName: NODE_NAME, addresses: [] });
    const from = agent.log.length;
    putHost(store, network.host(name), labels);
    expect(await agent.logged("rules changed", from)).toMatchObject({ newLocalPods: 1 });
  }
}

async function withNewPods(args: readonly string[], body: (pods: NewPods) => Promise<void>): Promise<void> {
  await withPacketNetwork(HOSTS, (network) =>
    withApiServer(network.node, async ({ store, kubeconfig }) => {
      putNodes(store);
      putNamespace(store, "shop");
      putPolicy(store, "late", onlyWith("late", [{ podSelector: labelSelector({ app: "friend" }) }]));
      // The late pods are peers of an isolated one, too.
      putPolicy(store, "meter", onlyWith("meter", [{ podSelector: labelSelector({ app: "late" }) }]));
      putPod(store, { name: "meter", labels: { app: "meter" }, nodeName: NODE_NAME, addresses: ["10.244.1.250"] });
      const names = Object.keys(HOSTS).filter((name) => !name.startsWith("late"));
      for (const name of names) putHost(store, network.host(name), { app: name.slice(0, -2) });
      await withAgent(network.node, ["--kubeconfig", kubeconfig, ...args], (agent) =>
        withTraffic(async (traffic) => {
          let port = 7000;
          const start = (who: string): Stream[] =>
            [`${who}-r`, `${who}-b`, `${who}-o`].flatMap((other) =>
              LATE.flatMap((late) =>
                FAMILIES.flatMap((family) =>
                  [[other, late] as const, [late, other] as const].map(([source, target]) => {
                    const [from, to] = [network.host(source), network.host(target)];
                    return traffic.start({
                      name: `${source} > ${target}, IPv${family}`,
                      kind: "fresh-udp",
                      from: { ns: from.ns, address: from.addresses[family] },
                      to: { ns: to.ns, address: to.addresses[family], port: port++ },
                      perSecond: 100,
                    });
                  }),
                ),
              ),
            );
          const [friends, strangers] = [start("friend"), start("stranger")];
          await body({ network, store, agent, traffic, friends, strangers });
        }),
      );
    }),
  );
}

function lossesOf(streams: readonly Stream[], of = (stream: Stream) => stream.arrived.missing(0, stream.sent)) {
  return streams.map((stream) => [stream.spec.name, of(stream)]);
}

function words(line: string): readonly string[] {
  return line.split(/[\s,]+/);
}
