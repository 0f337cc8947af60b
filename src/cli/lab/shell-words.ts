// What `lab shell` says before its prompt and while it runs. Pure.

import type { LabPlan } from "../../lab/plan.ts";
import type { ContainerPort, Pod } from "../../model/cluster.ts";
import { addressFamily } from "../../net/address.ts";
import { alignColumns, countOf, printable } from "../terminal-text.ts";
import { type EditedCluster, listed } from "./shell-changes.ts";

export interface Welcome {
  readonly own: Pod;
  readonly pods: readonly Pod[];
  readonly plan: LabPlan;
  readonly policies: number;
  readonly paths: readonly string[];
  /** Whether the shell knows the pods' names. */
  readonly named: boolean;
}

const MOST_PODS = 20;

export function welcomeText({ own, pods, plan, policies, paths, named }: Welcome): string {
  const isNear = ({ namespace }: Pod) => namespace === own.namespace;
  const others = pods.filter(({ key }) => key !== own.key);
  const nearFirst = [...others.filter(isNear), ...others.filter((pod) => !isNear(pod))];
  const where = plan.nodes.length > 1 ? ` on ${own.nodeName}` : "";
  const rows = [
    ...nearFirst
      .slice(0, MOST_PODS)
      .map((pod) => [named ? nameOf(pod) : pod.key, pod.addresses.join(" "), pod.ports.map(portWord).join(" ")]),
    ...plan.outside.slice(0, MOST_PODS).map((address) => ["outside", address, ""]),
  ];
  const more = others.length - MOST_PODS;
  const lines = [
    `You are in ${own.key} (${own.addresses.join(", ")})${where}; ${countOf(policies, "policy", "policies")} in force. There are:\n`,
    alignColumns(rows, "  "),
    ...(more > 0 ? [`  … and ${countOf(more, "pod")} more\n`] : []),
    `Try: ${suggestions(nearFirst.length === 0 ? [own] : nearFirst, named).join("; ")}\n`,
    `Edit ${listed(paths)}: what you save comes into force. The lab ends with this shell.\n`,
  ];
  return printable(lines.join(""), "\n");
}

/** As in the shell's /etc/hosts. */
function nameOf({ name, namespace }: Pod): string {
  return `${name}.${namespace}`;
}

function portWord({ name, port, protocol }: ContainerPort): string {
  return `${port}/${protocol}${name === "" ? "" : ` (${name})`}`;
}

function suggestions(others: readonly Pod[], named: boolean): string[] {
  const host = (pod: Pod) => (named ? nameOf(pod) : (pod.addresses[0] ?? ""));
  const inUrl = (pod: Pod) => {
    const [address] = pod.addresses;
    return !named && address !== undefined && addressFamily(address) === 6 ? `[${address}]` : host(pod);
  };
  const isTcp = ({ protocol }: ContainerPort) => protocol === "TCP";
  const served = others.find(({ ports }) => ports.some(isTcp));
  const port = served?.ports.find(isTcp)?.port;
  const tcp =
    served === undefined ? [] : [`curl -m 2 http://${inUrl(served)}:${port}`, `nc -zv -w 2 ${host(served)} ${port}`];
  return [...tcp, ...others.slice(0, 1).map((pod) => `ping -c 1 -W 2 ${host(pod)}`)];
}

/** What of edited manifests this lab cannot show, a sentence each. */
export function limitsOf({ added, removed, moved }: Pick<EditedCluster, "added" | "removed" | "moved">): string[] {
  return [
    ...(added.length > 0
      ? [`${listed(added)}: new, without a network namespace here; start nftpol lab shell again to have it`]
      : []),
    ...(removed.length > 0
      ? [
          `${listed(removed)}: no longer in the manifests; to the rules its addresses are nobody's, here they still answer`,
        ]
      : []),
    ...(moved.length > 0
      ? [`${listed(moved)}: keeps its addresses of before; start nftpol lab shell again to have the new ones`]
      : []),
  ];
}
