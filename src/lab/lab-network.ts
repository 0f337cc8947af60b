// Builds a plan's network and takes it away again. Owns the order of that, and the switches of the kernel inside.

import { existsSync, writeFileSync } from "node:fs";
import type { PodKey } from "../model/cluster.ts";
import { runBatches } from "./ip-batch.ts";
import { findLeash, type Leash } from "./leash.ts";
import { addNetns, type InsideNetns, loadInsideNetns, NetnsNames, removeLeftovers, removeNetns } from "./netns.ts";
import { type LabNamespaces, networkPhases } from "./network-commands.ts";
import type { LabPlan } from "./plan.ts";

/** Packets are forwarded, whatever way they come back; bridged ones cross the rules, too. */
const NODE_SWITCHES: Readonly<Record<string, string>> = {
  "net/ipv4/ip_forward": "1",
  "net/ipv6/conf/all/forwarding": "1",
  "net/ipv4/conf/all/rp_filter": "0",
  "net/ipv4/conf/default/rp_filter": "0",
  "net/ipv6/conf/all/accept_dad": "0",
  "net/ipv6/conf/default/accept_dad": "0",
};
const BRIDGE_SWITCHES: Readonly<Record<string, string>> = {
  "net/bridge/bridge-nf-call-iptables": "1",
  "net/bridge/bridge-nf-call-ip6tables": "1",
};

export interface LabNetwork extends LabNamespaces {
  readonly plan: LabPlan;
  readonly inside: InsideNetns;
  /** For what is started in it. */
  readonly leash: Leash;
}

/**
 * Calls `body` with the network; whatever happens, nothing of it remains, and what killed labs left is removed first. Throws LabError
 * when it cannot be built: no root, no iproute2; the signal's reason when that is aborted meanwhile. Cost: about 15 ms for each pod.
 */
export async function withLabNetwork<T>(
  plan: LabPlan,
  body: (network: LabNetwork) => Promise<T>,
  signal: AbortSignal = new AbortController().signal,
): Promise<T> {
  const inside = await loadInsideNetns();
  const leash = findLeash();
  removeLeftovers();
  const names = new NetnsNames();
  const nodes = new Map(plan.nodes.map(({ name }, index) => [name, names.of(`node${index}`)]));
  const pods = new Map(plan.pods.map(({ key }, index) => [key, names.of(`pod${index}`)]));
  const network: LabNetwork = {
    plan,
    inside,
    leash,
    outside: names.of("outside"),
    node: (name) => known(nodes, name),
    pod: (key: PodKey) => known(pods, key),
  };
  const all = [network.outside, ...nodes.values(), ...pods.values()];
  const ending = new AbortController();
  const ties = { leash, signal: AbortSignal.any([signal, ending.signal]) };
  const remove = () => {
    ending.abort();
    removeNetns(all);
  };
  process.once("exit", remove);
  try {
    await addNetns(all, ties);
    for (const name of [...nodes.values(), network.outside]) inside(name, () => setSwitches(NODE_SWITCHES));
    for (const phase of networkPhases(plan, network)) {
      const batches = phase.map(({ program, ns, commands }) => ({ program, args: ["-n", ns], commands }));
      await runBatches(batches, ties);
    }
    for (const name of nodes.values()) inside(name, () => setSwitches(BRIDGE_SWITCHES));
    return await body(network);
  } finally {
    process.off("exit", remove);
    remove();
  }
}

function known<K>(names: ReadonlyMap<K, string>, key: K): string {
  const name = names.get(key);
  if (name === undefined) throw new Error(`${String(key)} is not in this lab`);
  return name;
}

/** Of the namespace that this thread is in. Those of a bridge are there only where the kernel's module is. */
function setSwitches(switches: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(switches)) {
    const path = `/proc/sys/${name}`;
    if (existsSync(path)) writeFileSync(path, value);
  }
}
