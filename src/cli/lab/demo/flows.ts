// The flows that the demo asks about: each pod, and some addresses outside, to every port on which somebody listens. Pure.

import type { Flow, Traffic } from "../../../model/flow.ts";
import { type Address, addressFamily } from "../../../net/address.ts";
import type { ClusterStore } from "../../../state/store.ts";
import type { SelectablePod } from "../../../state/view.ts";
import { workloadName } from "../../endpoint.ts";
import { OUTSIDERS, WORKLOADS } from "./shop.ts";

/** One end: a pod by its key, or a plain address. */
export interface DemoEnd {
  /** As `probeEnd` finds it. */
  readonly name: string;
  /** What people call it: the workload, or who is behind the address. */
  readonly label: string;
  readonly address: Address;
}

export interface DemoFlow {
  readonly from: DemoEnd;
  readonly to: DemoEnd;
  readonly traffic: Extract<Traffic, { kind: "ports" }>;
}

const TCP = { kind: "ports", protocol: "TCP" } as const;

interface Asked extends DemoEnd {
  readonly ports: readonly DemoFlow["traffic"][];
}

/** In the same order for every state of the shop: workloads in the order of its files, then those outside. */
export function listFlows(store: ClusterStore): DemoFlow[] {
  const rank = ({ label }: Asked) => WORKLOADS.indexOf(label);
  const pods = [...store.selectablePods()].map(toAsked).sort((a, b) => rank(a) - rank(b));
  const outside = OUTSIDERS.map(({ name, address, ports }): Asked => {
    return { name: address, label: name, address, ports: ports.map((port) => ({ ...TCP, port })) };
  });
  const isPod = new Set(pods);
  return [...pods, ...outside.filter(({ ports }) => ports.length === 0)].flatMap((from) =>
    [...pods, ...outside]
      .filter((to) => to !== from && (isPod.has(from) || isPod.has(to)))
      .flatMap((to) => to.ports.map((traffic): DemoFlow => ({ from, to, traffic }))),
  );
}

function toAsked({ key, pod, addresses }: SelectablePod): Asked {
  const address = addresses.find((each) => addressFamily(each) === 4);
  if (address === undefined) throw new Error(`${key} has no IPv4 address`);
  const ports = pod.ports.map(({ protocol, port }) => ({ kind: "ports" as const, protocol, port }));
  return { name: key, label: workloadName(pod), address, ports };
}

export function asFlow({ from, to, traffic }: DemoFlow): Flow {
  return { source: from.address, destination: to.address, traffic };
}
