// The cluster as API objects again, as an API server would give it: for the agents, which read a folder. Pure.

import type { Namespace, Node, Pod } from "../model/cluster.ts";
import { addressFamily } from "../net/address.ts";
import type { LabPlan } from "./plan.ts";

export interface LabCluster {
  readonly namespaces: readonly Namespace[];
  readonly nodes: readonly Node[];
  /** Placed: each on a node of the plan, with its addresses. */
  readonly pods: readonly Pod[];
  /** NetworkPolicies as API objects. */
  readonly policies: readonly unknown[];
}

/** A `List` of everything but the policies. Nodes are those of the plan. */
export function clusterList({ namespaces, nodes, pods }: LabCluster, plan: LabPlan): unknown {
  return list([
    ...namespaces.map(({ name, labels }) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name, labels } })),
    ...plan.nodes.map(({ name, addresses }) => ({
      apiVersion: "v1",
      kind: "Node",
      metadata: { name, labels: nodes.find((node) => node.name === name)?.labels ?? {} },
      spec: { podCIDRs: (nodes.find((node) => node.name === name)?.podCidrs ?? []).map(({ text }) => text) },
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
