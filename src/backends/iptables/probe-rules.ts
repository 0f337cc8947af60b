// What our rules need of iptables, ipset and the kernel, as rules of a scratch chain and scratch sets, each with a name for people.

import { FAMILIES, type Family } from "../../net/address.ts";
import type { ProgramOptions } from "../../program/program.ts";
import { chain, DROP, goto, inConstantBlock, inSet, notInSet, protocol, RETURN, rule, singlePorts } from "./build.ts";
import { PREFIX } from "./names.ts";
import type { IpSet, Match, Rule, SetType } from "./ruleset.ts";
import { createText, restoreText } from "./text.ts";

export interface Feature {
  /** `the extension multiport`. */
  readonly name: string;
  /** Where it comes from, for who lacks it. */
  readonly needs: string;
  readonly rules: readonly Rule[];
}

/** Nothing leads there. */
export const PROBE_CHAIN = `${PREFIX}PROBE`;
const GOTO_CHAIN = `${PREFIX}PROBE-GOTO`;

const SET_TYPES: readonly SetType[] = ["hash:ip", "hash:net", "hash:ip,port"];

/** One of each type. */
export function probeSets(family: Family): readonly IpSet[] {
  return SET_TYPES.map((type) => ({
    name: probeSet(type, family),
    type,
    family,
    maxElements: 64,
    elements: new Set<string>(),
  }));
}

function probeSet(type: SetType, family: Family): string {
  return `${PREFIX}PROBE-${type.replace(/\W/g, "-")}${family}`;
}

/** For `ipset restore`. */
export function probeSetsText(sets: readonly IpSet[]): string {
  return sets.map((set) => `${createText(set)}\n`).join("");
}

/** Every scratch set that any probe has made. */
export const PROBE_SETS: readonly string[] = FAMILIES.flatMap((family) => probeSets(family).map(({ name }) => name));

/** Everything that rules with these options use; `-m set` looks up the scratch sets. */
export function neededFeatures(family: Family, options: ProgramOptions): readonly Feature[] {
  return [
    ...Object.entries(featuresOfMatches(family)).flatMap(([kind, feature]) =>
      feature === undefined || (kind === "source-is-local" && options.serviceProxy !== "ipvs") ? [] : [feature],
    ),
    {
      name: "rules that go to a chain (-g)",
      needs: "iptables >= 1.6",
      rules: [rule([], goto(GOTO_CHAIN))],
    },
    { name: "the extension comment", needs: module("xt_comment"), rules: [rule([], RETURN, "nftpol probe, a[0]")] },
    {
      name: "the extension NFLOG",
      needs: module("xt_NFLOG", "nfnetlink_log"),
      rules: [rule([], { kind: "log", prefix: "nftpol probe ", group: 100 })],
    },
  ];
}

/** A feature for each kind of match; undefined: another one has it, or the family has no use for it. */
function featuresOfMatches(family: Family): Readonly<Record<Match["kind"], Feature | undefined>> {
  const own = (...matches: readonly Match[]) => rule(matches, DROP);
  const [ip, net, ipPort] = SET_TYPES.map((type) => probeSet(type, family)) as [string, string, string];
  const block = family === 4 ? "192.0.2.0/24" : "2001:db8::/32";
  const port = (first: number, last = first): Match => ({ kind: "destination-ports", ports: [{ first, last }] });
  const addresses = {
    name: "rules for blocks of addresses",
    needs: family === 4 ? module("iptable_filter") : module("ip6table_filter"),
    rules: [own(inConstantBlock("src", block), inConstantBlock("dst", block))],
  };
  return {
    source: addresses,
    destination: undefined,
    protocol: {
      name: "the extensions tcp, udp and sctp",
      needs: module("xt_tcpudp", "xt_sctp"),
      rules: [own(protocol("tcp"), port(80)), own(protocol("udp"), port(1000, 2000)), own(protocol("sctp"), port(80))],
    },
    "not-first-packet": {
      name: "matches on TCP flags",
      needs: module("xt_tcpudp"),
      rules: [own(protocol("tcp"), { kind: "not-first-packet" })],
    },
    "source-port": {
      name: "matches on source ports",
      needs: module("xt_tcpudp"),
      rules: [own(protocol("udp"), { kind: "source-port", port: 67 }, port(68))],
    },
    "destination-ports": {
      name: "the extension multiport",
      needs: module("xt_multiport"),
      rules: (["tcp", "udp", "sctp"] as const).map((each) =>
        own(protocol(each), {
          kind: "destination-ports",
          ports: [...singlePorts([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]), { first: 100, last: 200 }],
        }),
      ),
    },
    "icmpv6-type":
      family === 4
        ? undefined
        : {
            name: "the extension icmp6",
            needs: module("ip6_tables"),
            rules: [own(protocol("ipv6-icmp"), { kind: "icmpv6-type", type: 135 })],
          },
    "connection-state": {
      name: "the extension conntrack",
      needs: module("xt_conntrack", "nf_conntrack"),
      rules: [own({ kind: "connection-state", states: ["RELATED", "ESTABLISHED"] })],
    },
    "destination-nat": {
      name: "the extension conntrack with translated connections",
      needs: module("xt_conntrack", "nf_conntrack"),
      rules: [own({ kind: "destination-nat" })],
    },
    "source-is-local": {
      name: "the extension addrtype",
      needs: `${module("xt_addrtype")} (or set the service proxy to netfilter)`,
      rules: [own({ kind: "source-is-local" })],
    },
    set: {
      name: "the extension set",
      needs: module("xt_set"),
      rules: [own(inSet(ip, "src"), notInSet(net, "dst")), own(inSet(ipPort, "dst", "dst"))],
    },
    "same-address": {
      name: "the extension bpf",
      needs: module("xt_bpf"),
      rules: [own({ kind: "same-address" })],
    },
    limit: {
      name: "the extension limit",
      needs: module("xt_limit"),
      rules: [own({ kind: "limit", perSecond: 10, burst: 20 })],
    },
  };
}

function module(...names: readonly string[]): string {
  return names.length === 1 ? `kernel module ${names[0]}` : `kernel modules ${names.join(" and ")}`;
}

/** For restore: these features in a scratch chain, whatever an earlier probe has left there. */
export function probeText(family: Family, features: readonly Feature[]): string {
  return restoreText(
    [
      chain(
        PROBE_CHAIN,
        features.flatMap(({ rules }) => rules),
      ),
      chain(GOTO_CHAIN, []),
    ],
    family,
  );
}

/** For restore, where the scratch chains are and where they are not. */
export function removalText(): string {
  const names = [PROBE_CHAIN, GOTO_CHAIN];
  return [
    "*filter",
    ...names.map((name) => `:${name} - [0:0]`),
    ...names.map((name) => `-X ${name}`),
    "COMMIT",
    "",
  ].join("\n");
}
