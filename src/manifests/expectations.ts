// Expectation files written by people (`*.expect.yaml`), read with the line of each entry.
// Owns their syntax; what endpoints and ports mean is decided by `nftpol test`.

import {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseDocument,
  type Scalar,
  type YAMLMap,
  type Node as YamlNode,
} from "yaml";
import { closestWord } from "../dialects/closest-word.ts";
import type { Diagnostic, SourcePosition } from "../model/diagnostic.ts";

export type ExpectedVerdict = "allow" | "deny";

/** One entry: holds for every combination of `from`, `to` and `ports`. Endpoints and ports as written. */
export interface Expectation {
  readonly from: readonly string[];
  readonly to: readonly string[];
  readonly ports: readonly string[];
  /** undefined: not asked. */
  readonly verdict: ExpectedVerdict | undefined;
  readonly ingress: ExpectedVerdict | undefined;
  readonly egress: ExpectedVerdict | undefined;
  /** undefined: every family that both ends have. */
  readonly family: 4 | 6 | undefined;
  readonly why: string | undefined;
  readonly position: SourcePosition;
}

export interface ExpectationFile {
  readonly description: string | undefined;
  /** Files relative to the folder; undefined: all manifests in it. */
  readonly manifests: readonly string[] | undefined;
  readonly expectations: readonly Expectation[];
  readonly diagnostics: readonly Diagnostic[];
}

const TOP_KEYS = ["description", "manifests", "allow", "deny", "checks"];
const CHECK_KEYS = ["from", "to", "ports", "verdict", "ingress", "egress", "family", "why"];

/** Reads `*.expect.yaml`; reports everything that is wrong with it. */
export function readExpectations(file: string, text: string): ExpectationFile {
  return new ExpectationReader(file, text).read();
}

class ExpectationReader {
  readonly #file: string;
  readonly #text: string;
  readonly #lines = new LineCounter();
  readonly #diagnostics: Diagnostic[] = [];
  readonly #expectations: Expectation[] = [];

  constructor(file: string, text: string) {
    this.#file = file;
    this.#text = text;
  }

  read(): ExpectationFile {
    const document = parseDocument(this.#text, { lineCounter: this.#lines, prettyErrors: false, logLevel: "silent" });
    for (const error of document.errors) {
      this.#report(error.pos[0], undefined, `${error.message.charAt(0).toLowerCase()}${error.message.slice(1)}`);
    }
    const root = document.contents;
    if (document.errors.length > 0) return this.#result(undefined, undefined);
    if (!isMap(root)) {
      this.#report(root, undefined, "an expectation file is a mapping", `its keys are ${TOP_KEYS.join(", ")}`);
      return this.#result(undefined, undefined);
    }
    this.#checkKeys(root, TOP_KEYS, "");
    this.#readLines(root.get("allow", true), "allow");
    this.#readLines(root.get("deny", true), "deny");
    this.#readChecks(root.get("checks", true));
    const description = this.#text_(root.get("description", true), "description");
    const manifests = root.has("manifests") ? this.#texts(root.get("manifests", true), "manifests") : undefined;
    if (this.#expectations.length === 0 && this.#diagnostics.length === 0) {
      this.#report(root, undefined, "the file expects nothing", "give allow, deny or checks");
    }
    return this.#result(description, manifests);
  }

  #result(description: string | undefined, manifests: readonly string[] | undefined): ExpectationFile {
    return { description, manifests, expectations: this.#expectations, diagnostics: this.#diagnostics };
  }

  #readLines(list: unknown, verdict: ExpectedVerdict): void {
    if (list === undefined) return;
    if (!isSeq(list)) {
      if (!isNull(list)) this.#report(list, verdict, "must be a list of lines", "- FROM -> TO : PORT");
      return;
    }
    list.items.forEach((item, index) => {
      const field = `${verdict}[${index}]`;
      const text = lineText(item);
      const parsed = text === undefined ? undefined : parseExpectationLine(text);
      if (parsed === undefined) {
        this.#report(
          item,
          field,
          "not of the form FROM, ... -> TO, ... : PORT, ...",
          "shop/web -> shop/api : 8080/TCP",
        );
      } else {
        const open = { ingress: undefined, egress: undefined, family: undefined, why: undefined };
        this.#expectations.push({ ...parsed, ...open, verdict, position: this.#position(item) });
      }
    });
  }

  #readChecks(list: unknown): void {
    if (list === undefined || isNull(list)) return;
    if (!isSeq(list)) {
      this.#report(list, "checks", "must be a list", "- { from: a/b, to: c/d, ports: [80/TCP], verdict: allow }");
      return;
    }
    list.items.forEach((item, index) => {
      const field = `checks[${index}]`;
      if (!isMap(item)) this.#report(item, field, "must be a mapping");
      else this.#readCheck(item, field);
    });
  }

  #readCheck(item: YAMLMap, field: string): void {
    this.#checkKeys(item, CHECK_KEYS, field);
    const before = this.#diagnostics.length;
    const required = (key: string) => {
      if (item.has(key)) return this.#texts(item.get(key, true), `${field}.${key}`);
      this.#report(item, `${field}.${key}`, "is missing");
      return [];
    };
    const [from, to, ports] = [required("from"), required("to"), required("ports")];
    const verdict = this.#verdict(item, "verdict", field);
    const ingress = this.#verdict(item, "ingress", field);
    const egress = this.#verdict(item, "egress", field);
    const family = this.#family(item, field);
    const why = this.#text_(item.get("why", true), `${field}.why`);
    if (this.#diagnostics.length > before) return;
    if (verdict === undefined && ingress === undefined && egress === undefined) {
      this.#report(item, field, "asks nothing", "give verdict, ingress or egress");
      return;
    }
    this.#expectations.push({ from, to, ports, verdict, ingress, egress, family, why, position: this.#position(item) });
  }

  #verdict(item: YAMLMap, key: string, field: string): ExpectedVerdict | undefined {
    const node = item.get(key, true);
    const value = isScalar(node) ? node.value : undefined;
    if (node === undefined || value === null) return undefined;
    if (value === "allow" || value === "deny") return value;
    this.#report(node, `${field}.${key}`, "must be allow or deny");
    return undefined;
  }

  #family(item: YAMLMap, field: string): 4 | 6 | undefined {
    const node = item.get("family", true);
    if (node === undefined) return undefined;
    if (isScalar(node) && node.value === "IPv4") return 4;
    if (isScalar(node) && node.value === "IPv6") return 6;
    this.#report(node, `${field}.family`, "must be IPv4 or IPv6");
    return undefined;
  }

  /** One text, or a list of texts. */
  #texts(node: unknown, field: string): string[] {
    const items = isSeq(node) ? node.items : [node];
    if (items.length === 0) this.#report(node, field, "must not be empty");
    return items.flatMap((item) => {
      const value = isScalar(item) ? item.value : undefined;
      if (typeof value === "string" && value !== "") return [value];
      if (typeof value === "number") return [String(value)];
      this.#report(item, field, "must be text or a list of texts");
      return [];
    });
  }

  #text_(node: unknown, field: string): string | undefined {
    if (node === undefined || isNull(node)) return undefined;
    if (isScalar(node)) return String(node.value);
    this.#report(node, field, "must be text");
    return undefined;
  }

  #checkKeys(map: YAMLMap, known: readonly string[], field: string): void {
    for (const { key } of map.items) {
      const name = isScalar(key) ? String(key.value) : "?";
      if (known.includes(name)) continue;
      const closest = closestWord(name, known);
      const hint = closest === undefined ? `the keys are ${known.join(", ")}` : `did you mean ${closest}?`;
      this.#report(key, field === "" ? undefined : field, `unknown key ${JSON.stringify(name)}`, hint);
    }
  }

  #report(at: unknown, field: string | undefined, message: string, hint?: string): void {
    this.#diagnostics.push({
      code: "expectation-file",
      severity: "error",
      position: typeof at === "number" ? this.#positionAt(at) : this.#position(at),
      ...(field === undefined ? {} : { field }),
      message,
      ...(hint === undefined ? {} : { hint }),
    });
  }

  #position(node: unknown): SourcePosition {
    return this.#positionAt((node as YamlNode | null | undefined)?.range?.[0] ?? 0);
  }

  #positionAt(offset: number): SourcePosition {
    const { line, col } = this.#lines.linePos(offset);
    return { file: this.#file, line: Math.max(1, line), column: Math.max(1, col) };
  }
}

/** A line as it was written. YAML reads the unquoted `a -> b : 80/TCP` as a mapping of one key. */
function lineText(item: unknown): string | undefined {
  if (isScalar(item)) return typeof item.value === "string" ? item.value : undefined;
  const [pair, more] = isMap(item) ? item.items : [];
  if (pair === undefined || more !== undefined || !isScalar(pair.key) || !isScalar(pair.value)) return undefined;
  return `${pair.key.value} : ${pair.value.source ?? pair.value.value}`;
}

function isNull(node: unknown): boolean {
  return node === null || (isScalar(node) && (node as Scalar).value === null);
}

/** `a/b, c/d -> e/f : 80/TCP, ICMP`; undefined when it has not that form. An address may contain colons. */
export function parseExpectationLine(
  text: string,
): { readonly from: string[]; readonly to: string[]; readonly ports: string[] } | undefined {
  const match = /^(.+?)\s*->\s*(.+?)\s+:\s+(.+)$/.exec(text.trim());
  if (match === null) return undefined;
  const [from, to, ports] = match.slice(1).map((list) => list.split(",").map((word) => word.trim()));
  if (from === undefined || to === undefined || ports === undefined) return undefined;
  return [...from, ...to, ...ports].some((word) => word === "" || /\s|->/.test(word)) ? undefined : { from, to, ports };
}
