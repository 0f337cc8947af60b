// The outcome of a proof for people and as JSON.

import type { Variant } from "../../backends/iptables/xtables-version.ts";
import { formatTraffic } from "../../model/flow.ts";
import type { Direction } from "../../model/policy.ts";
import type { Counterexample, Proof } from "../../prove/prove.ts";
import type { ClusterView } from "../../state/view.ts";
import type { BackendName } from "../backends.ts";
import { explainHalf } from "../explain/half-words.ts";
import type { ForeignObject } from "../in-force/live-rules.ts";
import { ruleStepText } from "../rule-step-text.ts";
import { printable } from "../terminal-text.ts";

export interface NodeProof {
  readonly node: string;
  readonly backend: BackendName;
  /** Of the rules in the kernel, if they are of iptables. */
  readonly variant: Variant | undefined;
  readonly proof: Proof;
  /** What is not ours among the rules in the kernel; empty for rendered rules. */
  readonly foreign: readonly ForeignObject[];
}

export function proofText(view: ClusterView, each: NodeProof): string {
  const { node, proof, foreign } = each;
  const lines = [`node ${printable(node)}${ofBackend(each)}: ${headline(proof)}`];
  if (proof.outcome === "different")
    lines.push(...counterexampleLines(view, proof.counterexample).map((line) => `  ${line}`));
  if (foreign.length > 0) {
    const where = each.backend === "nft" ? "in the kernel's table" : "among the rules in the kernel";
    lines.push(`  ${where}, but not of nftpol's making (left out of the comparison):`);
    lines.push(...foreign.map((object) => `    ${printable(object.where)}: ${printable(object.text)}`));
  }
  return `${lines.join("\n")}\n`;
}

/** Where it is not what one would think. */
function ofBackend({ backend, variant }: NodeProof): string {
  if (backend === "nft") return "";
  return variant === undefined ? ` (${backend})` : ` (${backend}, variant ${variant})`;
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

export function proofJson({ node, backend, variant, proof, foreign }: NodeProof): Readonly<Record<string, unknown>> {
  const objects = foreign.map(({ where, text }) => (backend === "nft" ? { where, json: text } : { where, text }));
  const ofVariant = variant === undefined ? {} : { variant };
  const common = { node, backend, ...ofVariant, outcome: proof.outcome, foreign: objects };
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
