// From the words of the command line to a lab: cluster, placement, plan. Owns what of the input a lab needs besides what every
// verb reads.

import { withBothFamilies } from "../../lab/both-families.ts";
import { type LabCluster, labNodes } from "../../lab/cluster-objects.ts";
import { isHostAddress, outsideAddresses } from "../../lab/outside-addresses.ts";
import { type LabPlan, type NodeChoice, placeOnNodes, planLab } from "../../lab/plan.ts";
import { TOPOLOGIES, type Topology } from "../../lab/topology.ts";
import { type LoadedManifests, loadManifests } from "../../manifests/load-manifests.ts";
import type { Diagnostic } from "../../model/diagnostic.ts";
import { ANY, type Policy, type Rule } from "../../model/policy.ts";
import { type Address, addressFamily, FAMILIES, type Family } from "../../net/address.ts";
import type { ClusterStore } from "../../state/store.ts";
import { countFindings, formatDiagnostic, hasErrors } from "../diagnostics.ts";
import { fillStore } from "../input.ts";
import { askedAddresses } from "../matrix/asked.ts";
import { CommandError, flagOption, listOption, type OptionValues, textOption, type VerbContext } from "../verb.ts";

export interface LabManifests {
  readonly loaded: LoadedManifests;
  /** The policies as API objects: what the agents read. */
  readonly policyObjects: readonly unknown[];
}

export interface LabShape {
  readonly nodes: NodeChoice;
  readonly topology: Topology;
  /** Every pod has addresses of both families, made up where they are missing. */
  readonly dualStack: boolean;
}

export interface LabInput {
  readonly cluster: LabCluster;
  readonly plan: LabPlan;
  readonly store: ClusterStore;
  /** Plain addresses that stand for what policies say of blocks. */
  readonly outside: readonly Address[];
  /** Addresses of the lab's nodes, where any policy names nodes. */
  readonly namedNodes: readonly Address[];
}

/** Most pods that a lab is made for: each is a network namespace. */
export const MAX_LAB_PODS = 500;

export async function readLabManifests(
  paths: readonly string[],
  recursive: boolean,
  files: VerbContext["files"],
): Promise<LabManifests> {
  const policyObjects: unknown[] = [];
  const loaded = await loadManifests(paths, { recursive, files, onPolicy: (value) => policyObjects.push(value) });
  return { loaded, policyObjects };
}

/** Throws CommandError without -f: a lab of a live cluster would be a copy of it. */
export function readLabPaths(options: OptionValues): {
  readonly paths: readonly string[];
  readonly recursive: boolean;
} {
  const paths = listOption(options, "filename");
  if (paths.length === 0) throw new CommandError(2, "the lab needs manifests", "name files or folders with -f");
  return { paths, recursive: flagOption(options, "recursive") };
}

export function readLabShape(options: OptionValues): LabShape {
  const text = textOption(options, "nodes") ?? "as-is";
  const topology = TOPOLOGIES.find((name) => name === textOption(options, "topology")) ?? TOPOLOGIES[0];
  const dualStack = flagOption(options, "dualStack");
  if (text === "as-is") return { nodes: text, topology, dualStack };
  const count = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (count < 1 || count > 100) throw new CommandError(2, `--nodes ${text}`, "write as-is, or a number from 1 to 100");
  return { nodes: count, topology, dualStack };
}

/** Of `--ip`: addresses that hosts can have. Throws CommandError. */
export function readLabAddresses(options: OptionValues): readonly Address[] {
  const addresses = askedAddresses(options);
  const wrong = addresses.find((address) => !isHostAddress(address));
  if (wrong === undefined) return addresses;
  throw new CommandError(
    2,
    `--ip ${wrong}: no host has that address`,
    "nftpol matrix and explain judge it without packets",
  );
}

/** Pure. Throws CommandError for a cluster that no lab is made for. `asked`: more plain addresses; those that no host has are left out. */
export function makeLabInput(
  { loaded, policyObjects }: LabManifests,
  { nodes, topology, dualStack }: LabShape,
  families: readonly Family[] = FAMILIES,
  asked: readonly Address[] = [],
): LabInput {
  const { pods, nodeNames } = placeOnNodes(
    dualStack ? withBothFamilies(loaded.pods, loaded.policies) : loaded.pods,
    loaded.nodes,
    nodes,
  );
  const placed = { ...loaded, pods };
  const { store } = fillStore(placed).input;
  const selectable = [...store.selectablePods()];
  if (selectable.length === 0) throw new CommandError(2, "there is no pod that policies can select: nothing to try");
  if (selectable.length > MAX_LAB_PODS) {
    throw new CommandError(
      2,
      `${selectable.length} pods: a lab is made for at most ${MAX_LAB_PODS}`,
      "give it a part of the cluster",
    );
  }
  const isTaken = (address: Address) => store.ownerOf(address) !== undefined || store.nodeAt(address) !== undefined;
  const isPlain = (address: Address) => isHostAddress(address) && !isTaken(address);
  const outside = [...outsideAddresses(store.policies(), families, isTaken), ...asked.filter(isPlain)];
  const plan = planLab({
    topology,
    nodeNames,
    pods: selectable,
    nodeAddresses: (name) => store.nodeAddresses(name),
    outside,
  });
  const planned = labNodes(plan, loaded.nodes, nodes === "as-is" ? "with-others" : "plan-only");
  const { input } = fillStore({ ...placed, nodes: planned });
  const { namespaces } = loaded;
  return {
    cluster: { namespaces, nodes: planned, pods, policies: policyObjects },
    plan,
    store: input.store,
    outside,
    namedNodes: namesNodes(loaded.policies) ? plan.nodes.flatMap(({ addresses }) => addresses).filter(isOfFamily) : [],
  };

  function isOfFamily(address: Address): boolean {
    return families.includes(addressFamily(address));
  }
}

/** Whether any rule asks for nodes: then what pods send to them is worth asking. */
function namesNodes(policies: readonly Policy[]): boolean {
  const rules = policies.flatMap(({ rules: { egress } }): readonly Rule[] => egress);
  return rules.some(({ peers }) => peers !== ANY && peers.some(({ kind }) => kind === "nodes"));
}

/** Prints all findings. Throws CommandError when one of them is an error. */
export function refuseErrors(diagnostics: readonly Diagnostic[], context: VerbContext): void {
  for (const diagnostic of diagnostics) context.stderr(`${formatDiagnostic(diagnostic)}\n`);
  if (diagnostics.length > 0) context.stderr(`${countFindings(diagnostics)}\n`);
  if (hasErrors(diagnostics)) throw new CommandError(2, "");
}
