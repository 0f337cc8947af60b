// The shop with everything around it: network, API server, agent, traffic. Owns the order in which they start and end.

import { type PacketAgent, withAgent } from "../support/packet-agent.ts";
import { type PacketApiServer, withApiServer } from "../support/packet-api-server.ts";
import { type Attachment, type PacketNetwork, withPacketNetwork } from "../support/packet-network.ts";
import { type PacketTraffic, withTraffic } from "../support/packet-traffic.ts";
import type { WayToWrite } from "../support/packet-ways.ts";
import { SafeChanges, seededRandom } from "./safe-changes.ts";
import { SHOP_HOSTS, type ShopStreams, startShopStreams } from "./shop.ts";

/** The same seed, the same changes and the same moments. */
export const SEED = Number(process.env.NFTPOL_SEED ?? 1);

export interface RunningShop {
  readonly network: PacketNetwork;
  readonly api: PacketApiServer;
  readonly agent: PacketAgent;
  readonly traffic: PacketTraffic;
  readonly streams: ShopStreams;
  readonly changes: SafeChanges;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Makes changes for a while, one at a time where the agent keeps up; undisturbed by an agent that is not there. */
  changeFor(ms: number): Promise<void>;
}

export interface ShopSettings {
  readonly agentArgs?: readonly string[];
  /** Default: as the agent chooses. */
  readonly way?: WayToWrite;
  /** Beside those of the shop; their objects are the caller's. */
  readonly hosts?: Readonly<Record<string, Attachment>>;
  /** For a long test beside another: fewer packets, and less often taken in. */
  readonly lightTraffic?: boolean;
}

/** Calls `body` when all allowed streams flow. */
export async function withRunningShop(
  { agentArgs = [], way, hosts = {}, lightTraffic = false }: ShopSettings,
  body: (shop: RunningShop) => Promise<void>,
): Promise<void> {
  const random = seededRandom(SEED);
  await withPacketNetwork({ ...SHOP_HOSTS, ...hosts }, (network) =>
    withApiServer(network.node, async (api) => {
      const changes = new SafeChanges(api.store, network, random);
      changes.putFirstState();
      const args = ["--kubeconfig", api.kubeconfig, "--min-sync-interval", "1ms", ...agentArgs];
      const run = (agent: PacketAgent) =>
        withTraffic(
          async (traffic) => {
            const streams = startShopStreams(traffic, network, lightTraffic ? 0.2 : 1);
            await traffic.flowing(3, streams.allowed);
            const changeFor = async (ms: number) => {
              const endsAt = performance.now() + ms;
              while (performance.now() < endsAt) await changeOnce(changes, agent);
            };
            await body({ network, api, agent, traffic, streams, changes, random, changeFor });
          },
          lightTraffic ? 10 : undefined,
        );
      await withAgent(network.node, args, run, way);
    }),
  );
}

/** How long a change waits for its transaction before the next one comes: a loaded machine puts them into one. */
const PACE_MS = 8;

export async function changeOnce(changes: SafeChanges, agent: PacketAgent): Promise<void> {
  const from = agent.log.length;
  changes.makeNext();
  await agent.loggedWithin(PACE_MS, "rules changed", from);
}
