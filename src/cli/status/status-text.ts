// `nftpol status` for people: the node's state from the top, problems where they are, then its pods. Pure.

import type { AgentStatus, PodStatus } from "../../agent/agent-status.ts";
import { alignColumns, countOf, printable, wrapped } from "../terminal-text.ts";

export interface StatusTextOptions {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Also the chains of each pod. */
  readonly wide: boolean;
  /** What is told in sentences is wrapped to this width. */
  readonly columns: number;
}

export function formatStatus(status: AgentStatus, options: StatusTextOptions): string {
  return [summary(status, options), problems(status, options), pods(status.pods, options.wide)]
    .filter((part) => part !== "")
    .join("\n");
}

function summary(status: AgentStatus, { now }: StatusTextOptions): string {
  const { backend, sync, verification, existingConnections, sources, dropped } = status;
  const dry = status.dryRun ? ", dry run" : "";
  const age = (time: string | undefined) => (time === undefined ? "never" : `${sinceText(now - Date.parse(time))} ago`);
  const commits = countOf(sync.commits, "change");
  const rows: [string, string][] = [
    ["node", status.node],
    ["agent", `nftpol ${status.version}, ${backend.version}, ${backend.writer}${dry}`],
    [
      "rules",
      sync.inForce
        ? `in force, last changed ${age(sync.lastCommitAt)} (${commits})`
        : status.dryRun
          ? `NOT in force: ${sync.reason}`
          : "NOT as the policies say",
    ],
    ["table", tableText(status)],
    [
      "verified",
      `${age(verification.lastAt)}, ${countOf(verification.repairedDifferences, "foreign change")} repaired`,
    ],
    ["policies", String(status.policies)],
    ["connections", connectionText(existingConnections)],
  ];
  if (dropped !== undefined) {
    const parts = Object.entries(dropped).map(([why, packets]) => `${why} ${packets}`);
    rows.push(["dropped", `${parts.join(", ")} packets`]);
  }
  for (const source of sources) {
    const heard =
      source.lastEventAgeSeconds === undefined ? "" : `, heard ${sinceText(source.lastEventAgeSeconds * 1000)} ago`;
    const state = source.installed === false ? "not installed" : source.synced ? "synced" : "NOT synced";
    rows.push([rows.some(([name]) => name === "reads") ? "" : "reads", `${source.resource}: ${state}${heard}`]);
  }
  return alignColumns(rows.map(([name, text]) => [name, printable(text)]));
}

function tableText({ dryRun, sync, size }: AgentStatus): string {
  if (!dryRun && sync.lastCommitAt === undefined) return "not written yet: rules of before stay";
  const counts = [countOf(size.rules, "rule"), countOf(size.sets, "set"), countOf(size.elements, "element")];
  return `${dryRun ? "would have " : ""}${counts.join(", ")}`;
}

function connectionText({ mode, tracker, cut }: AgentStatus["existingConnections"]): string {
  return mode === "keep" ? "existing ones are kept" : `rechecked through ${tracker ?? "nothing"}, ${cut} cut`;
}

function problems(status: AgentStatus, { columns }: StatusTextOptions): string {
  const { sync, sources, packetPath, findings, verification, backend, unenforcedKinds } = status;
  const lines = [
    ...(sync.reason === undefined ? [] : [`rules: ${sync.reason}`]),
    ...sources.flatMap(({ resource, lastFailure }) =>
      lastFailure === undefined ? [] : [`${resource}: ${lastFailure}`],
    ),
    ...packetPath.map((problem) => `packet path: ${problem}`),
    ...verification.lastDifferences.map((difference) => `changed by others and repaired: ${difference}`),
    ...findings.map(findingText),
    ...unenforcedKinds.map((kind) => `${kind} are there, and not enforced by this version`),
    ...backend.warnings,
  ];
  const text = lines.map((line) => wrapped(printable(line), columns, "  ")).join("");
  return text === "" ? "" : `PROBLEMS\n${text}`;
}

function findingText({ object, severity, field, message, hint }: AgentStatus["findings"][number]): string {
  const what = [severity, object, ...(field === undefined || field === "" ? [] : [field]), message].join(": ");
  return hint === undefined ? what : `${what} (${hint})`;
}

function pods(statuses: readonly PodStatus[], wide: boolean): string {
  if (statuses.length === 0) return "PODS\n  none that policies can select\n";
  const judged = (policies: readonly string[] | null) => (policies === null ? "open" : policies.join(", "));
  const hasNode = statuses.some(({ toOwnNode }) => toOwnNode !== null);
  const rows = statuses.map(({ pod, addresses, ingress, egress, toOwnNode }) =>
    [pod, addresses.join(", "), judged(ingress), judged(egress), ...(hasNode ? [judged(toOwnNode)] : [])].map((cell) =>
      printable(cell),
    ),
  );
  const titles = ["POD", "ADDRESS", "INGRESS", "EGRESS", ...(hasNode ? ["TO THIS NODE"] : [])];
  const [head = "", ...lines] = alignColumns([titles, ...rows], "  ").split("\n");
  const chains = (index: number) =>
    (wide ? (statuses[index]?.classes ?? []) : []).map((name) => `    ${printable(name)}`);
  return ["PODS", head, ...lines.flatMap((line, index) => [line, ...chains(index)])].join("\n");
}

/** `3s`, `5m`, `2h`, `4d`: as kubectl shows ages. */
export function sinceText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
