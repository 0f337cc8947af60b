// One line of `conntrack -L -o extended,id`:
//   ipv4 2 tcp 6 431999 ESTABLISHED src=A dst=B sport=1 dport=2 [UNREPLIED] src=B dst=A sport=2 dport=1 mark=0 zone=5 use=1 id=7
// Owns reading it; running the program is conntrack-tool.ts.

import { ICMP, ICMPV6 } from "../model/flow.ts";
import { type Address, type Family, parseAddress } from "../net/address.ts";
import type { TrackedConnection } from "./connection-tracker.ts";

/** What names an entry to the program, besides what the connection says. Only that tracker reads it. */
export class ConntrackHandle {
  readonly icmpCode: number;
  readonly icmpId: number;
  readonly zone: number;

  constructor(icmpCode: number, icmpId: number, zone: number) {
    this.icmpCode = icmpCode;
    this.icmpId = icmpId;
    this.zone = zone;
  }
}

export interface ConntrackConnection extends TrackedConnection {
  readonly handle: ConntrackHandle;
}

const FAMILY_OF: Readonly<Record<string, Family>> = { ipv4: 4, ipv6: 6 };

/** Undefined when the line is not a connection as we know them; that must be an error to the caller. */
export function readConntrackLine(line: string): ConntrackConnection | undefined {
  const [familyName = "", , , protocolText = "", ...words] = line.trim().split(/\s+/);
  const family = FAMILY_OF[familyName];
  const protocol = readNumber(protocolText);
  const directions = splitDirections(words);
  if (family === undefined || protocol === undefined || directions === undefined) return undefined;
  const original = readTuple(directions.original);
  const reply = readTuple(directions.reply);
  const { original: first } = directions;
  const numbers = [first.get("code") ?? "0", first.get("id") ?? "0", directions.rest.get("zone") ?? "0"].map(
    readNumber,
  );
  const [icmpCode, icmpId, zone] = numbers;
  if (original === undefined || reply === undefined) return undefined;
  if (icmpCode === undefined || icmpId === undefined || zone === undefined) return undefined;
  const hasType = protocol === ICMP || protocol === ICMPV6;
  const icmpType = hasType ? readNumber(first.get("type") ?? "") : undefined;
  if (hasType && icmpType === undefined) return undefined;
  return { family, protocol, original, reply, icmpType, handle: new ConntrackHandle(icmpCode, icmpId, zone) };
}

type Fields = ReadonlyMap<string, string>;

/** Keys that belong to a direction. `id` is ICMP's behind `code`; elsewhere it is the entry's. */
const TUPLE_KEYS = new Set(["src", "dst", "sport", "dport", "type", "code", "srckey", "dstkey"]);

function splitDirections(words: readonly string[]): { original: Fields; reply: Fields; rest: Fields } | undefined {
  const tuples: Map<string, string>[] = [];
  const rest = new Map<string, string>();
  for (const word of words) {
    const equals = word.indexOf("=");
    if (equals < 0) continue;
    const key = word.slice(0, equals);
    if (key === "src") tuples.push(new Map());
    const tuple = tuples.at(-1);
    const isIcmpId = key === "id" && tuple?.has("code") === true && !tuple.has("id");
    const fields = TUPLE_KEYS.has(key) || isIcmpId ? tuple : rest;
    fields?.set(key, word.slice(equals + 1));
  }
  const [original, reply] = tuples;
  if (original === undefined || reply === undefined || tuples.length !== 2) return undefined;
  return { original, reply, rest };
}

function readTuple(fields: Fields): TrackedConnection["original"] | undefined {
  const source = readAddress(fields.get("src"));
  const destination = readAddress(fields.get("dst"));
  const sourcePort = readNumber(fields.get("sport") ?? portOf(fields.get("srckey")));
  const destinationPort = readNumber(fields.get("dport") ?? portOf(fields.get("dstkey")));
  if (source === undefined || destination === undefined) return undefined;
  if (sourcePort === undefined || destinationPort === undefined) return undefined;
  return { source, destination, sourcePort, destinationPort };
}

/** GRE has keys, in hexadecimal, where others have ports. */
function portOf(key: string | undefined): string {
  return key === undefined ? "0" : String(Number(key));
}

function readAddress(text: string | undefined): Address | undefined {
  return text === undefined ? undefined : parseAddress(text)?.address;
}

function readNumber(text: string): number | undefined {
  return /^\d{1,10}$/.test(text) ? Number(text) : undefined;
}
