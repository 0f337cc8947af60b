// The matrix as a GitHub table, for reviews. Names are data: they become code where they are plain, and character
// references where they are not, so that none can end a cell, make a link or mention somebody.

import { cellText, compactPorts, SELF_TEXT } from "./cell-text.ts";
import type { GroupedMatrix } from "./groups.ts";

export function formatMarkdown({ groups, matrix, cell }: GroupedMatrix): string {
  if (groups.length === 0) return "No pods.\n";
  const names = groups.map((group) => markdownLabel(group.label));
  const lines = [
    `Ports asked: ${compactPorts(matrix.ports)}. From the left to the top; \`-\` is nothing, \`${SELF_TEXT}\` the pod itself.`,
    "",
    tableLine(["from \\ to", ...names]),
    tableLine(["---", ...names.map(() => ":-:")]),
    ...groups.map((_, from) =>
      tableLine([names[from] as string, ...groups.map((__, to) => cellText(cell(from, to), matrix.ports))]),
    ),
  ];
  return `${lines.join("\n")}\n`;
}

function tableLine(cells: readonly string[]): string {
  return `| ${cells.map((cell) => (cell === "" ? " " : cell)).join(" | ")} |`;
}

/** `shop/web (3)` -> `` `shop/web` (3) ``. */
function markdownLabel(label: string): string {
  const match = /^([A-Za-z0-9./:_-]+)( \(\+?\d+\))?$/.exec(label);
  if (match !== null) return `\`${match[1]}\`${match[2] ?? ""}`;
  return [...label].map(characterReference).join("");
}

/** Letters and digits as they are; the zero-width space behind `@` keeps GitHub from seeing a mention. */
function characterReference(character: string): string {
  if (/[A-Za-z0-9 ./_]/.test(character) && character !== "_") return character;
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u.test(character)) return "&#65533;";
  return `&#${character.codePointAt(0)};${character === "@" ? "&#8203;" : ""}`;
}
