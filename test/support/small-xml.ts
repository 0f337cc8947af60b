// XML read strictly, as far as reports need it: elements, attributes, text, the five entities. Throws for what is not well-formed.

export interface XmlElement {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };
const NAME = "[A-Za-z_][\\w.-]*";
const TOKEN = new RegExp(`<(/?)(${NAME})((?:\\s+${NAME}="[^"<]*")*)\\s*(/?)>|([^<]+)`, "y");

/** The root element of a document with an XML declaration. */
export function parseXml(document: string): XmlElement {
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
  if (!document.startsWith(declaration)) throw new Error("no XML declaration");
  const body = document.slice(declaration.length).trimEnd();
  // XML 1.0, 2.2: what no document may have.
  if (/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.test(body))
    throw new Error("a forbidden character");
  const root = { name: "", attributes: {}, children: [] as XmlElement[], text: "" };
  const open: { name: string; attributes: Record<string, string>; children: XmlElement[]; text: string }[] = [root];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < body.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(body);
    if (match === null) throw new Error(`not well-formed: ${body.slice(at, at + 60)}`);
    const [, close, name = "", attributes = "", empty, text] = match;
    const current = open.at(-1);
    if (current === undefined) throw new Error("more than one root");
    if (text !== undefined) {
      if (text.includes("]]>")) throw new Error("]]> in text");
      current.text += unescaped(text);
    } else if (close === "/") {
      if (current.name !== name || open.length === 1) throw new Error(`</${name}> closes <${current.name}>`);
      open.pop();
    } else {
      const element = { name, attributes: attributesOf(attributes), children: [] as XmlElement[], text: "" };
      current.children.push(element);
      if (empty === "") open.push(element);
    }
  }
  const [only, more] = root.children;
  if (open.length !== 1 || only === undefined || more !== undefined || root.text.trim() !== "")
    throw new Error("no single root");
  return only;
}

function attributesOf(text: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [, name = "", value = ""] of text.matchAll(new RegExp(`(${NAME})="([^"]*)"`, "g"))) {
    if (name in found) throw new Error(`attribute ${name} twice`);
    found[name] = unescaped(value);
  }
  return found;
}

function unescaped(text: string): string {
  return text.replace(/&([^;]*)(;?)/g, (whole, name: string, end: string) => {
    const character = end === ";" ? ENTITIES[name] : undefined;
    if (character === undefined) throw new Error(`a bare ampersand: ${whole.slice(0, 20)}`);
    return character;
  });
}
