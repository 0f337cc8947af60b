// `nft -j list table inet nftpol` -> ruleset. Understands what our rules use, in the spellings of nft 1.0.6 and newer.
// What it does not understand (somebody else's rule in our table) is kept as a finding, never guessed.

import { HOOKS, type Hook } from "../packet.ts";
import type {
  Chain,
  Expression,
  Field,
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
  /** For a rule: its chain, if we understand that one. Undefined for everything else. */
  readonly chain: string | undefined;
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
  const notOurs = (where: string, json: unknown, chain?: string) =>
    unknown.push({ where, json: JSON.stringify(json), chain });
  const guard = (where: string, json: unknown, read: () => void, chain?: string): void => {
    try {
      read();
    } catch (error) {
      if (!(error instanceof NotOurs)) throw error;
      notOurs(where, json, chain);
    }
  };
  for (const object of objects) {
    const [kind, body] = Object.entries(object)[0] as [string, Json];
    const name = String(body.name);
    if (kind === "metainfo") continue;
    // Ours has no flags; `dormant` switches its rules off. nft 1.0.6 writes other words for them, but only if there are some.
    else if (kind === "table") {
      if (body.flags !== undefined) notOurs("flags of the table", body.flags);
    } else if (kind === "counter") counters.add(name);
    else if (kind === "set" || kind === "map")
      guard(`${kind} ${name}`, body, () => sets.set(name, readSet(kind, body)));
    else if (kind === "chain") guard(`chain ${name}`, body, () => chains.set(name, { ...readChain(body), rules: [] }));
    else if (kind === "rule") {
      const chain = chains.get(String(body.chain));
      const where = `chain ${body.chain}, rule ${(chain?.rules.length ?? 0) + 1}`;
      guard(where, body, () => (chain ?? fail()).rules.push(readRule(body)), chain?.name);
    } else notOurs(kind, body);
  }
  return { ruleset: { table, counters, sets, chains }, unknown };
}

/** `nft -j list counters …`: packets of each named counter. Throws SyntaxError when it is no JSON at all. */
export function readCounters(text: string): Map<string, number> {
  const objects = (JSON.parse(text) as { nftables: { counter?: { name: string; packets: number } }[] }).nftables;
  return new Map(objects.flatMap(({ counter }) => (counter === undefined ? [] : [[counter.name, counter.packets]])));
}

function readSet(kind: "set" | "map", body: Json): NamedSet | VerdictMap {
  const flags = (body.flags as string[] | undefined) ?? [];
  if (flags.some((flag) => flag !== "interval") || body.stmt !== undefined) return fail();
  const common = {
    name: String(body.name),
    key: readKey(body.type),
    interval: flags.includes("interval"),
    size: body.size as number | undefined,
    comment: body.comment as string | undefined,
  };
  const elements = (body.elem as unknown[] | undefined) ?? [];
  if (kind === "set") return { kind, ...common, elements: new Set(elements.map(readElement)) };
  if (body.map !== "verdict") return fail();
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
    return parts.map((part) => fieldFromJson(part) ?? fail());
  }
  const names = Array.isArray(type) ? type : [type];
  return names.map((name) => fieldOfType(String(name)) ?? fail());
}

function readChain(body: Json): Omit<Chain, "rules"> {
  const common = { name: String(body.name), comment: body.comment as string | undefined };
  if (body.hook === undefined) return { ...common, hook: undefined };
  const hook = body.hook as Hook;
  if (!HOOKS.some((each) => each === hook) || body.type !== "filter" || body.policy !== "accept") return fail();
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
      return typeof body === "string" ? { kind: "counter", name: body } : fail();
    case "log":
      return readLog(body);
    case "limit":
      return readLimit(body);
    default:
      return { kind: "verdict", verdict: readVerdict(json) };
  }
}

function readLog(body: unknown): Statement {
  if (!isJson(body) || !hasOnly(body, ["prefix", "group"])) return fail();
  return typeof body.prefix === "string" && typeof body.group === "number"
    ? { kind: "log", prefix: body.prefix, group: body.group }
    : fail();
}

function readLimit(body: unknown): Statement {
  // A limit by bytes says so in `rate_unit`; one without unit counts packets.
  if (!isJson(body) || !hasOnly(body, ["rate", "burst", "per"]) || body.per !== "second") return fail();
  return typeof body.rate === "number" && typeof body.burst === "number"
    ? { kind: "limit", perSecond: body.rate, burstPackets: body.burst }
    : fail();
}

function hasOnly(body: Json, keys: readonly string[]): boolean {
  return Object.keys(body).every((key) => keys.includes(key));
}

function readMatch(body: Json): Statement {
  const left = readExpression(body.left);
  const right = body.right;
  const op = body.op as string;
  // A single flag under "in" is a flag list too; with one flag it means the same as equality for connection states.
  const operator = op === "!=" ? "!=" : op === "==" || op === "in" ? "==" : fail();
  // Several flags under another operator are one value, not "any of these".
  if (Array.isArray(right) && op !== "in") return fail();
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
  if (!isJson(data) || !("set" in data)) return fail();
  const entries = (data.set as [unknown, Json][]).map(([key, verdict]) => ({
    element: readElement(key),
    verdict: readVerdict(verdict),
  }));
  return { kind: "values", entries };
}

function readExpression(json: unknown): Expression {
  if (isJson(json)) {
    if ("concat" in json) {
      return { kind: "concat", fields: asList(json.concat).map((part) => fieldFromJson(part) ?? fail()) };
    }
    if ("&" in json) {
      const [field, mask] = json["&"] as [unknown, unknown];
      return { kind: "masked", field: fieldFromJson(field) ?? fail(), mask: readMask(mask) };
    }
  }
  return { kind: "field", field: fieldFromJson(json) ?? fail() };
}

/** `"255.0.0.0"`, `["fin", "syn"]`, `{"|": ["fin", "syn"]}` (nft >= 1.1) or nested pairs of the latter (nft 1.0.x). */
function readMask(mask: unknown): string[] {
  if (Array.isArray(mask)) return mask.flatMap(readMask);
  if (isJson(mask) && "|" in mask) return readMask(mask["|"]);
  return typeof mask === "string" ? [mask] : fail();
}

function readVerdict(json: unknown): Verdict {
  if (!isJson(json)) return fail();
  const [kind, body] = Object.entries(json)[0] as [string, Json | null];
  if (kind === "accept" || kind === "drop" || kind === "return") return { kind };
  if ((kind === "jump" || kind === "goto") && body !== null) return { kind, chain: String(body.target) };
  return fail();
}

function readElement(json: unknown): string {
  if (isJson(json) && "concat" in json) return asList(json.concat).map(readWord).join(" . ");
  if (isJson(json) && "elem" in json) {
    const body = json.elem as Json;
    // Statements and time-outs of an element change what a look-up answers.
    return hasOnly(body, ["val", "comment"]) ? readElement(body.val) : fail();
  }
  return readWord(json);
}

function readWord(json: unknown): string {
  if (typeof json === "string" || typeof json === "number") return String(json);
  if (!isJson(json)) return fail();
  if ("prefix" in json) {
    const { addr, len } = json.prefix as { addr: string; len: number };
    return `${addr}/${len}`;
  }
  if ("range" in json) return asList(json.range).map(readRangeEnd).join("-");
  return fail();
}

/** Protocol numbers at the ends of a range may come as words. */
function readRangeEnd(end: unknown): string {
  if (typeof end === "number") return String(end);
  return String(protocolNumberOf(String(end)) ?? fail());
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : fail();
}

function fail(): never {
  throw new NotOurs();
}
