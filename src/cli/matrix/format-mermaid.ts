// The matrix as a Mermaid flowchart: namespaces as subgraphs, an arrow for what is allowed.
// Names are data: every character that is not plainly harmless becomes Mermaid's `#code;`.

import { compactPorts } from "./cell-text.ts";
import { allowedEdges, clustersOf } from "./edges.ts";
import type { GroupedMatrix } from "./groups.ts";

/** Mermaid's own defaults (GitHub's too): beyond them it shows an error instead of the picture. */
export const MERMAID_MAX_EDGES = 500;
export const MERMAID_MAX_CHARACTERS = 50_000;

export function formatMermaid(grouped: GroupedMatrix): string {
  const lines = [`%% who reaches whom; ports asked: ${compactPorts(grouped.matrix.ports)}`, "flowchart LR"];
  for (const [number, { namespace, members }] of clustersOf(grouped).entries()) {
    const indent = namespace === undefined ? "  " : "    ";
    if (namespace !== undefined) lines.push(`  subgraph ns${number}[${quote(namespace)}]`);
    for (const { index, group } of members) {
      const [open, close] = namespace === undefined ? ["([", "])"] : ["[", "]"];
      lines.push(`${indent}g${index}${open}${quote(group.shortLabel)}${close}`);
    }
    if (namespace !== undefined) lines.push("  end");
  }
  for (const { from, to, both, label } of allowedEdges(grouped)) {
    lines.push(`  g${from} ${both ? "<-->" : "-->"}|${quote(label)}| g${to}`);
  }
  return `${lines.join("\n")}\n`;
}

function quote(text: string): string {
  return `"${[...text].map(escapeCharacter).join("")}"`;
}

function escapeCharacter(character: string): string {
  if (/[A-Za-z0-9 ./:,()+-]/.test(character)) return character;
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(character)) return "#65533;";
  return `#${character.codePointAt(0)};`;
}
