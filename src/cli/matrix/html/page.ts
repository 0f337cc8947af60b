// The matrix as one self-contained page: a static table that reads without scripts, and data for the script that
// filters it and shows reasons. Nothing is fetched; a content security policy forbids it and allows only our script.

import { createHash } from "node:crypto";
import { countOf, printable } from "../../terminal-text.ts";
import { type CellState, cellState, cellText, compactPorts, familiesDiffer, shortCellText } from "../cell-text.ts";
import type { Group, GroupedMatrix } from "../groups.ts";
import { buildPageData } from "./page-data.ts";
import { PAGE_SCRIPT } from "./page-script.ts";
import { PAGE_STYLE } from "./page-style.ts";

/** More groups than this: headers stand upright and cells are short. */
const ROOMY_GROUPS = 10;
/** Longest text of a cell in a large table: `5 of 12`. */
const DENSE_CELL_WIDTH = 7;

export function formatHtml(grouped: GroupedMatrix): string {
  const { groups, matrix } = grouped;
  const isDense = groups.length > ROOMY_GROUPS;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentSecurityPolicy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>Who reaches whom</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
<header>
<h1>Who reaches whom</h1>
<p>${whoText(grouped)}. From the left to the top. Ports asked: <b>${escapeHtml(compactPorts(matrix.ports))}</b></p>
<form id="tools" hidden>
<label>From <input id="from" type="search" autocomplete="off" spellcheck="false" placeholder="part of a name"></label>
<label>To <input id="to" type="search" autocomplete="off" spellcheck="false" placeholder="part of a name"></label>
<label>Port <select id="port"><option value="">all</option>${portOptions(grouped)}</select></label>
<output id="count"></output>
</form>
<ul class="legend" aria-label="legend">${legend(grouped)}</ul>
</header>
<main>
<div class="scroll">
<table id="matrix" class="${isDense ? "dense" : "roomy"}">
<thead><tr><th scope="col" class="corner">from \\ to</th>${groups.map(columnHeader).join("")}</tr></thead>
<tbody>
${groups.map((group, from) => tableRow(grouped, group, from, isDense)).join("\n")}
</tbody>
</table>
</div>
<aside id="details" aria-live="polite" aria-label="reasons"><p class="hint">Point at a cell to see why; click it, or press Enter on it, to keep the reasons here. Arrow keys move, Escape lets go.</p></aside>
</main>
<noscript><p class="hint">Filters and reasons need scripts; the table does not.</p></noscript>
<script type="application/json" id="data">${embedJson(buildPageData(grouped))}</script>
<script>${PAGE_SCRIPT}</script>
</body>
</html>
`;
}

/** `5 pods in 3 groups of equals, 1 address`. */
function whoText({ groups, matrix }: GroupedMatrix): string {
  const pods = matrix.endpoints.filter(({ pod }) => pod !== undefined).length;
  const plain = matrix.endpoints.length - pods;
  const text = `${countOf(pods, "pod")} in ${countOf(groups.length - plain, "group")} of equals`;
  return plain === 0 ? text : `${text}, ${countOf(plain, "address", "addresses")}`;
}

function contentSecurityPolicy(): string {
  const hash = (text: string) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;
  const policy = `default-src 'none'; style-src ${hash(PAGE_STYLE)}; script-src ${hash(PAGE_SCRIPT)}; img-src data:`;
  return `${policy}; base-uri 'none'; form-action 'none'`;
}

function portOptions({ matrix }: GroupedMatrix): string {
  return matrix.ports
    .map((port, index) => `<option value="${index}">${escapeHtml(compactPorts([port]))}</option>`)
    .join("");
}

const LEGEND: Readonly<Record<CellState, string>> = {
  all: "all ports asked",
  some: "these ports",
  none: "nothing",
  self: "the pod itself",
  unasked: "not asked",
};

/** Only what occurs. */
function legend({ groups, matrix, cell }: GroupedMatrix): string {
  const states = new Set<CellState>();
  let differ = false;
  for (const from of groups.keys()) {
    for (const to of groups.keys()) {
      states.add(cellState(cell(from, to), matrix.ports));
      differ ||= familiesDiffer(cell(from, to), matrix.ports);
    }
  }
  const items = (Object.keys(LEGEND) as CellState[]).filter((state) => states.has(state));
  const entries = items.map((state) => `<li><span class="swatch ${state}"></span>${LEGEND[state]}</li>`);
  if (differ) entries.push(`<li><b>IPv4: IPv6: 0-1/9</b> not the same for both families</li>`);
  return entries.join("");
}

function columnHeader(group: Group): string {
  return `<th scope="col" title="${escapeHtml(group.label)}">${headerText(group)}</th>`;
}

function headerText({ namespace, shortLabel }: Group): string {
  const name = `<span class="name">${escapeHtml(shortLabel)}</span>`;
  return namespace === undefined ? name : `<span class="ns">${escapeHtml(namespace)}/</span>${name}`;
}

function tableRow({ groups, matrix, cell }: GroupedMatrix, group: Group, from: number, isDense: boolean): string {
  const cells = groups.map((_, to) => {
    const each = cell(from, to);
    const text = isDense
      ? shortCellText(each, matrix.ports, DENSE_CELL_WIDTH).replace(" of ", "/")
      : cellText(each, matrix.ports);
    return `<td class="${cellState(each, matrix.ports)}">${escapeHtml(text)}</td>`;
  });
  return `<tr><th scope="row" title="${escapeHtml(group.label)}">${headerText(group)}</th>${cells.join("")}</tr>`;
}

/** Text for HTML, in attributes too; control characters are shown, not used. */
export function escapeHtml(text: string): string {
  return printable(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");
}

/** JSON that can neither end its script element nor begin a comment in it, whatever the texts. */
export function embedJson(data: unknown): string {
  return JSON.stringify(data).replace(
    /[<>&\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
