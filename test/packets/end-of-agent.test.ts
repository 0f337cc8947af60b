// The end of an agent: SIGTERM leaves its rules, `nftpol cleanup` removes them and nothing else; `nftpol status` tells what is.

import { expect, it } from "vitest";
import { FAMILIES } from "../../src/net/address.ts";
import { describeKernel } from "../support/kernel.ts";
import type { Netns } from "../support/netns.ts";
import { runNftpolIn, withAgent } from "../support/packet-agent.ts";
import { withApiServer } from "../support/packet-api-server.ts";
import { type PacketNetwork, withPacketNetwork } from "../support/packet-network.ts";
import type { Stream } from "../support/packet-streams.ts";
import { type PacketTraffic, withTraffic } from "../support/packet-traffic.ts";
import { labelSelector, onlyWith, putHost, putNamespace, putNodes, putPolicy } from "./cluster.ts";
import { loadServices } from "./services.ts";

const HOSTS = { "web-b": "bridged", "friend-b": "bridged", "stranger-r": "routed" } as const;

/** Tables with names like ours; what is in them is nobody's business. */
const FOREIGN = `
table ip nftpol { chain forward { type filter hook forward priority 5; policy accept; }; }
table inet nftpol2 {
  set isolated4 { typeof ip saddr; size 64; elements = { 10.244.1.10 } }
  chain forward { type filter hook forward priority -5; policy accept; ip saddr @isolated4 accept; }
}
`;

describeKernel("the end of an agent", () => {
  it("SIGTERM leaves the rules, cleanup opens and leaves all other tables as they are, status tells the difference", () =>
    withPacketNetwork(HOSTS, (network) =>
      withApiServer(network.node, async ({ store, kubeconfig }) => {
        const { node } = network;
        putNodes(store);
        putNamespace(store, "shop");
        for (const name of Object.keys(HOSTS)) putHost(store, network.host(name), { app: name.slice(0, -2) });
        putPolicy(store, "web", onlyWith("web", [{ podSelector: labelSelector({ app: "friend" }) }]));
        await loadServices(network, Object.keys(HOSTS));
        expect(await node.run(["nft", "-f", "-"], { input: FOREIGN })).toMatchObject({ code: 0 });
        const others = await otherTables(node);
        expect(others.length).toBe(3);
        await withAgent(node, ["--kubeconfig", kubeconfig], (agent) =>
          withTraffic(async (traffic) => {
            const friends = startStreams(traffic, network, "friend-b", 7000);
            const strangers = startStreams(traffic, network, "stranger-r", 7100);
            await traffic.flowing(20, friends);
            expect(await runNftpolIn(node, "status")).toMatchObject({
              code: 0,
              stdout: expect.stringMatching(/^rules +in force/m),
            });
            expect(await status(node)).toMatchObject({ kind: "AgentStatus", policies: 1, sync: { inForce: true } });

            expect(await agent.end("SIGTERM")).toBe(0);
            await traffic.flowing(50, friends);
            await traffic.more(50, strangers);
            expect(await runNftpolIn(node, "status")).toMatchObject({
              code: 1,
              stderr: expect.stringContaining("the rules of an earlier one are in the kernel and go on being enforced"),
            });
            expect(await runNftpolIn(node, "cleanup", "--dry-run")).toMatchObject({
              code: 0,
              stdout: "would remove table inet nftpol\n",
            });
            await traffic.more(20, strangers);
            expect(strangers.map((stream) => stream.arrived.count)).toEqual(strangers.map(() => 0));

            expect(await runNftpolIn(node, "cleanup")).toMatchObject({
              code: 0,
              stdout: "removed table inet nftpol\n",
            });
            await traffic.flowing(20, [...friends, ...strangers]);
            expect(await otherTables(node)).toEqual(others);
            expect(await runNftpolIn(node, "cleanup")).toMatchObject({
              code: 0,
              stdout: "nothing to remove: there are no rules of nftpol in this kernel\n",
            });
            expect(await runNftpolIn(node, "status")).toMatchObject({
              code: 1,
              stderr: expect.stringContaining("nothing is enforced"),
            });
            await traffic.finish(friends);
            expect(friends.map((stream) => stream.arrived.missing(0, stream.sent))).toEqual(friends.map(() => []));
          }),
        );
      }),
    ));
});

function startStreams(
  traffic: PacketTraffic,
  network: PacketNetwork,
  who: string,
  firstPort: number,
): readonly Stream[] {
  const [from, to] = [network.host(who), network.host("web-b")];
  return FAMILIES.map((family) =>
    traffic.start({
      name: `${who} > web-b, IPv${family}`,
      kind: "fresh-udp",
      from: { ns: from.ns, address: from.addresses[family] },
      to: { ns: to.ns, address: to.addresses[family], port: firstPort + family },
      perSecond: 100,
    }),
  );
}

async function status(node: Netns): Promise<unknown> {
  return JSON.parse((await runNftpolIn(node, "status", "-o", "json")).stdout) as unknown;
}

/** Every table but ours, to the letter and the handle. */
async function otherTables(node: Netns): Promise<readonly string[]> {
  const { stdout } = await node.run(["nft", "list", "tables"]);
  const tables = stdout.split("\n").filter((line) => line !== "" && line !== "table inet nftpol");
  return await Promise.all(
    tables.map(async (table) => (await node.run(["nft", "-a", "list", ...table.split(" ")])).stdout),
  );
}
