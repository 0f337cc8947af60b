// Real packets with iptables in places where others write, too: kube-proxy, restores of whole tables, flushes; and while programs are
// killed in the middle of their work.

import { describe, expect, it } from "vitest";
import { FAMILIES } from "../../src/net/address.ts";
import { describeKernel } from "../support/kernel.ts";
import type { Stream } from "../support/packet-streams.ts";
import { iptablesWays } from "../support/packet-ways.ts";
import { sufferForeignCommand, sufferForeignCommandAmidChanges } from "./foreign-command.ts";
import { killProgram, written } from "./killed-programs.ts";
import { KubeProxyRules, type Variant } from "./kube-proxy-iptables.ts";
import { type RunningShop, SEED, withRunningShop } from "./running-shop.ts";
import { serviceAddress } from "./services.ts";
import { harmTo, SHOP_HOSTS } from "./shop.ts";

const REPAIRED = "somebody changed our table: repaired";

describeKernel(`iptables beside others, under traffic (seed ${SEED})`, () => {
  describe.each(iptablesWays())("$name", (way) => {
    const variant = way.name.replace("iptables-", "") as Variant;
    const both = (command: string) =>
      ["iptables", "ip6tables"].map((tool) => command.replaceAll("IPTABLES", `${tool}-${variant}`)).join("; ");

    it("kube-proxy goes before us and syncs, others restore nat and mangle: no harm to either, and our jump is first again", () =>
      withRunningShop({ way }, async (shop) => {
        const { agent, network, traffic, streams, changeFor } = shop;
        const proxy = new KubeProxyRules(network, variant, Object.keys(SHOP_HOSTS));
        const from = agent.log.length;
        await proxy.start();
        const services = startServiceStreams(shop);
        await agent.logged(REPAIRED, from);
        await traffic.flowing(5, [...streams.allowed, ...services.allowed]);
        const nat = await proxy.saved("nat");
        const kubeForward = ownLines(await proxy.saved("filter"), "KUBE-");
        for (let round = 0; round < 3; round++) {
          await changeFor(100);
          await proxy.sync();
          await changeFor(100);
          await proxy.restoreOtherTables();
        }
        await traffic.finish([...streams.allowed, ...services.allowed]);
        expect(await proxy.saved("nat")).toBe(nat);
        expect(ownLines(await proxy.saved("filter"), "KUBE-")).toEqual(kubeForward);
        expect(firstRules(await proxy.saved("filter"))).toEqual([
          "-A FORWARD -m comment --comment nftpol -j NFTPOL-FORWARD",
          "-A FORWARD -m comment --comment nftpol -j NFTPOL-FORWARD",
        ]);
        // What kube-proxy's own rules accept before us is what it marked or knew: nothing denied.
        expect(
          harmTo({
            allowed: [...streams.allowed, ...services.allowed],
            denied: [...streams.denied, ...services.denied],
          }),
        ).toEqual([]);
      }));

    // Each variant suffers two of the four.
    const suffered = {
      nft: ["FORWARD is flushed", "the table filter is restored without our chains"],
      legacy: ["everything is flushed", "somebody accepts everything before us"],
    }[variant];
    const commands: readonly (readonly [string, string])[] = [
      ["FORWARD is flushed", both("IPTABLES -w -F FORWARD")],
      ["everything is flushed", both("IPTABLES -w -F")],
      [
        "the table filter is restored without our chains",
        both("echo '*filter\n:INPUT ACCEPT\n:FORWARD ACCEPT\n:OUTPUT ACCEPT\nCOMMIT' | IPTABLES-restore -w 5"),
      ],
      ["somebody accepts everything before us", both("IPTABLES -w -I FORWARD 1 -j ACCEPT")],
    ];
    it.each(commands.filter(([name]) => suffered.includes(name)))(
      "%s: what is allowed stays so; what is denied is open until the agent goes on, and then closed, connections too",
      (_, command) =>
        withRunningShop({ way }, async (shop) => {
          await keepTracking(shop, both);
          await sufferForeignCommand(shop, command);
        }),
    );

    it("FORWARD is flushed, and changes go on: what is allowed stays so, what is denied is soon closed again", () =>
      withRunningShop({ way }, (shop) => sufferForeignCommandAmidChanges(shop, both("IPTABLES -w -F FORWARD"))));

    it("a program that is killed in the middle of its work, or at any other moment, harms nothing", () =>
      withRunningShop({ way }, async (shop) => {
        const { agent, traffic, streams, changeFor, random } = shop;
        for (let round = 0; round < 3; round++) {
          await changeFor(random() * 200);
          const from = agent.log.length;
          await killProgram(shop);
          // While it repairs, too.
          if (round % 2 === 1) await killProgram(shop);
          await written(shop, from);
        }
        await traffic.finish(streams.allowed);
        expect(harmTo(streams)).toEqual([]);
      }));

    it("an agent that is killed at any moment and started again harms nothing", () =>
      withRunningShop({ way }, async ({ agent, traffic, streams, changeFor, random }) => {
        for (let life = 0; life < 2; life++) {
          await changeFor(random() * 600);
          await agent.end("SIGKILL");
          await changeFor(random() * 200);
          const from = agent.log.length;
          await agent.start();
          expect(agent.lines("rules in force", from)).toMatchObject([{ how: "adopted" }]);
        }
        await changeFor(200);
        await traffic.finish(streams.allowed);
        expect(harmTo(streams)).toEqual([]);
      }));
  });

  it("an agent that changes from nft to iptables, from variant to variant and back harms nothing, and leaves one set of rules", () =>
    withRunningShop({ agentArgs: ["--backend", "nft"] }, async ({ agent, network, traffic, streams, changeFor }) => {
      for (const words of [
        ["--backend", "iptables", "--iptables-variant", "nft"],
        ["--backend", "iptables", "--iptables-variant", "legacy"],
        ["--backend", "nft"],
      ]) {
        await changeFor(200);
        await agent.end("SIGKILL");
        await changeFor(50);
        agent.changeArguments(words);
        const from = agent.log.length;
        await agent.start();
        await agent.logged("removed", from);
        await changeFor(200);
        expect(await heldRules(network.node)).toEqual([words.filter((word) => !word.startsWith("--")).join("-")]);
      }
      await traffic.finish(streams.allowed);
      expect(harmTo(streams)).toEqual([]);
    }));
});

/** As any service proxy: without a rule that asks for connections the kernel would not track them while ours are gone. */
async function keepTracking({ network }: RunningShop, both: (command: string) => string): Promise<void> {
  const command = both("IPTABLES -w -t nat -A POSTROUTING -m conntrack --ctstate INVALID -j RETURN");
  expect(await network.node.run(["sh", "-ec", command])).toMatchObject({ code: 0 });
}

/** Which of the ways have rules of ours. */
async function heldRules(node: RunningShop["network"]["node"]): Promise<readonly string[]> {
  const held: string[] = [];
  const ask = async (argv: readonly string[]) => (await node.run([...argv])).stdout;
  if (/^table inet nftpol$/m.test(await ask(["nft", "list", "tables"]))) held.push("nft");
  for (const variant of ["nft", "legacy"])
    if (/NFTPOL-/.test(await ask([`iptables-${variant}-save`, "-t", "filter"]))) held.push(`iptables-${variant}`);
  return held;
}

/** Friends and strangers through a service's address. */
function startServiceStreams({ network, traffic }: RunningShop): {
  readonly allowed: readonly Stream[];
  readonly denied: readonly Stream[];
} {
  let port = 7900;
  const start = (who: string): Stream[] =>
    ["r", "b", "o"].flatMap((place) => {
      const [from, to] = [network.host(`${who}-${place}`), network.host("web-b")];
      return FAMILIES.map((family) => {
        const end = { ns: to.ns, address: to.addresses[family], port: port++ };
        return traffic.start({
          name: `${from.name} > service of ${to.name}, IPv${family}`,
          kind: "fresh-udp",
          from: { ns: from.ns, address: from.addresses[family] },
          to: end,
          dials: { address: serviceAddress(network, to.name, family), port: end.port },
          perSecond: 50,
        });
      });
    });
  return { allowed: start("friend"), denied: start("stranger") };
}

function ownLines(saved: string, prefix: string): readonly string[] {
  return saved.split("\n").filter((line) => line.startsWith(`-A ${prefix}`) || line.startsWith(`:${prefix}`));
}

/** Of FORWARD, of both families. */
function firstRules(saved: string): readonly string[] {
  return saved
    .split("COMMIT")
    .flatMap((family) => family.split("\n").find((line) => line.startsWith("-A FORWARD")) ?? []);
}
