// What our rules need of nft and the kernel, as small pieces of a scratch table, each with a name for people.

import type { ProgramOptions } from "../../program/program.ts";

export interface Feature {
  /** `verdict maps`. */
  readonly name: string;
  /** Where it comes from, for who lacks it. */
  readonly needs: string;
  /** nft commands after `add table`; T stands for `inet <scratch table>`. Loads with no other feature. */
  readonly commands: readonly string[];
}

const BASE: readonly Feature[] = [
  {
    name: "base chains of family inet",
    needs: "kernel module nf_tables with CONFIG_NF_TABLES_INET",
    commands: ['add chain T forwarded { type filter hook forward priority -5; policy accept; comment "c"; }'],
  },
  {
    name: "connection tracking in rules",
    needs: "kernel modules nft_ct and nf_conntrack",
    commands: [
      "add chain T tracked",
      "add rule T tracked ct state established,related accept",
      "add rule T tracked ct status dnat accept",
    ],
  },
  {
    name: "sets declared by typeof, with size and comment",
    needs: "nft >= 1.0 and a kernel >= 5.10",
    commands: [
      'add set T addresses { typeof ip saddr; size 64; comment "c"; }',
      'add set T addresses6 { typeof ip6 saddr; size 64; comment "c"; }',
      "add element T addresses { 192.0.2.1, 192.0.2.2 }",
      "add chain T lookups",
      'add rule T lookups tcp dport { 80, 8000-8080 } ip saddr @addresses drop comment "c"',
      "add rule T lookups ip saddr & 255.255.255.0 @addresses drop",
      "add rule T lookups ip6 saddr @addresses6 drop",
    ],
  },
  {
    name: "sets of several fields",
    needs: "kernel >= 5.10",
    commands: [
      "add set T pairs { typeof ip saddr . ip daddr; size 64; }",
      "add set T ports { typeof ip daddr . meta l4proto . th dport; size 64; }",
      "add element T ports { 192.0.2.1 . tcp . 80 }",
      "add chain T concatenated",
      "add rule T concatenated ip saddr . ip daddr @pairs return",
      "add rule T concatenated ip daddr . meta l4proto . th dport @ports return",
    ],
  },
  {
    name: "sets of address blocks with a second field",
    needs: "kernel >= 5.10 (pipapo sets)",
    commands: [
      "add set T blocks { typeof ip saddr . meta l4proto; flags interval; }",
      "add element T blocks { 192.0.2.0/25 . 0-255, 198.51.100.0/24 . 0-255 }",
      "add chain T intervals",
      "add rule T intervals ip saddr . meta l4proto @blocks return",
    ],
  },
  {
    name: "verdict maps",
    needs: "kernel >= 5.10",
    commands: [
      "add chain T target",
      "add map T dispatch { typeof ip saddr : verdict; size 64; }",
      "add element T dispatch { 192.0.2.1 : jump target }",
      "add chain T maps",
      "add rule T maps ip saddr vmap @dispatch",
      "add rule T maps meta l4proto . th dport vmap { tcp . 80 : goto target, udp . 1-1000 : return }",
    ],
  },
  {
    name: "named counters",
    needs: "kernel with CONFIG_NFT_OBJREF",
    commands: ["add counter T drops", "add chain T counted", "add rule T counted counter name drops drop"],
  },
  {
    name: "rate-limited logging to NFLOG",
    needs: "kernel modules nft_limit, nft_log and nfnetlink_log",
    commands: [
      "add chain T logged",
      'add rule T logged limit rate 10/second burst 20 packets log prefix "nftpol probe " group 100',
    ],
  },
  {
    name: "matches on TCP flags and ICMPv6 types",
    needs: "kernel module nf_tables",
    commands: [
      "add chain T headers",
      "add rule T headers tcp flags & (fin | syn | rst | ack) != syn return",
      "add rule T headers icmpv6 type { nd-router-solicit, nd-neighbor-solicit } return",
      "add rule T headers meta nfproto ipv6 return",
    ],
  },
];

const IPVS: Feature = {
  name: "address types from the routing table",
  needs: "kernel modules nft_fib and nft_fib_inet (or set the service proxy to netfilter)",
  commands: [
    "add chain T routed { type filter hook output priority -5; policy accept; }",
    "add rule T routed fib saddr type local accept",
  ],
};

/** Everything that rules with these options use. */
export function neededFeatures(options: ProgramOptions): readonly Feature[] {
  return options.serviceProxy === "ipvs" ? [...BASE, IPVS] : BASE;
}

/** For `nft -c -f -`: these features in a scratch table. */
export function probeText(table: string, features: readonly Feature[]): string {
  const lines = features.flatMap(({ commands }) =>
    commands.map((command) => command.replace(" T ", ` inet ${table} `)),
  );
  return `add table inet ${table}\n${lines.join("\n")}\n`;
}
