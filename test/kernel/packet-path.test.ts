// Whether the agent finds out that pods' packets pass it by, on nodes made of namespaces, with real packets and real rules.
// Topologies that this kernel cannot make (Open vSwitch, ipvlan, Cilium) are data in src/agent/packet-path.test.ts.

import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { realClock } from "../../src/agent/clock.ts";
import { NftCrossingMeter } from "../../src/agent/packet-path/meter.ts";
import type { PairCount } from "../../src/agent/packet-path/meter-rules.ts";
import { type Address, FAMILIES } from "../../src/net/address.ts";
import { describeKernel } from "../support/kernel.ts";
import { type Netns, withNetns } from "../support/netns.ts";
import { nftBinaries } from "../support/nft-binaries.ts";
import { withNftIn } from "../support/nft-in-netns.ts";
import { until } from "../support/until.ts";
import { bridgePods, ipIn, routePods, type TestNode, whilePodsTalk, withTestNode } from "./packet-path-node.ts";

const CALLS = ["net/bridge/bridge-nf-call-iptables", "net/bridge/bridge-nf-call-ip6tables"] as const;
const FORWARDING = ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"] as const;
const WINDOW_MS = 1_000;

async function setAll(node: TestNode, paths: readonly string[], value: "0" | "1"): Promise<void> {
  for (const path of paths) await node.setSysctl(path, value);
}

const valuesOf = (node: TestNode, paths: readonly string[]) => Promise.all(paths.map((path) => node.sysctl(path)));
const measure = (node: TestNode) => whilePodsTalk(node, FAMILIES, () => node.look({ windowMs: WINDOW_MS }));
const measureBypass = (node: TestNode, pods: number, families = FAMILIES) =>
  whilePodsTalk(node, families, () => node.look({ windowMs: WINDOW_MS, until: { code: "measured-bypass", pods } }));
const codesOf = ({ findings }: Awaited<ReturnType<TestNode["look"]>>) => findings.map(({ code }) => code);
const allPods = (node: TestNode) => node.pods.flatMap(({ ip4, ip6 }) => [ip4, ip6]).toSorted();

async function tablesIn(ns: Netns): Promise<string> {
  return (await ns.run(["nft", "list", "tables"])).stdout;
}

/** What comes in by the one interface goes out by the other, before the IP stack sees it. */
async function redirect(node: TestNode, protocol: "ip" | "all", from: string, to: string): Promise<void> {
  for (const command of [
    `qdisc add dev ${from} clsact`,
    `filter add dev ${from} ingress protocol ${protocol} u32 match u32 0 0 action mirred egress redirect dev ${to}`,
  ]) {
    expect(await node.ns.run(["tc", ...command.split(" ")])).toMatchObject({ stderr: "", code: 0 });
  }
}

describeKernel("the packet path of bridged pods", () => {
  it("misses packets while bridge-nf-call is off: the switches are named, and it is measured", () =>
    withTestNode(async (node) => {
      await bridgePods(node);
      await setAll(node, CALLS, "0");
      const answer = await measureBypass(node, 4);
      expect(codesOf(answer)).toEqual(["bridge-calls-off", "bridge-calls-off", "measured-bypass"]);
      expect(answer.findings[0]?.message).toBe(
        "net.bridge.bridge-nf-call-iptables is 0: IPv4 packets from pod to pod on the bridge cni0 do not cross the rules (pods 10.9.0.1, 10.9.0.2)",
      );
      expect(answer.findings[2]?.pods.toSorted()).toEqual(allPods(node));
      expect(answer.podsSeenCrossing).toBe(false);
      expect(await tablesIn(node.ns)).toBe("");
    }));

  it("misses packets of the one family whose switch is off, and of no other", () =>
    withTestNode(async (node) => {
      await bridgePods(node);
      await setAll(node, CALLS, "1");
      await node.setSysctl(CALLS[1], "0");
      const answer = await measureBypass(node, 2);
      expect(codesOf(answer)).toEqual(["bridge-calls-off", "measured-bypass"]);
      const ip6 = node.pods.map((pod) => pod.ip6);
      expect(answer.findings.map(({ pods }) => pods.toSorted())).toEqual([ip6, ip6]);
    }));

  it.each([
    ["with bridge-nf-call", async (node: TestNode) => setAll(node, CALLS, "1")],
    [
      "with the bridge's own switch for it",
      async (node: TestNode) => {
        await setAll(node, CALLS, "0");
        await node.ip("link set cni0 type bridge nf_call_iptables 1 nf_call_ip6tables 1");
      },
    ],
  ])("is fine %s, and packets are seen to cross", (_name, prepare) =>
    withTestNode(async (node) => {
      await bridgePods(node);
      await prepare(node);
      expect(await measure(node)).toMatchObject({ findings: [], log: [], podsSeenCrossing: true });
    }),
  );
});

describeKernel("the packet path of routed pods", () => {
  it("is fine, and packets are seen to cross", () =>
    withTestNode(async (node) => {
      await routePods(node);
      await setAll(node, CALLS, "0");
      expect(await measure(node)).toMatchObject({ findings: [], log: [], podsSeenCrossing: true });
    }));

  it("is fine where policies drop everything that pods send", () =>
    withTestNode(async (node) => {
      await routePods(node);
      await node.ns.run(["nft", "add table inet nftpol"]);
      await node.ns.run([
        "nft",
        "add chain inet nftpol forward { type filter hook forward priority -5; policy drop; }",
      ]);
      expect(await measure(node)).toMatchObject({ findings: [], log: [], podsSeenCrossing: false });
    }));

  it("is fine where connection tracking is off for their packets", () =>
    withTestNode(async (node) => {
      await routePods(node);
      await node.ns.run(["nft", "add table inet raw"]);
      await node.ns.run(["nft", "add chain inet raw pre { type filter hook prerouting priority raw; }"]);
      await node.ns.run(["nft", "add rule inet raw pre notrack"]);
      expect(await measure(node)).toMatchObject({ findings: [], log: [], podsSeenCrossing: true });
    }));

  it("is fine where packets take a detour through an ifb, as bandwidth limits of pods make them", () =>
    withTestNode(async (node) => {
      await routePods(node);
      await node.ip("link add ifb7 type ifb", "link set ifb7 up");
      for (const { port } of node.pods) await redirect(node, "all", port, "ifb7");
      expect(await measure(node)).toMatchObject({ findings: [], log: [], podsSeenCrossing: true });
    }));

  it("misses packets that something redirects past the stack, as eBPF host routing does: it is measured", () =>
    withTestNode(async (node) => {
      await routePods(node);
      const [a, b] = node.pods;
      await redirect(node, "ip", a.port, b.port);
      await redirect(node, "ip", b.port, a.port);
      const answer = await measureBypass(node, 4, [4]);
      expect(codesOf(answer)).toEqual(["measured-bypass"]);
      expect(answer.findings[0]?.pods.toSorted()).toEqual(allPods(node));
      expect(answer.findings[0]?.message).toMatch(/\(at v[ab] for one\)$/);
    }));

  it("says that forwarding is off, unless it is on for the pods' own interfaces", () =>
    withTestNode(async (node) => {
      await routePods(node);
      await setAll(node, FORWARDING, "0");
      expect((await node.look()).findings.map(({ code, family }) => `${code} ${family}`)).toEqual([
        "forwarding-off 4",
        "forwarding-off 6",
      ]);
      for (const { port } of node.pods) await node.setSysctl(`net/ipv4/conf/${port}/forwarding`, "1");
      expect((await node.look()).findings.map(({ code, family }) => `${code} ${family}`)).toEqual(["forwarding-off 6"]);
    }));
});

describeKernel("the packet path of pods that the node does not carry", () => {
  it("is named for macvlan once the route has settled", () =>
    withTestNode(async (node) => {
      // va is the node's uplink here: in its other namespace is the rest of the network.
      await node.ip("addr add 10.9.0.254/24 dev va", "route add default via 10.9.0.253");
      await withNetns(async (pod) => {
        await node.ip("link add mv0 link va type macvlan mode bridge", `link set mv0 netns ${pod.name}`);
        await ipIn(pod, "link set mv0 up", "addr add 10.9.0.7/24 dev mv0");
        const pods = ["10.9.0.7"];
        expect((await node.look({ pods })).findings).toEqual([]);
        expect((await node.look({ pods, looks: 2 })).findings).toMatchObject([
          { code: "route-leaves-node", interfaceName: "va", pods },
        ]);
      });
    }));

  it("is named for pods without a route once that has settled", () =>
    withTestNode(async (node) => {
      await node.ip("route add blackhole 10.8.0.0/24");
      const pods = ["10.8.0.1", "203.0.113.9", "fd08::1"];
      expect((await node.look({ pods })).findings).toEqual([]);
      expect((await node.look({ pods, looks: 2 })).findings).toMatchObject([{ code: "no-route", pods }]);
    }));
});

describeKernel("with --manage-sysctls", () => {
  it("sets what pods need and nothing else", () =>
    withTestNode(async (node) => {
      const others = ["net/bridge/bridge-nf-call-arptables", "net/bridge/bridge-nf-filter-vlan-tagged"];
      await setAll(node, [...CALLS, ...FORWARDING, ...others], "0");
      expect((await node.look({ pods: [], manage: true, windowMs: 0 })).log).toEqual([]);
      await bridgePods(node);
      const answer = await node.look({ pods: node.pods.map(({ ip4 }) => ip4), manage: true, windowMs: 0 });
      expect(answer.findings).toEqual([]);
      // They are set side by side.
      expect(answer.log.map(({ message, fields }) => `${message} ${fields.sysctl}`).sort()).toEqual([
        "sysctl set net.bridge.bridge-nf-call-iptables",
        "sysctl set net.ipv4.ip_forward",
      ]);
      expect(await valuesOf(node, [...CALLS, ...FORWARDING, ...others])).toEqual(["1", "0", "1", "0", "0", "0"]);
    }));

  it("leaves IPv6 forwarding alone where the node's routes are advertised to it", () =>
    withTestNode(async (node) => {
      await setAll(node, FORWARDING, "0");
      await node.ip("link add up0 type veth peer name up1", "link set up0 up", "link set up1 up");
      await node.ip("addr add fd99::1/64 dev up0 nodad", "route add default via fd99::fe dev up0");
      await routePods(node);
      const pods = node.pods.map(({ ip6 }) => ip6);
      const answer = await node.look({ pods, manage: true, windowMs: 0 });
      expect(answer.findings).toMatchObject([
        { code: "forwarding-off", hint: expect.stringContaining("accept_ra = 2") },
      ]);
      expect(await node.sysctl(FORWARDING[1])).toBe("0");
      await node.setSysctl("net/ipv6/conf/up0/accept_ra", "2");
      expect((await node.look({ pods, manage: true, windowMs: 0 })).findings).toEqual([]);
      expect(await node.sysctl(FORWARDING[1])).toBe("1");
    }));

  // In a mount namespace of its own, which `ip netns exec` makes.
  const READ_ONLY = "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys";

  it("says why it cannot: /proc/sys is read-only, as containers have it", () =>
    withTestNode(async (node) => {
      await bridgePods(node);
      await setAll(node, CALLS, "0");
      const answer = await node.look({ manage: true, windowMs: 0 }, ["sh", "-c", `${READ_ONLY} && exec "$@"`, "sh"]);
      expect(answer.findings.map(({ hint }) => hint)).toEqual([
        expect.stringMatching(
          /^net\.bridge\.bridge-nf-call-iptables cannot be set: \/proc\/sys is mounted read-only; mount /,
        ),
        expect.stringMatching(/^net\.bridge\.bridge-nf-call-ip6tables cannot be set: /),
      ]);
      expect(answer.log.filter(({ message }) => message === "sysctl cannot be set")).toHaveLength(2);
      expect(await valuesOf(node, CALLS)).toEqual(["0", "0"]);
    }));

  it("does it through another mount of /proc/sys/net, with CAP_NET_ADMIN alone", () =>
    withTestNode(async (node) => {
      await bridgePods(node);
      await setAll(node, CALLS, "0");
      const mount = "mount -t tmpfs none /mnt && mkdir /mnt/net && mount --bind /proc/sys/net /mnt/net";
      const drop = "setpriv --reuid 65532 --clear-groups --inh-caps -all,+net_admin --ambient-caps -all,+net_admin";
      const wrapper = ["sh", "-c", `${mount} && ${READ_ONLY} && exec ${drop} "$@"`, "sh"];
      const answer = await node.look({ manage: true, windowMs: 0, sysctlRoot: "/mnt" }, wrapper);
      expect(answer.findings).toEqual([]);
      expect(await valuesOf(node, CALLS)).toEqual(["1", "1"]);
    }));
});

describeKernel("a measurement", () => {
  it.each(nftBinaries())("counts with the nft of $origin", ({ path }) =>
    withTestNode(async (node) => {
      await bridgePods(node);
      const [a, b] = node.pods;
      await withNftIn(node.ns, path, async ({ launcher }) => {
        const meter = new NftCrossingMeter(realClock, { binary: launcher, timeoutMs: 30_000 });
        await whilePodsTalk(node, FAMILIES, () =>
          until("the pair is counted at both ends", async () => {
            const crossings = await meter.measure({
              addresses: node.pods.flatMap(({ ip4, ip6 }) => [ip4, ip6]) as Address[],
              // The one port as a bridge's, the other as if it were a pod's own: both kinds of rules are tried.
              ports: { switched: [b.port], own: new Map([[a.port, [a.ip4 as Address]]]) },
              windowMs: 200,
              signal: new AbortController().signal,
            });
            const counts = (pairs: readonly PairCount[] = []) =>
              pairs.some(({ source, destination }) => source === a.ip4 && destination === b.ip4);
            return counts(crossings?.crossed) && counts(crossings?.delivered);
          }),
        );
      });
    }),
  );

  it("leaves no table behind when it is killed in the middle", () =>
    withTestNode(async (node) => {
      await routePods(node);
      const look = node.look({ windowMs: 600_000 });
      const killed = expect(look).rejects.toThrow("137");
      await until("both tables are there", async () => {
        const tables = await tablesIn(node.ns);
        return tables.includes("inet nftpol_path") && tables.includes("netdev nftpol_path");
      });
      for (const pid of await looksIn(node)) process.kill(pid, "SIGKILL");
      await killed;
      await until("the tables are gone", async () => (await tablesIn(node.ns)) === "");
    }));
});

/** Our own processes in the node's namespace, without the nft that they hold. */
async function looksIn(node: TestNode): Promise<readonly number[]> {
  const pids = (await node.ns.run(["ip", "netns", "pids", node.ns.name])).stdout.split("\n").filter(Boolean);
  return pids.filter((pid) => commandLine(pid).includes("packet-path-look.ts")).map(Number);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}
