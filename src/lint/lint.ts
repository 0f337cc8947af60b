// All checks of policies that are valid and may still not mean what was meant. Pure; what cannot be read is the readers' to report.

import type { ClusterView } from "../state/view.ts";
import { findBlocksThatCoverPods } from "./block-covers-pods.ts";
import { findEqualPriorities } from "./equal-priority.ts";
import type { LintFinding } from "./finding.ts";

/** `view` without policies that are invalid: those mean something else than what stands there. */
export function lintPolicies(view: ClusterView): LintFinding[] {
  return [...findEqualPriorities(view), ...findBlocksThatCoverPods(view)];
}
