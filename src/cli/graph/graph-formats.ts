// The rule graph as tables, Mermaid and DOT. All names are data: escaped, never part of the syntax.

import { TIER_NAMES } from "../../model/policy.ts";
import { alignColumns, printable } from "../terminal-text.ts";
import type { GraphClass, GraphModel, GraphPolicy } from "./graph-model.ts";

export function graphTables({ node, policies, classes, sets, selections, pods, closed }: GraphModel): string {
  const section = (title: string, head: readonly string[], rows: readonly (readonly string[])[]) =>
    `${title}\n${rows.length === 0 ? "  none\n" : alignColumns([head, ...rows.map((row) => row.map((cell) => printable(cell)))], "  ")}`;
  // What only clusters with ordered tiers have is shown only there.
  const hasTiers = policies.some(isOrdered);
  const hasOwnNode = pods.some(({ toOwnNode }) => toOwnNode !== undefined);
  return [
    `node ${printable(node)}\n`,
    section(
      "POLICIES",
      ["POLICY", ...(hasTiers ? ["TIER"] : []), "WHERE", "CLASSES"],
      policies.map((policy) => [
        policy.name,
        ...(hasTiers ? [tierText(policy)] : []),
        policy.line === undefined ? policy.file : `${policy.file}:${policy.line}`,
        classCount(policy),
      ]),
    ),
    section(
      "CLASSES",
      ["CLASS", "ADDRESSES", "POLICIES", ...(hasTiers ? ["TIERS"] : []), "SETS"],
      classes.map((each) => [
        each.id,
        String(each.addresses),
        each.policies.join(", "),
        ...(hasTiers ? [each.sections.map(sectionText).join("; ")] : []),
        String(each.sets.length),
      ]),
    ),
    section(
      "SETS",
      ["SET", "ELEMENTS", "USED BY", "DEFINITION"],
      sets.map((each) => [each.id, String(each.elements), String(each.classes.length), each.definition.join(", ")]),
    ),
    section(
      "SELECTIONS",
      ["SELECTION", "SETS"],
      selections.map((each) => [each.query, String(each.sets.length)]),
    ),
    section(
      "PODS",
      ["POD", "ADDRESS", "EGRESS", "INGRESS", ...(hasOwnNode ? ["TO OWN NODE"] : [])],
      pods.map((each) => [
        each.pod,
        each.address,
        each.egress ?? "open",
        each.ingress ?? "open",
        ...(hasOwnNode ? [each.toOwnNode ?? "open"] : []),
      ]),
    ),
    ...(closed === undefined
      ? []
      : [
          section(
            "CLOSED",
            ["POD CIDR", "KNOWN ADDRESSES"],
            closed.map((each) => [each.podCidr, String(each.knownAddresses)]),
          ),
        ]),
  ].join("\n");
}

/** NetworkPolicies make a class of every pod that they select, other policies only where anything can be denied. */
function classCount(policy: GraphPolicy): string {
  if (policy.classes.length > 0) return String(policy.classes.length);
  return isOrdered(policy) ? "none: no pod here that is denied anything" : "none: selects no pod here";
}

function isOrdered({ tier }: GraphPolicy): boolean {
  return tier !== TIER_NAMES.namespace;
}

/** `Admin 10`, `NetworkPolicy`, `Baseline`. */
function tierText({ tier, priority }: GraphPolicy): string {
  return priority === undefined ? tier : `${tier} ${priority}`;
}

/** `Admin: pass, deny`. */
function sectionText({ tier, runs }: GraphClass["sections"][number]): string {
  return `${tier}: ${runs.length === 0 ? "nothing" : runs.map(({ action }) => action).join(", ")}`;
}

interface Edge {
  readonly from: string;
  readonly to: string;
}

/** pod -> class -> set <- selection, policy -> class; ids are numbered, labels are escaped text. */
function edgesOf({ policies, classes, sets, selections, pods }: GraphModel): {
  labels: Map<string, string>;
  edges: Edge[];
} {
  const labels = new Map<string, string>();
  const edges: Edge[] = [];
  const id = (kind: string, name: string, label = name) => {
    const key = `${kind} ${name}`;
    if (!labels.has(key)) labels.set(key, `${kind}: ${printable(label)}`);
    return key;
  };
  for (const policy of policies) {
    const label = isOrdered(policy) ? `${policy.name} (${tierText(policy)})` : policy.name;
    for (const used of policy.classes) edges.push({ from: id("policy", policy.name, label), to: id("class", used) });
  }
  for (const pod of pods)
    for (const used of [pod.egress, pod.ingress, pod.toOwnNode])
      if (used !== undefined) edges.push({ from: id("pod", pod.pod), to: id("class", used) });
  for (const each of classes)
    for (const set of each.sets) edges.push({ from: id("class", each.id), to: id("set", set) });
  for (const each of sets) id("set", each.id);
  for (const each of selections)
    for (const set of each.sets) edges.push({ from: id("set", set), to: id("selection", each.query) });
  const unique = new Map(edges.map((edge) => [`${edge.from}\0${edge.to}`, edge]));
  return { labels, edges: [...unique.values()] };
}

export function graphMermaid(model: GraphModel): string {
  const { labels, edges } = edgesOf(model);
  const ids = new Map([...labels.keys()].map((key, index) => [key, `n${index}`]));
  const lines = ["flowchart LR", ...[...labels].map(([key, label]) => `  ${ids.get(key)}["${mermaidText(label)}"]`)];
  for (const { from, to } of edges) lines.push(`  ${ids.get(from)} --> ${ids.get(to)}`);
  return `${lines.join("\n")}\n`;
}

/** Mermaid's own escapes: `#` and a character number. */
function mermaidText(text: string): string {
  return text.replace(/[^A-Za-z0-9 .,:/_=()!-]/gu, (character) => `#${character.codePointAt(0)};`);
}

export function graphDot(model: GraphModel): string {
  const { labels, edges } = edgesOf(model);
  const quote = (text: string) => `"${text.replace(/[\\"]/g, (character) => `\\${character}`)}"`;
  const lines = ["digraph nftpol {", "  rankdir=LR;", "  node [shape=box];"];
  for (const [key, label] of labels) lines.push(`  ${quote(printable(key))} [label=${quote(label)}];`);
  for (const { from, to } of edges) lines.push(`  ${quote(printable(from))} -> ${quote(printable(to))};`);
  return `${[...lines, "}"].join("\n")}\n`;
}
