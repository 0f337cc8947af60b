// The outcome of a proof for people and as JSON.

import { formatTraffic } from "../../model/flow.ts";
import type { Direction } from "../../model/policy.ts";
import type { Counterexample, Proof } from "../../prove/prove.ts";
import type { ClusterView } from "../../state/view.ts";
import { explainHalf } from "../explain/half-words.ts";
import { ruleStepText } from "../rule-step-text.ts";
import { printable } from "../terminal-text.ts";

export interface NodeProof {
  readonly node: string;
  readonly proof: Proof;
  /** Objects of the kernel's table that are not ours; empty for rendered rules. */
  readonly foreign: readonly { readonly where: string; readonly json: string }[];
}

export function proofText(view: ClusterView, { node, proof, foreign }: NodeProof): string {
  const lines = [`node ${printable(node)}: ${headline(proof)}`];
  if (proof.outcome === "different")
    lines.push(...counterexampleLines(view, proof.counterexample).map((line) => `  ${line}`));
  if (foreign.length > 0) {
    lines.push("  in the kernel's table, but not of nftpol's making (left out of the comparison):");
    lines.push(...foreign.map(({ where, json }) => `    ${where}: ${printable(json)}`));
  }
  return `${lines.join("\n")}\n`;
}

function headline(proof: Proof): string {
  switch (proof.outcome) {
    case "equal": {
      const counts = `${proof.packetClasses} packet classes, ${proof.pairs} pairs`;
      return proof.exhaustive
        ? `equal: ${counts}`
        : `no difference in the first ${counts}; the bound was hit, the rest was not compared`;
    }
    case "different":
      return "DIFFERENT";
    case "unknown":
      return `cannot tell: ${printable(proof.reason)}`;
  }
}

function counterexampleLines(view: ClusterView, example: Counterexample): string[] {
  const { expected, rules } = example;
  const lines = [
    `packet: ${packetText(view, example)}`,
    `policies: ${expected.verdict} (${printable(expected.because)})`,
    ...(["egress", "ingress"] as const).flatMap((direction) => halfLines(view, direction, example)),
    `${rules.language} rules: ${rules.verdict}${rules.byPolicy ? " (no rule decides)" : ""}`,
  ];
  for (const step of rules.steps) lines.push(`  ${step.chain}, rule ${step.ruleIndex + 1}: ${ruleStepText(step)}`);
  return lines;
}

function halfLines(view: ClusterView, direction: Direction, { packet, traffic, expected }: Counterexample): string[] {
  const half = expected.meaning?.[direction];
  if (half === undefined) return [];
  const { source, destination, hook } = packet;
  const flow = { source, destination, traffic, throughService: true, toOwnNode: hook === "input" };
  return [
    `  ${direction}: ${half.allow ? "allow" : "deny"}`,
    ...explainHalf(view, direction, half, flow).map((line) => `    ${printable(line)}`),
  ];
}

/** `shop/web (10.0.0.1) -> shop/api (10.0.0.2) : 8080/TCP, SYN, new connection, forward hook`. */
function packetText(view: ClusterView, { packet, traffic }: Counterexample): string {
  const flags = packet.tcpFlags.size === 0 ? "" : `, ${[...packet.tcpFlags].join("+").toUpperCase()}`;
  const end = (address: typeof packet.source) => {
    const owner = view.ownerOf(address)?.key ?? view.nodeAt(address);
    return owner === undefined ? address : `${printable(owner)} (${address})`;
  };
  return `${end(packet.source)} -> ${end(packet.destination)} : ${formatTraffic(traffic)}${flags}, state ${packet.state}, hook ${packet.hook}`;
}

export function proofJson({ node, proof, foreign }: NodeProof): Readonly<Record<string, unknown>> {
  const common = { node, outcome: proof.outcome, foreign };
  switch (proof.outcome) {
    case "equal":
      return { ...common, packetClasses: proof.packetClasses, pairs: proof.pairs, exhaustive: proof.exhaustive };
    case "unknown":
      return { ...common, reason: proof.reason };
    case "different": {
      const { packet, traffic, expected, rules } = proof.counterexample;
      return {
        ...common,
        counterexample: {
          source: packet.source,
          destination: packet.destination,
          traffic: formatTraffic(traffic),
          tcpFlags: [...packet.tcpFlags],
          state: packet.state,
          hook: packet.hook,
          policies: { verdict: expected.verdict, because: expected.because },
          rules: {
            verdict: rules.verdict,
            steps: rules.steps.map((step) => ({
              chain: step.chain,
              index: step.ruleIndex,
              rule: step.rule,
              element: step.element ?? null,
            })),
          },
        },
      };
    }
  }
}
