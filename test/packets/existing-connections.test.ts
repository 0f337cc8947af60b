// Connections that are there when policies tighten: those that are denied now are cut, TCP for good, in both directions, also
// behind a service's address; all others go on as if nothing had happened.

import { expect, it } from "vitest";
import { FAMILIES } from "../../src/net/address.ts";
import { CtnetlinkTracker } from "../../src/netlink/ctnetlink-tracker.ts";
import type { ObjectStore } from "../api-server/object-store.ts";
import { openNetlinkIn } from "../kernel/conntrack-namespace.ts";
import { describeKernel } from "../support/kernel.ts";
import { tierPods, tierRule } from "../support/lab-manifests.ts";
import { type PacketAgent, withAgent } from "../support/packet-agent.ts";
import { withApiServer } from "../support/packet-api-server.ts";
import { type PacketNetwork, withPacketNetwork } from "../support/packet-network.ts";
import { type Stream, TcpStream, UdpStream } from "../support/packet-streams.ts";
import { type PacketTraffic, withTraffic } from "../support/packet-traffic.ts";
import {
  deleteTierPolicy,
  installClusterPolicies,
  labelSelector,
  onlyWith,
  putPolicy,
  putTierPolicy,
} from "./cluster.ts";
import { loadServices, serviceAddress } from "./services.ts";
import { hostsOf, putShop, putShopPod, SHOP_HOSTS } from "./shop.ts";

/** From, to, and whether through the service's address. X is a friend, whose connections stay, or a stranger. */
const PAIRS: readonly (readonly [string, string, boolean])[] = [
  ["X-r", "web-r", false],
  ["X-b", "web-b", false],
  ["X-b", "web-b", true],
  ["X-o", "web-r", true],
  ["X-r", "web-b", true],
  ["web-r", "X-o", false],
  ["web-b", "X-r", true],
];

interface Situation {
  readonly network: PacketNetwork;
  readonly store: ObjectStore;
  readonly agent: PacketAgent;
}

interface Tightening {
  readonly how: string;
  /** Before the agent starts: a state in between would cut connections that had just begun. */
  open?(situation: Omit<Situation, "agent">): void;
  tighten(situation: Situation): Promise<void> | void;
}

const FRIENDS = { podSelector: labelSelector({ app: "friend" }) };
const STRANGERS = { podSelector: labelSelector({ app: "stranger" }) };
const GUESTS = { podSelector: labelSelector({ guest: "yes" }) };

const TIGHTENINGS: readonly Tightening[] = [
  {
    how: "a first policy",
    tighten: ({ store }) => putPolicy(store, "web", onlyWith("web", [FRIENDS])),
  },
  {
    how: "a policy that loses a peer",
    open: ({ store }) => putPolicy(store, "web", onlyWith("web", [FRIENDS, STRANGERS])),
    tighten: ({ store }) => putPolicy(store, "web", onlyWith("web", [FRIENDS])),
  },
  {
    how: "peers that lose their label",
    open({ store, network }) {
      putPolicy(store, "web", onlyWith("web", [FRIENDS, GUESTS]));
      for (const name of hostsOf("stranger")) putShopPod(store, network, name, { guest: "yes" });
    },
    tighten({ store, network }) {
      for (const name of hostsOf("stranger")) putShopPod(store, network, name, {});
    },
  },
  {
    how: "a first Admin policy",
    open: ({ store }) => installClusterPolicies(store),
    tighten: ({ store }) =>
      putTierPolicy(store, "web", "Admin", 10, ["web"], [tierRule("Deny", [tierPods("stranger")])]),
  },
  {
    how: "peers that get the label that an Admin policy denies",
    open({ store }) {
      installClusterPolicies(store);
      const guests = { pods: { namespaceSelector: {}, podSelector: labelSelector({ guest: "no" }) } };
      putTierPolicy(store, "web", "Admin", 10, ["web"], [tierRule("Deny", [guests])]);
    },
    tighten({ store, network }) {
      for (const name of hostsOf("stranger")) putShopPod(store, network, name, { guest: "no" });
    },
  },
  {
    how: "an Accept of the Admin tier that goes before a policy that never allowed it",
    open({ store }) {
      installClusterPolicies(store);
      putTierPolicy(store, "web", "Admin", 10, ["web"], [tierRule("Accept", [tierPods("stranger")])]);
      putPolicy(store, "web", onlyWith("web", [FRIENDS]));
    },
    tighten: ({ store }) => deleteTierPolicy(store, "web"),
  },
  {
    how: "a policy that came while the agent was away",
    async tighten({ store, agent }) {
      await agent.end("SIGKILL");
      putPolicy(store, "web", onlyWith("web", [FRIENDS]));
      await agent.start();
    },
  },
];

const CUT = "connections cut that policies no longer allow";

describeKernel("existing connections", () => {
  it.each(TIGHTENINGS)("$how: exactly what it denies is cut", ({ open, tighten }) =>
    withOpenConnections([], open, async ({ traffic, friends, strangers, ...situation }) => {
      const { agent, network } = situation;
      const entries = await tracked(network, friends);
      await tighten(situation);
      await traffic.until("all of them cut", () => cutBy(agent) >= strangers.length);
      const udp = strangers.filter((stream) => stream instanceof UdpStream);
      const connections = strangers.filter((stream) => stream instanceof TcpStream);
      const retries = connections.map((stream) => stream.retries());
      await traffic.closed(udp);
      const before = strangers.map((stream) => arrivals(stream));
      for (const stream of connections) stream.sendBack(1_000_000);
      await traffic.until("both ends tried to go on", () =>
        connections.every((stream, index) => stream.retries() > (retries[index] ?? 0)),
      );
      await traffic.more(20, udp);
      await traffic.flowing(20, friends);
      expect(strangers.map((stream) => arrivals(stream))).toEqual(before);
      await traffic.finish(friends);
      expect(friends.map((stream) => [stream.spec.name, stream.arrived.missing(0, stream.sent)])).toEqual(
        friends.map((stream) => [stream.spec.name, []]),
      );
      expect(entries).toHaveLength(friends.length);
      expect(await tracked(network, friends)).toEqual(expect.arrayContaining([...entries]));
    }),
  );

  it("an answer that was under way when its UDP flow was cut does not open it again", () =>
    withOpenConnections([], undefined, async ({ traffic, strangers, network, store, agent }) => {
      const toWeb = strangers.filter((stream) =>
        hostsOf("web").some((name) => network.host(name).ns === stream.spec.to.ns),
      );
      const udp = toWeb.filter((stream) => stream instanceof UdpStream);
      for (const stream of udp) stream.holdsAnswers = true;
      await traffic.until("answers held back", () => udp.every((stream) => stream.arrived.last > stream.answered.last));
      // What the web sends is not judged: its answers may leave.
      putPolicy(store, "web", { ...onlyWith("web", [FRIENDS]), policyTypes: ["Ingress"] });
      await traffic.until("all of them cut", () => cutBy(agent) >= toWeb.length);
      for (const stream of udp) stream.holdsAnswers = false;
      // An answer opens the way back for a moment: the agent sees it and closes it.
      await traffic.closed(udp);
      const before = udp.map((stream) => arrivals(stream));
      await traffic.more(20, udp);
      expect(udp.map((stream) => arrivals(stream))).toEqual(before);
      expect(cutBy(agent)).toBeGreaterThan(toWeb.length);
    }));

  it("--existing-connections=keep: all of them go on, new ones that are denied do not begin", () =>
    withOpenConnections(["--existing-connections", "keep"], undefined, async (connections) => {
      const { traffic, friends, strangers, network, store, agent } = connections;
      const from = agent.log.length;
      putPolicy(store, "web", onlyWith("web", [FRIENDS]));
      await agent.logged("rules changed", from);
      await traffic.flowing(20, [...friends, ...strangers]);
      const [source, target] = [network.host("stranger-r"), network.host("web-r")];
      const fresh = FAMILIES.map((family) =>
        traffic.start({
          name: `new, IPv${family}`,
          kind: "fresh-udp",
          from: { ns: source.ns, address: source.addresses[family] },
          to: { ns: target.ns, address: target.addresses[family], port: 7900 + family },
          perSecond: 200,
        }),
      );
      await traffic.more(50, fresh);
      await traffic.finish([...friends, ...strangers]);
      expect(fresh.map((stream) => stream.arrived.count)).toEqual([0, 0]);
      expect(agent.lines(CUT)).toEqual([]);
    }));
});

interface OpenConnections extends Situation {
  readonly traffic: PacketTraffic;
  readonly friends: readonly Stream[];
  readonly strangers: readonly Stream[];
}

/** Connections of friends and strangers, which flow; the policies allow both. */
async function withOpenConnections(
  args: readonly string[],
  open: Tightening["open"],
  body: (connections: OpenConnections) => Promise<void>,
): Promise<void> {
  await withPacketNetwork(SHOP_HOSTS, (network) =>
    withApiServer(network.node, async ({ store, kubeconfig }) => {
      putShop(store, network);
      await loadServices(network, Object.keys(SHOP_HOSTS));
      open?.({ network, store });
      await withAgent(network.node, ["--kubeconfig", kubeconfig, ...args], (agent) =>
        withTraffic(async (traffic) => {
          let port = 7000;
          const connect = (who: string): Stream[] =>
            PAIRS.flatMap(([source, target, throughService]) => {
              const from = network.host(source.replace("X", who));
              const to = network.host(target.replace("X", who));
              return FAMILIES.flatMap((family) =>
                (["tcp", "udp"] as const).map((kind) => {
                  const end = { ns: to.ns, address: to.addresses[family], port: port++ };
                  const service = { address: serviceAddress(network, to.name, family), port: end.port };
                  return traffic.start({
                    name: `${from.name} > ${throughService ? "service of " : ""}${to.name}, ${kind}, IPv${family}`,
                    kind,
                    from: { ns: from.ns, address: from.addresses[family] },
                    to: end,
                    dials: throughService ? service : undefined,
                    perSecond: 50,
                  });
                }),
              );
            });
          const [friends, strangers] = [connect("friend"), connect("stranger")];
          await traffic.flowing(5, [...friends, ...strangers]);
          await body({ network, store, agent, traffic, friends, strangers });
        }),
      );
    }),
  );
}

/** What the kernel calls the connections of these streams: another one in the same place would have another name. */
async function tracked(network: PacketNetwork, streams: readonly Stream[]): Promise<readonly unknown[]> {
  const tracker = await CtnetlinkTracker.start(await openNetlinkIn(network.node));
  try {
    const connections = (await Promise.all(FAMILIES.map((family) => tracker.list(family)))).flat();
    const ports = new Set(streams.map((stream) => stream.spec.to.port));
    return connections.filter(({ reply }) => ports.has(reply.sourcePort)).map(({ handle }) => handle);
  } finally {
    tracker.close();
  }
}

/** How many connections it says that it has cut. */
function cutBy(agent: PacketAgent): number {
  return agent.lines(CUT).reduce((sum, line) => sum + Number(line.cut), 0);
}

function arrivals(stream: Stream): string {
  stream.receive();
  return `${stream.spec.name}: ${stream.arrived.count} there, ${stream.answered.count} back`;
}
