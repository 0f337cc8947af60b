// `nft -j list table inet nftpol` -> ruleset. Understands what our rules use, in the spellings of nft 1.0.6 and newer.
// What it does not understand (somebody else's rule in our table) is kept as a finding, never guessed.

import type {
  Chain,
  Expression,
  Field,
  Hook,
  NamedSet,
  Rule,
  Ruleset,
  Statement,
  Verdict,
  VerdictEntry,
  VerdictMap,
} from "./ruleset.ts";
import { fieldFromJson, fieldOfType } from "./types.ts";
import { protocolNumberOf } from "./words.ts";

export interface ReadBack {
  readonly ruleset: Ruleset;
  /** Objects in the table that are not of our making, each with its JSON. Rules among them are missing from their chain. */
  readonly unknown: readonly UnknownObject[];
}

export interface UnknownObject {
  /** Where it stands: `chain forward, rule 2`, `set x`. */
  readonly where: string;
  readonly json: string;
}

class NotOurs extends Error {}

type Json = Record<string, unknown>;

/** `text` is the complete output for one table. Throws SyntaxError when it is no JSON at all. */
export function readTable(table: string, text: string): ReadBack {
  const objects = (JSON.parse(text) as { nftables: Json[] }).nftables;
  const counters = new Set<string>();
  const sets = new Map<string, NamedSet | VerdictMap>();
  const chains = new Map<string, Omit<Chain, "rules"> & { rules: Rule[] }>();
  const unknown: UnknownObject[] = [];
  const guard = (where: string, json: unknown, read: () => void): void => {
    try {
      read();
    } catch (error) {
      if (!(error instanceof NotOurs)) throw error;
      unknown.push({ where, json: JSON.stringify(json) });
    }
  };
  for (const object of objects) {
    const [kind, body] = Object.entries(object)[0] as [string, Json];
    const name = String(body.name);
    if (kind === "metainfo" || kind === "table") continue;
    else if (kind === "counter") counters.add(name);
    else if (kind === "set" || kind === "map")
      guard(`${kind} ${name}`, body, () => sets.set(name, readSet(kind, body)));
    else if (kind === "chain") guard(`chain ${name}`, body, () => chains.set(name, { ...readChain(body), rules: [] }));
    else if (kind === "rule") {
      const chain = chains.get(String(body.chain));
      const where = `chain ${body.chain}, rule ${(chain?.rules.length ?? 0) + 1}`;
      guard(where, body, () => (chain ?? notOurs()).rules.push(readRule(body)));
    } else unknown.push({ where: kind, json: JSON.stringify(body) });
  }
  return { ruleset: { table, counters, sets, chains }, unknown };
}

function readSet(kind: "set" | "map", body: Json): NamedSet | VerdictMap {
  const flags = (body.flags as string[] | undefined) ?? [];
  if (flags.some((flag) => flag !== "interval")) throw new NotOurs();
  const common = {
    name: String(body.name),
    key: readKey(body.type),
    interval: flags.includes("interval"),
    size: body.size as number | undefined,
    comment: body.comment as string | undefined,
  };
  const elements = (body.elem as unknown[] | undefined) ?? [];
  if (kind === "set") return { kind, ...common, elements: new Set(elements.map(readElement)) };
  if (body.map !== "verdict") throw new NotOurs();
  const pairs = elements as [unknown, Json][];
  return {
    kind,
    ...common,
    elements: new Map(pairs.map(([key, verdict]) => [readElement(key), readVerdict(verdict)])),
  };
}

function readKey(type: unknown): Field[] {
  if (typeof type === "object" && type !== null && "typeof" in type) {
    const inner = type.typeof as Json;
    const parts = "concat" in inner ? (inner.concat as unknown[]) : [inner];
    return parts.map((part) => fieldFromJson(part) ?? notOurs());
  }
  const names = Array.isArray(type) ? type : [type];
  return names.map((name) => fieldOfType(String(name)) ?? notOurs());
}

function readChain(body: Json): Omit<Chain, "rules"> {
  const common = { name: String(body.name), comment: body.comment as string | undefined };
  if (body.hook === undefined) return { ...common, hook: undefined };
  const hook = body.hook as Hook;
  if (!["forward", "input", "output"].includes(hook) || body.type !== "filter" || body.policy !== "accept")
    throw new NotOurs();
  return { ...common, hook: { name: hook, priority: body.prio as number } };
}

function readRule(body: Json): Rule {
  const statements = (body.expr as Json[]).map(readStatement);
  return { statements, comment: body.comment as string | undefined };
}

function readStatement(json: Json): Statement {
  const [kind, body] = Object.entries(json)[0] as [string, Json];
  switch (kind) {
    case "match":
      return readMatch(body);
    case "vmap":
      return { kind: "vmap", key: readExpression(body.key), map: readLookup(body.data) };
    case "counter":
      return typeof body === "string" ? { kind: "counter", name: body } : notOurs();
    case "log":
      return readLog(body);
    case "limit":
      return readLimit(body);
    default:
      return { kind: "verdict", verdict: readVerdict(json) };
  }
}

function readLog(body: unknown): Statement {
  if (!isJson(body) || !hasOnly(body, ["prefix", "group"])) return notOurs();
  return typeof body.prefix === "string" && typeof body.group === "number"
    ? { kind: "log", prefix: body.prefix, group: body.group }
    : notOurs();
}

function readLimit(body: unknown): Statement {
  // A limit by bytes says so in `rate_unit`; one without unit counts packets.
  if (!isJson(body) || !hasOnly(body, ["rate", "burst", "per"]) || body.per !== "second") return notOurs();
  return typeof body.rate === "number" && typeof body.burst === "number"
    ? { kind: "limit", perSecond: body.rate, burstPackets: body.burst }
    : notOurs();
}

function hasOnly(body: Json, keys: readonly string[]): boolean {
  return Object.keys(body).every((key) => keys.includes(key));
}

function readMatch(body: Json): Statement {
  const left = readExpression(body.left);
  const right = body.right;
  const op = body.op as string;
  // A single flag under "in" is a flag list too; with one flag it means the same as equality for connection states.
  const operator = op === "!=" ? "!=" : op === "==" || op === "in" ? "==" : notOurs();
  if (typeof right === "string" && right.startsWith("@"))
    return { kind: "match", left, operator, right: { kind: "set", name: right.slice(1) } };
  return { kind: "match", left, operator, right: { kind: "values", values: readValues(right) } };
}

function readValues(right: unknown): string[] {
  if (Array.isArray(right)) return right.map(readElement);
  if (isJson(right) && "set" in right) return asList(right.set).map(readElement);
  return [readElement(right)];
}

function readLookup(data: unknown): { kind: "map"; name: string } | { kind: "values"; entries: VerdictEntry[] } {
  if (typeof data === "string" && data.startsWith("@")) return { kind: "map", name: data.slice(1) };
  if (!isJson(data) || !("set" in data)) return notOurs();
  const entries = (data.set as [unknown, Json][]).map(([key, verdict]) => ({
    element: readElement(key),
    verdict: readVerdict(verdict),
  }));
  return { kind: "values", entries };
}

function readExpression(json: unknown): Expression {
  if (isJson(json)) {
    if ("concat" in json) {
      return { kind: "concat", fields: asList(json.concat).map((part) => fieldFromJson(part) ?? notOurs()) };
    }
    if ("&" in json) {
      const [field, mask] = json["&"] as [unknown, unknown];
      return { kind: "masked", field: fieldFromJson(field) ?? notOurs(), mask: readMask(mask) };
    }
  }
  return { kind: "field", field: fieldFromJson(json) ?? notOurs() };
}

/** `"255.0.0.0"`, `["fin", "syn"]`, `{"|": ["fin", "syn"]}` (nft >= 1.1) or nested pairs of the latter (nft 1.0.x). */
function readMask(mask: unknown): string[] {
  if (Array.isArray(mask)) return mask.flatMap(readMask);
  if (isJson(mask) && "|" in mask) return readMask(mask["|"]);
  return typeof mask === "string" ? [mask] : notOurs();
}

function readVerdict(json: unknown): Verdict {
  if (!isJson(json)) return notOurs();
  const [kind, body] = Object.entries(json)[0] as [string, Json | null];
  if (kind === "accept" || kind === "drop" || kind === "return") return { kind };
  if ((kind === "jump" || kind === "goto") && body !== null) return { kind, chain: String(body.target) };
  return notOurs();
}

function readElement(json: unknown): string {
  if (isJson(json) && "concat" in json) return asList(json.concat).map(readWord).join(" . ");
  if (isJson(json) && "elem" in json) return readElement((json.elem as Json).val);
  return readWord(json);
}

function readWord(json: unknown): string {
  if (typeof json === "string" || typeof json === "number") return String(json);
  if (!isJson(json)) return notOurs();
  if ("prefix" in json) {
    const { addr, len } = json.prefix as { addr: string; len: number };
    return `${addr}/${len}`;
  }
  if ("range" in json) return asList(json.range).map(readRangeEnd).join("-");
  return notOurs();
}

/** Protocol numbers at the ends of a range may come as words. */
function readRangeEnd(end: unknown): string {
  if (typeof end === "number") return String(end);
  return String(protocolNumberOf(String(end)) ?? notOurs());
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : notOurs();
}

function notOurs(): never {
  throw new NotOurs();
}
