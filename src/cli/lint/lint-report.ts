// What `nftpol lint` prints for people and for scripts.

import type { LintExample, LintFinding } from "../../lint/finding.ts";
import { formatTraffic } from "../../model/flow.ts";
import { policyReference, rulePath } from "../../model/policy.ts";
import type { Address } from "../../net/address.ts";
import type { ClusterView } from "../../state/view.ts";
import { countFindings, formatDiagnostic } from "../diagnostics.ts";
import { jsonDocument } from "../json-output.ts";

/** One line for each finding, then their count. */
export function lintText(findings: readonly LintFinding[]): string {
  if (findings.length === 0) return "no findings\n";
  return [...findings.map(formatDiagnostic), countFindings(findings)].map((line) => `${line}\n`).join("");
}

export function lintJson(view: ClusterView, findings: readonly LintFinding[]): string {
  return jsonDocument("LintReport", { findings: findings.map((finding) => findingJson(view, finding)) });
}

function findingJson(view: ClusterView, finding: LintFinding): Readonly<Record<string, unknown>> {
  const { code, severity, position, object, field, message, hint, example } = finding;
  const { file, line, column } = position;
  const common = { code, severity, file, line, column, object, field, message, hint };
  return example === undefined ? common : { ...common, ...exampleJson(view, example) };
}

function exampleJson(view: ClusterView, { direction, flow, matches }: LintExample): Readonly<Record<string, unknown>> {
  const end = (address: Address) => view.ownerOf(address)?.key ?? address;
  return {
    flow: {
      from: end(flow.source),
      to: end(flow.destination),
      source: flow.source,
      destination: flow.destination,
      traffic: formatTraffic(flow.traffic),
    },
    rules: matches.map(({ policy, rule }) => ({
      policy: policyReference(policy),
      rule: rulePath(direction, rule),
      action: rule.action,
      file: rule.position.file,
      line: rule.position.line ?? null,
    })),
  };
}
