// A lab: the network of a cluster, an agent on each node, and probes. Owns the order in which they start and end.

import { addressFamily, type Family } from "../net/address.ts";
import type { ProgramOptions } from "../program/program.ts";
import type { ClusterStore } from "../state/store.ts";
import { clusterList, type LabCluster, policyList } from "./cluster-objects.ts";
import { endingCleanly, type Interruption } from "./interruption.ts";
import { LabFolder, removeLeftoverFolders } from "./lab-folder.ts";
import { type LabNetwork, withLabNetwork } from "./lab-network.ts";
import { Measurement, type ProbeEnd } from "./measure.ts";
import { NodeAgent, type SelfCommand } from "./node-agent.ts";
import type { LabBackend } from "./node-rules-difference.ts";
import type { LabPlan } from "./plan.ts";
import { openProbeLine } from "./raw-probe-line.ts";
import { rulesSettled } from "./settled-rules.ts";

const NFT: LabBackend = { name: "nft" };

export interface LabSettings {
  readonly self: SelfCommand;
  readonly plan: LabPlan;
  readonly cluster: LabCluster;
  readonly program: ProgramOptions;
  /** nft without it. */
  readonly backend?: LabBackend | undefined;
}

export interface Lab {
  readonly network: LabNetwork;
  readonly agents: readonly NodeAgent[];
  readonly measurement: Measurement;
  /** For files of its body; goes away with the lab. The agents read those that are manifests. */
  readonly folder: LabFolder;
  /** Signals that end the lab. */
  readonly interruption: Interruption;
  /** Other policies, or pods with other labels; pods, their addresses and nodes stay. Resolves when the rules are in force. */
  change(cluster: LabCluster, store: ClusterStore): Promise<void>;
}

/**
 * Calls `body` with a lab whose rules are in force; whatever happens, nothing of it remains. Throws LabError when it cannot be had. On
 * SIGINT, SIGQUIT, SIGTERM and SIGHUP the body is left where it is, the lab is removed, and the process ends by that signal.
 */
export function withLab<T>(settings: LabSettings, body: (lab: Lab) => Promise<T>): Promise<T> {
  return endingCleanly((interruption) => withInterruptibleLab(settings, interruption, body));
}

async function withInterruptibleLab<T>(
  settings: LabSettings,
  interruption: Interruption,
  body: (lab: Lab) => Promise<T>,
): Promise<T> {
  const { plan, cluster, program, backend = NFT } = settings;
  const folder = new LabFolder();
  try {
    removeLeftoverFolders();
    folder.write("cluster", clusterList(cluster));
    folder.write("policies", policyList(cluster.policies));
    return await withLabNetwork(
      plan,
      async (network) => {
        const agents = plan.nodes.map(({ name }) => startAgent(settings, network, name, folder));
        const line = await openProbeLine(network);
        try {
          await interruption.race(Promise.all(agents.map((agent) => agent.started())));
          const lab: Lab = {
            network,
            agents,
            measurement: new Measurement(line),
            folder,
            interruption,
            async change(next, store) {
              folder.write("cluster", clusterList(next));
              folder.write("policies", policyList(next.policies));
              await rulesSettled(network, backend, store, program);
            },
          };
          return await interruption.race(body(lab));
        } finally {
          line.close();
          await Promise.all(agents.map((agent) => agent.end()));
        }
      },
      interruption.signal,
    );
  } finally {
    folder.remove();
  }
}

function startAgent(
  { self, program, backend = NFT }: LabSettings,
  network: LabNetwork,
  nodeName: string,
  folder: LabFolder,
): NodeAgent {
  return new NodeAgent({
    self,
    ns: network.node(nodeName),
    inside: network.inside,
    leash: network.leash,
    nodeName,
    manifests: folder.path,
    options: [
      ...["--backend", backend.name],
      ...(backend.name === "iptables" ? ["--iptables-variant", backend.variant] : []),
      ...["--pod-to-own-node", program.podToOwnNode],
      ...["--service-proxy", program.serviceProxy],
      ...["--unknown-local-pods", program.unknownLocalPods],
    ],
  });
}

/** Where a name of a matrix is in the lab: a pod's namespace, or the outside; undefined: nowhere. */
export function probeEnd(network: LabNetwork, name: string, family: Family): ProbeEnd | undefined {
  const { pods, nodes, outside } = network.plan;
  const pod = pods.find(({ key }) => key === name);
  if (pod !== undefined) {
    const address = pod.addresses.find((each) => addressFamily(each) === family);
    return address === undefined ? undefined : { ns: network.pod(pod.key), address };
  }
  const plain = outside.find((address) => address === name && addressFamily(address) === family);
  if (plain !== undefined) return { ns: network.outside, address: plain };
  const node = nodes.find(({ addresses }) => addresses.some((address) => address === name));
  const own = node?.addresses.find((address) => address === name && addressFamily(address) === family);
  return node === undefined || own === undefined ? undefined : { ns: network.node(node.name), address: own };
}
