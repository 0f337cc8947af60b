// Text that comes from the input, made safe to show: names and values from manifests must not drive a terminal.

/** Control characters (escape sequences, line breaks) and invisible direction marks as `\u{1b}`; `keep` are let through. */
export function printable(text: string, keep = ""): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) =>
    keep.includes(character) ? character : `\\u{${(character.codePointAt(0) as number).toString(16)}}`,
  );
}

/** Rows as aligned columns, two spaces between them, nothing at line ends. `indent` stands before every line. */
export function alignColumns(rows: readonly (readonly string[])[], indent = ""): string {
  const widths: number[] = [];
  for (const row of rows) {
    row.forEach((cell, column) => {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    });
  }
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
  return lines.map((line) => `${indent}${line}\n`).join("");
}

/** `1 pod`, `2 pods`; `plural` where an s is not enough. */
export function countOf(count: number, singular: string, plural = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

/** Lines of at most `columns`, broken between words, all but the first indented by two more than `indent`. A longer word stays whole. */
export function wrapped(text: string, columns: number, indent: string): string {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(" ")) {
    const isFirst = line.trim() === "";
    if (!isFirst && line.length + 1 + word.length > columns) {
      lines.push(line);
      line = `${indent}  ${word}`;
    } else line += isFirst ? word : ` ${word}`;
  }
  return [...lines, line].map((each) => `${each}\n`).join("");
}
