// `nftpol explain` for people.

import picocolors from "picocolors";
import { formatTraffic } from "../../model/flow.ts";
import { type Direction, TIER_NAMES } from "../../model/policy.ts";
import type { HalfVerdict } from "../../semantics/verdict.ts";
import type { ClusterView } from "../../state/view.ts";
import type { Endpoint } from "../endpoint.ts";
import { ruleStepText } from "../rule-step-text.ts";
import { printable } from "../terminal-text.ts";
import { type Explanation, endWords, type NodeTrace } from "./explanation.ts";
import { explainHalf } from "./half-words.ts";
import { policiesWithoutSay } from "./policies-without-say.ts";
import { placeWords, ruleTitle } from "./rule-words.ts";

export interface ExplanationTextOptions {
  readonly colour: boolean;
  /** Also every rule of the tiers that was asked, and the policies that had no say. */
  readonly wide: boolean;
}

export function explanationText(
  view: ClusterView,
  ends: { readonly from: Endpoint; readonly to: Endpoint },
  explanation: Explanation,
  { colour, wide }: ExplanationTextOptions,
): string {
  const { bold, green, red, dim } = picocolors.createColors(colour);
  const { flow, verdict, throughService, traces, notes, disagrees } = explanation;
  const word = (allow: boolean) => (allow ? green("allow") : red("deny"));
  const title = `${endWords(ends.from, flow.source)} -> ${endWords(ends.to, flow.destination)}`;
  const lines = [`${bold(printable(title))} : ${formatTraffic(flow.traffic)}: ${bold(word(verdict.allow))}`];
  for (const direction of ["egress", "ingress"] as const) {
    const half = verdict[direction];
    const subject = half.subject === undefined ? "" : ` of ${printable(half.subject)}`;
    lines.push("", `${direction}${subject}: ${word(half.allow)}`);
    const details = explainHalf(view, direction, half, flow, { everyRule: true, everyTierRule: wide });
    if (throughService !== undefined) details.push(...throughServiceLines(direction, throughService[direction]));
    if (wide) details.push(...policiesWithoutSay(view, direction, half, flow));
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
  { node, hook, language, trace }: NodeTrace,
  word: (allow: boolean) => string,
  dim: (text: string) => string,
): string[] {
  const lines = [`${language} rules on node ${printable(node)} (${HOOK_WORDS[hook]}):`];
  const steps = trace.steps();
  for (const step of steps) {
    lines.push(`  ${dim(`${step.chain}, rule ${step.ruleIndex + 1}`)}`, `    ${ruleStepText(step)}`);
  }
  const isAccepted = trace.verdict === "accept";
  if (!trace.byPolicy) lines.push(`  ${word(isAccepted)}`);
  else lines.push(`  ${word(isAccepted)}: ${steps.length === 0 ? "no rule matches" : "no rule denies it"}`);
  return lines;
}

function throughServiceLines(direction: Direction, { allow, reason }: HalfVerdict): string[] {
  if (allow || reason.kind !== "tier-rule") return [];
  const { policy, rule } = reason.match;
  const by = `${ruleTitle(direction, policy, rule)} (${placeWords(policy, rule)})`;
  return [`through a service it is denied: ${TIER_NAMES[policy.tier]} tier, by ${by}`];
}
