// `nftpol lint`: everything there is to say about policies, the invalid ones included.

import type { LintFinding } from "../../lint/finding.ts";
import { lintPolicies } from "../../lint/lint.ts";
import type { Diagnostic } from "../../model/diagnostic.ts";
import { policyDisplayName } from "../../model/policy.ts";
import { restrictPolicies } from "../../state/restricted-view.ts";
import type { ClusterView } from "../../state/view.ts";
import { inReadingOrder, loadFindings } from "../input.ts";
import { lintJson, lintText } from "../lint/lint-report.ts";
import { type ExitCode, textOption, type VerbRun } from "../verb.ts";

export const run: VerbRun = async (_args, options, context) => {
  const { input, diagnostics } = await loadFindings(options, context);
  const findings = inReadingOrder<LintFinding>([
    ...diagnostics,
    ...lintPolicies(withoutInvalid(input.store, diagnostics)),
  ]);
  context.stdout(textOption(options, "output") === "json" ? lintJson(input.store, findings) : lintText(findings));
  return exitCodeOf(findings);
};

/** An invalid policy is closed: what it means then, nobody wrote. */
function withoutInvalid(view: ClusterView, diagnostics: readonly Diagnostic[]): ClusterView {
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  const invalid = new Set(errors.map(({ object }) => object));
  const valid = [...view.policies()].filter((policy) => !invalid.has(`${policy.kind} ${policyDisplayName(policy)}`));
  return restrictPolicies(view, valid);
}

/** Then objects may be missing that nobody knows of. */
const UNREADABLE: ReadonlySet<string> = new Set([
  "file-unreadable",
  "file-vanished",
  "no-manifests",
  "not-utf8",
  "document-too-large",
  "syntax-error",
]);

function exitCodeOf(findings: readonly LintFinding[]): ExitCode {
  if (findings.some(({ code }) => UNREADABLE.has(code))) return 2;
  return findings.length > 0 ? 1 : 0;
}
