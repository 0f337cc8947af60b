// `nftpol explain` for people.

import picocolors from "picocolors";
import { formatVerdict } from "../../backends/nft/ruleset.ts";
import { ruleText } from "../../backends/nft/text.ts";
import type { TraceStep } from "../../backends/nft/trace.ts";
import { formatTraffic } from "../../model/flow.ts";
import { type Direction, policyDisplayName } from "../../model/policy.ts";
import { queryMatches } from "../../semantics/matching.ts";
import type { HalfVerdict } from "../../semantics/verdict.ts";
import type { ClusterView } from "../../state/view.ts";
import type { Endpoint } from "../endpoint.ts";
import { printable } from "../terminal-text.ts";
import { type Explanation, endWords, type NodeTrace } from "./explanation.ts";
import { explainHalf } from "./half-words.ts";
import { queryMissWords } from "./miss-words.ts";
import { positionWords, queryWords } from "./rule-words.ts";

export interface ExplanationTextOptions {
  readonly colour: boolean;
  /** Also the policies that do not select the pod. */
  readonly wide: boolean;
}

export function explanationText(
  view: ClusterView,
  ends: { readonly from: Endpoint; readonly to: Endpoint },
  explanation: Explanation,
  { colour, wide }: ExplanationTextOptions,
): string {
  const { bold, green, red, dim } = picocolors.createColors(colour);
  const { flow, verdict, traces, notes, disagrees } = explanation;
  const word = (allow: boolean) => (allow ? green("allow") : red("deny"));
  const title = `${endWords(ends.from, flow.source)} -> ${endWords(ends.to, flow.destination)}`;
  const lines = [`${bold(printable(title))} : ${formatTraffic(flow.traffic)}: ${bold(word(verdict.allow))}`];
  for (const direction of ["egress", "ingress"] as const) {
    const half = verdict[direction];
    const subject = half.subject === undefined ? "" : ` of ${printable(half.subject)}`;
    lines.push("", `${direction}${subject}: ${word(half.allow)}`);
    const details = explainHalf(view, direction, half, flow);
    if (wide) details.push(...unrelatedPolicies(view, direction, half));
    lines.push(...details.map((line) => `  ${printable(line)}`));
  }
  for (const trace of traces) lines.push("", ...traceLines(trace, word, dim));
  if (notes.length > 0) lines.push("");
  for (const note of notes) lines.push(printable(note));
  if (disagrees)
    lines.push("", red("The rules give another answer than the policies: a bug in nftpol. Please report it."));
  return `${lines.join("\n")}\n`;
}

const HOOK_WORDS = { forward: "forwarded", input: "received by the node", output: "sent by the node" } as const;

function traceLines(
  { node, hook, trace }: NodeTrace,
  word: (allow: boolean) => string,
  dim: (text: string) => string,
): string[] {
  const lines = [`nft rules on node ${printable(node)} (${HOOK_WORDS[hook]}):`];
  for (const step of trace.steps) {
    lines.push(`  ${dim(`${step.chain}, rule ${step.ruleIndex + 1}`)}`, `    ${printable(stepWords(step))}`);
  }
  const isAccepted = trace.verdict === "accept";
  if (!trace.byPolicy) lines.push(`  ${word(isAccepted)}`);
  else lines.push(`  ${word(isAccepted)}: ${trace.steps.length === 0 ? "no rule matches" : "no rule denies it"}`);
  return lines;
}

/** The rule, with the element of its map that the packet found. */
function stepWords({ rule, element, verdict }: TraceStep): string {
  const found = element === undefined || verdict === undefined ? "" : `  # ${element} : ${formatVerdict(verdict)}`;
  return `${ruleText(rule)}${found}`;
}

/** Policies that have no say in this half, each with the reason. */
function unrelatedPolicies(view: ClusterView, direction: Direction, half: HalfVerdict): string[] {
  const subject = half.subject === undefined ? undefined : view.selectablePod(half.subject);
  if (subject === undefined) return [];
  const lines = [...view.policies()]
    .sort((a, b) => (a.key < b.key ? -1 : 1))
    .flatMap((policy): string[] => {
      const name = `  ${policy.kind} ${policyDisplayName(policy)} (${positionWords(policy.position)})`;
      if (!queryMatches(view, policy.subject, subject)) {
        return [
          `${name}: selects ${queryWords(policy.subject)}; ${queryMissWords(view, policy.subject, subject) ?? "not this pod"}`,
        ];
      }
      return policy.isolates[direction] ? [] : [`${name}: selects the pod, has no policyTypes for ${direction}`];
    });
  return lines.length === 0 ? [] : ["policies that have no say here:", ...lines];
}
