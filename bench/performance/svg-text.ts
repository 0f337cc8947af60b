// The text of SVG elements: escaped, with numbers that do not depend on the last bits of a sum. Owns how wide text is taken to be:
// nobody is there to ask for the font.

export type Attributes = Readonly<Record<string, string | number | undefined>>;

/** `undefined` leaves the attribute out. Children are SVG, not text. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const written = Object.entries(attributes).flatMap(([key, value]) =>
    value === undefined ? [] : [` ${key}="${typeof value === "number" ? coordinate(value) : escapeXml(value)}"`],
  );
  const start = `<${name}${written.join("")}`;
  return children.length === 0 ? `${start}/>` : `${start}>${children.join("")}</${name}>`;
}

export function textElement(attributes: Attributes, text: string): string {
  return element("text", attributes, escapeXml(text));
}

/** In text and in attributes. What XML 1.0 has no way to write becomes a replacement character. */
export function escapeXml(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;")
    .replaceAll(/[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, "\uFFFD");
}

/** In pixels, to a hundredth. */
export function coordinate(pixels: number): string {
  const rounded = Math.round(pixels * 100) / 100;
  return `${rounded === 0 ? 0 : rounded}`;
}

/** In pixels, rather too wide than too narrow for the usual sans-serif fonts. */
export function textWidth(text: string, fontSize: number): number {
  let ems = 0;
  for (const character of text)
    ems += /[il.,:;'|!()[\] ]/.test(character) ? 0.32 : /[mwMW%@µ]/.test(character) ? 0.88 : 0.58;
  return ems * fontSize;
}

/** Lines of whole words, none wider than `width` unless a word alone is. */
export function wrapped(text: string, width: number, fontSize: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1);
    if (line !== undefined && textWidth(`${line} ${word}`, fontSize) <= width)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
