// The cluster as API objects again, as an API server would give it: for the agents, which read a folder. Pure.

import type { Namespace, Node, Pod } from "../model/cluster.ts";
import { addressFamily } from "../net/address.ts";
import type { LabPlan } from "./plan.ts";

export interface LabCluster {
  readonly namespaces: readonly Namespace[];
  /** As `labNodes` gives them. */
  readonly nodes: readonly Node[];
  /** Placed: each on a node of the plan, with its addresses. */
  readonly pods: readonly Pod[];
  /** Of any kind, as API objects. */
  readonly policies: readonly unknown[];
}

/**
 * The nodes of the plan, with what else is known of them; `others`: then those of the manifests that have no pod, which nobody is on but
 * policies may name.
 */
export function labNodes(plan: LabPlan, known: readonly Node[], others: "with-others" | "plan-only"): Node[] {
  const planned = plan.nodes.map(({ name, addresses }): Node => {
    const own = known.find((node) => node.name === name);
    return { name, labels: {}, podCidrs: [], position: { file: "" }, ...own, addresses };
  });
  const isPlanned = ({ name }: Node) => plan.nodes.some((node) => node.name === name);
  return others === "plan-only" ? planned : [...planned, ...known.filter((node) => !isPlanned(node))];
}

/** A `List` of everything but the policies. */
export function clusterList({ namespaces, nodes, pods }: LabCluster): unknown {
  return list([
    ...namespaces.map(({ name, labels }) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } })),
    ...nodes.map(({ name, labels, podCidrs, addresses }) => ({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name, labels },
      spec: { podCIDRs: podCidrs.map(({ text }) => text) },
      status: { addresses: addresses.map((address) => ({ type: "InternalIP", address })) },
    })),
    ...pods.map((pod) => podObject(pod)),
  ]);
}

export function policyList(policies: readonly unknown[]): unknown {
  return list(policies);
}

function list(items: readonly unknown[]): unknown {
  return { apiVersion: "v1", kind: "List", items };
}

function podObject(pod: Pod): unknown {
  const { namespace, name, labels, createdAt, startedAt } = pod;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace, name, labels, uid: pod.key, ...(createdAt === "" ? {} : { creationTimestamp: createdAt }) },
    spec: {
      nodeName: pod.nodeName,
      hostNetwork: pod.hostNetwork,
      containers: [
        {
          name: "main",
          ports: pod.ports.map(({ name: port, protocol, port: containerPort }) => ({
            ...(port === "" ? {} : { name: port }),
            protocol,
            containerPort,
          })),
        },
      ],
    },
    status: {
      phase: pod.finished ? "Succeeded" : "Running",
      ...(startedAt === "" ? {} : { startTime: startedAt }),
      podIPs: pod.addresses.map((ip) => ({ ip })),
      hostIPs: firstOfEachFamily(pod.hostAddresses).map((ip) => ({ ip })),
    },
  };
}

/** What a kubelet reports. */
function firstOfEachFamily(addresses: Pod["hostAddresses"]): Pod["hostAddresses"] {
  return addresses.filter(
    (address, index) => addresses.findIndex((each) => addressFamily(each) === addressFamily(address)) === index,
  );
}
