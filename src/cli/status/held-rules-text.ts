// What the kernel holds of nftpol's rules, in words, where no agent tells it: of each backend what is there, and what is not known. Pure.

import type { BackendError } from "../../backends/backend.ts";
import { PREFIX } from "../../backends/iptables/names.ts";
import type { HeldRules } from "../in-force/look.ts";
import { countOf } from "../terminal-text.ts";
import { describeIptables } from "./iptables-text.ts";
import { describeKernelTable } from "./kernel-text.ts";

/** `whose`: of whom rules would be (`an earlier one`). */
export function describeHeldRules({ table, iptables, problems }: HeldRules, whose: string): readonly string[] {
  const lines = [
    ...(table === undefined ? [] : describeKernelTable(table, whose)),
    ...iptables.variants.flatMap((each) => describeIptables(each, whose)),
  ];
  const [first, ...others] = problems;
  if (lines.length === 0 && first !== undefined)
    return [...describeProblem(first, "and what this kernel holds is not known"), ...furtherProblems(others)];
  if (lines.length === 0) lines.push("and there are no rules of nftpol in this kernel: nothing is enforced");
  if (iptables.variants.length === 0 && iptables.sets.length > 0)
    lines.push(`${countOf(iptables.sets.length, "set")} of ipset (${PREFIX}…) left over: nftpol cleanup removes them`);
  return [...lines, ...furtherProblems(problems)];
}

/** The error with what to do about it. */
export function describeProblem({ message, hint }: BackendError, what: string): readonly string[] {
  return hint === undefined ? [`${what}: ${message}`] : [`${what}: ${message}`, hint];
}

function furtherProblems(problems: readonly BackendError[]): readonly string[] {
  return problems.flatMap((problem) => describeProblem(problem, "not all could be looked at"));
}
