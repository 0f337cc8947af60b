// The matrix as a Graphviz digraph: namespaces as clusters, an arrow for what is allowed.
// Names are data: quoted, with backslashes doubled so that none of Graphviz's escapes is read in them.

import { printable } from "../terminal-text.ts";
import { compactPorts } from "./cell-text.ts";
import { allowedEdges, clustersOf } from "./edges.ts";
import type { GroupedMatrix } from "./groups.ts";

export function formatDot(grouped: GroupedMatrix): string {
  const lines = [
    "digraph matrix {",
    `  label=${quote(`who reaches whom; ports asked: ${compactPorts(grouped.matrix.ports)}`)};`,
    "  rankdir=LR;",
    '  fontname="sans-serif"; node [fontname="sans-serif", shape=box, style=rounded]; edge [fontname="sans-serif", fontsize=10];',
  ];
  for (const [number, { namespace, members }] of clustersOf(grouped).entries()) {
    const indent = namespace === undefined ? "  " : "    ";
    if (namespace !== undefined) lines.push(`  subgraph cluster_${number} {`, `    label=${quote(namespace)};`);
    for (const { index, group } of members) {
      const shape = namespace === undefined ? ", shape=ellipse" : "";
      lines.push(`${indent}g${index} [label=${quote(group.shortLabel)}${shape}];`);
    }
    if (namespace !== undefined) lines.push("  }");
  }
  for (const { from, to, both, label } of allowedEdges(grouped)) {
    lines.push(`  g${from} -> g${to} [label=${quote(label)}${both ? ", dir=both" : ""}];`);
  }
  lines.push("}");
  return `${lines.join("\n")}\n`;
}

/** Graphviz reads HTML character references in quoted text too. */
function quote(text: string): string {
  return `"${printable(text).replaceAll("&", "&amp;").replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}
