// The API server gone for a whole minute under traffic, while its objects change. Owns the minute, and what packets may do when.
//
//   before      first half          second half            afterwards
//   policy 1    packets vanish      connections are cut    the agent hears of 2 and 3, soon
//                 policy 2            policy 3

import { expect } from "vitest";
import { FAMILIES } from "../../src/net/address.ts";
import { runNftpolIn } from "../support/packet-agent.ts";
import { API_SERVER_PORT } from "../support/packet-api-server.ts";
import type { PacketNetwork } from "../support/packet-network.ts";
import type { Stream, StreamSpec } from "../support/packet-streams.ts";
import type { PacketTraffic } from "../support/packet-traffic.ts";
import { labelSelector, onlyWith, putHost, putPolicy } from "./cluster.ts";
import { type RunningShop, withRunningShop } from "./running-shop.ts";
import { harmTo } from "./shop.ts";

const OUTAGE_MS = 60_000;
/** Each resource is asked for again after a pause of its own, 30 s at most. */
const SOON_MS = 30_000 + 10_000;
const CHANGE_EVERY_MS = 200;
/** Pods, namespaces, nodes, policies, and of the other kinds of policies the one that is installed. */
const RESOURCES = 5;
const NOT_INSTALLED = 2;

/** Who may talk to the desk: by policies 1 and 2, by 2 alone, by 3 alone. */
const GUESTS = ["until-3", "only-2", "from-3"] as const;
type Guest = (typeof GUESTS)[number];
type GuestFlows = Readonly<Record<Guest, readonly Stream[]>>;
const HOSTS = { desk: "bridged", "until-3": "routed", "only-2": "outside", "from-3": "bridged" } as const;

export async function goThroughOutage(): Promise<void> {
  await withRunningShop({ hosts: HOSTS, lightTraffic: true }, async (shop) => {
    const { network, api, agent, traffic, streams, changeFor } = shop;
    const before = agent.log.length;
    for (const name of Object.keys(HOSTS)) putHost(api.store, network.host(name), { app: name });
    allowOnly(shop, ["until-3"]);
    await agent.logged("rules changed", before);
    const flows = startGuestFlows(traffic, network);
    await traffic.flowing(5, flows["until-3"]);

    await outage(shop);
    expect(await statusOf(shop)).toMatchObject({
      sync: { inForce: true, failures: 0 },
      sources: [
        ...Array(RESOURCES).fill({
          synced: true,
          installed: true,
          watches: 1,
          relists: 0,
          failures: expect.any(Number),
        }),
        ...Array(NOT_INSTALLED).fill({ synced: true, installed: false }),
      ],
    });
    expect(api.refused()).toBeGreaterThan(RESOURCES);
    // It asks ever more rarely.
    expect(api.refused()).toBeLessThan(10 * RESOURCES);
    await traffic.flowing(3, [...streams.allowed, ...flows["until-3"]]);

    const from = agent.log.length;
    const back = sentSoFar(flows);
    api.gone(false);
    const open = fresh(flows["from-3"]);
    await traffic.until("policy 3", () => open.every(({ arrived }) => arrived.count > 0), SOON_MS);
    const inForce = sentSoFar(flows);
    await traffic.until("watching again", () => agent.lines("watching again", from).length >= RESOURCES, SOON_MS);
    const established = [...flows["until-3"], ...flows["only-2"]].filter(({ spec }) => spec.kind !== "fresh-udp");
    await traffic.closed(established);
    const last = established.map((stream) => stream.arrived.last);
    await changeFor(500);
    await traffic.finish([...streams.allowed, ...open]);

    expect(harmTo(streams)).toEqual([]);
    expect(established.map((stream) => stream.arrived.last)).toEqual(last);
    for (const guest of GUESTS)
      for (const stream of fresh(flows[guest])) {
        const [heal, change] = [back.get(stream) ?? 0, inForce.get(stream) ?? 0];
        const first = stream.arrived.from(0)[0] ?? stream.sent;
        const where = `${stream.spec.name}: ${heal} sent before the end of the outage, ${change} before policy 3`;
        // During the outage as policy 1 says, to the end of it.
        if (guest === "until-3") expect(stream.arrived.missing(0, heal), where).toEqual([]);
        else expect(first, where).toBeGreaterThanOrEqual(heal);
        // As policy 3 says, from one packet to the next.
        if (guest === "from-3") expect(stream.arrived.missing(first, stream.sent), where).toEqual([]);
        else expect(stream.arrived.from(change), where).toEqual([]);
      }
  });
}

/** Resolves at its end, with the server still gone. */
async function outage(shop: RunningShop): Promise<void> {
  const beganAt = performance.now();
  const changeUntil = async (share: number) => {
    while (performance.now() < beganAt + share * OUTAGE_MS) {
      shop.changes.makeNext();
      await new Promise((resolve) => setTimeout(resolve, CHANGE_EVERY_MS));
    }
  };
  await withoutPackets(shop.network, async () => {
    await changeUntil(0.25);
    allowOnly(shop, ["until-3", "only-2"]);
    await changeUntil(0.5);
    shop.api.gone(true);
  });
  await changeUntil(0.75);
  allowOnly(shop, ["from-3"]);
  await changeUntil(1);
}

/** Nothing gets to the API server or back, and nobody is told. */
async function withoutPackets(network: PacketNetwork, body: () => Promise<void>): Promise<void> {
  const nft = async (input: string) => {
    const { code, stderr } = await network.node.run(["nft", "-f", "-"], { input });
    if (code !== 0) throw new Error(`nft: ${stderr}`);
  };
  const rules = `tcp dport ${API_SERVER_PORT} drop; tcp sport ${API_SERVER_PORT} drop;`;
  await nft(`table inet outage { chain input { type filter hook input priority -300; ${rules} }; }\n`);
  await body();
  await nft("delete table inet outage\n");
}

function allowOnly({ api }: RunningShop, guests: readonly Guest[]): void {
  const peers = guests.map((guest) => ({ podSelector: labelSelector({ app: guest }) }));
  putPolicy(api.store, "desk", onlyWith("desk", peers));
}

async function statusOf({ network }: RunningShop): Promise<unknown> {
  return JSON.parse((await runNftpolIn(network.node, "status", "-o", "json")).stdout) as unknown;
}

/** Connections only where they are open, or come to be: a TCP connection that was refused for long takes long to open. */
function startGuestFlows(traffic: PacketTraffic, network: PacketNetwork): GuestFlows {
  let port = 8000;
  const start = (guest: Guest, kinds: readonly StreamSpec["kind"][]): Stream[] => {
    const [from, to] = [network.host(guest), network.host("desk")];
    return FAMILIES.flatMap((family) =>
      kinds.map((kind) =>
        traffic.start({
          name: `${guest} > desk, ${kind}, IPv${family}`,
          kind,
          from: { ns: from.ns, address: from.addresses[family] },
          to: { ns: to.ns, address: to.addresses[family], port: port++ },
          perSecond: 50,
        }),
      ),
    );
  };
  return {
    "until-3": start("until-3", ["fresh-udp", "udp", "tcp"]),
    "only-2": start("only-2", ["fresh-udp", "udp"]),
    "from-3": start("from-3", ["fresh-udp"]),
  };
}

function sentSoFar(flows: GuestFlows): ReadonlyMap<Stream, number> {
  return new Map(GUESTS.flatMap((guest) => flows[guest]).map((stream) => [stream, stream.sent]));
}

function fresh(streams: readonly Stream[]): readonly Stream[] {
  return streams.filter(({ spec }) => spec.kind === "fresh-udp");
}
