import { describe, expect, it } from "vitest";
import type { Address } from "../../net/address.ts";
import { meterLines, readPairCounts, readPortBytes } from "./meter-rules.ts";

const addresses = (...list: string[]) => list as Address[];
const switchedPorts = (...switched: string[]) => ({ switched, own: new Map<string, Address[]>() });
const ownPorts = (...names: string[]) => ({ switched: [], own: new Map(names.map((name) => [name, [] as Address[]])) });

describe("the rules of a measurement", () => {
  it("count at the last hook and then at the interfaces, and belong to their process", () => {
    const ports = { switched: ["va", "vb"], own: new Map([["vc", addresses("10.0.0.2")]]) };
    const sets =
      "set pods4 { typeof ip daddr; elements = { 10.0.0.1, 10.0.0.2 }; }; " +
      "set pairs4 { typeof ip saddr . ip daddr; flags dynamic; size 8192; }; " +
      "set ports { typeof meta oifname; flags dynamic; size 8192; };";
    const countPair = "ip daddr @pods4 update @pairs4 { ip saddr . ip daddr counter };";
    const countPort = "update @ports { meta oifname counter };";
    expect(meterLines(addresses("10.0.0.1", "10.0.0.2"), ports)).toEqual([
      `add table inet nftpol_path { flags owner; ${sets} ` +
        `chain postrouting { type filter hook postrouting priority 1000; policy accept; ${countPair} ${countPort} }; }`,
      `add table netdev nftpol_path { flags owner; ${sets} ` +
        `chain switched0 { type filter hook egress devices = { "va", "vb" } priority 1000; policy accept; ${countPair} }; ` +
        `chain own0 { type filter hook egress devices = { "vc" } priority 1000; policy accept; ${countPort} }; }`,
    ]);
  });

  it("never change, drop or accept a packet", () => {
    const text = meterLines(addresses("10.0.0.1", "fd00::1"), switchedPorts("va")).join("\n");
    expect(text.match(/chain \w+ \{/g)).toHaveLength(2);
    expect(text.match(/policy accept;/g)).toHaveLength(2);
    expect(text).not.toMatch(/\b(drop|reject|return|accept(?!;)|goto|jump|mark|notrack|queue|dup|fwd)\b/);
  });

  it("are of the families that pods have", () => {
    const lines = meterLines(addresses("fd00::1"), switchedPorts("va")).join("\n");
    expect(lines).toContain("typeof ip6 saddr . ip6 daddr");
    expect(lines).not.toMatch(/\bip [sd]addr/);
  });

  it.each([
    ["bridge ports", switchedPorts],
    ["pods' own interfaces", ownPorts],
  ])("take many %s in several chains", (_name, ports) => {
    const names = Array.from({ length: 300 }, (_, index) => `veth${index}`);
    const [, netdev = ""] = meterLines(addresses("10.0.0.1"), ports(...names));
    expect(netdev.match(/hook egress/g)).toHaveLength(3);
    expect(netdev.match(/"veth\d+"/g)).toHaveLength(300);
  });

  it.each(['v" } ; }', "a b", "$x", "-", "ü", "a;b", ""])("leave out an interface that is called %j", (name) => {
    expect(meterLines(addresses("10.0.0.1"), switchedPorts(name))).toEqual([]);
    expect(meterLines(addresses("10.0.0.1"), ownPorts(name))).toEqual([]);
    expect(meterLines(addresses("10.0.0.1"), ownPorts(name, "va"))[1]).toContain('devices = { "va" }');
  });

  it("are none without pods", () => {
    expect(meterLines([], switchedPorts("va"))).toEqual([]);
  });
});

describe("counts", () => {
  const listing = (set: unknown) => JSON.stringify({ nftables: [{ metainfo: { version: "1.1.3" } }, { set }] });
  const element = (val: unknown, packets: unknown = 1, bytes: unknown = 2) => ({
    elem: { val, counter: { packets, bytes } },
  });
  const pair = (source: string, destination: string) => ({ concat: [source, destination] });

  it("of pairs are read from nft's list, addresses in their canonical form", () => {
    const elem = [element(pair("fd00::1", "fd00:0::2"), 20), element(pair("10.0.0.1", "10.0.0.2"), 3)];
    expect(readPairCounts(listing({ name: "pairs6", elem }))).toEqual([
      { source: "fd00::1", destination: "fd00::2", packets: 20 },
      { source: "10.0.0.1", destination: "10.0.0.2", packets: 3 },
    ]);
  });

  it("of interfaces are read from nft's list", () => {
    const elem = [element("va", 1, 100), element("eth0.7", 2, 3_000_000_000)];
    expect(readPortBytes(listing({ name: "ports", elem }))).toEqual(
      new Map([
        ["va", 100],
        ["eth0.7", 3_000_000_000],
      ]),
    );
  });

  it("of a set without elements are none", () => {
    expect(readPairCounts(listing({ name: "pairs4", size: 8192 }))).toEqual([]);
    expect(readPortBytes(listing({ name: "ports", size: 8192 }))).toEqual(new Map());
  });

  it.each([
    ["no JSON", "Error: No such file"],
    ["no set", JSON.stringify({ nftables: [] })],
    ["something else than a list", JSON.stringify({ nftables: { set: {} } })],
    ["null", "null"],
    ["elements without counter", listing({ elem: ["10.0.0.1"] })],
    ["an element that is of another kind of set", listing({ elem: [element(7)] })],
    [
      "packets that are no number",
      listing({ elem: [element(pair("10.0.0.1", "10.0.0.2"), "many"), element("va", "many")] }),
    ],
  ])("are undefined for %s", (_name, json) => {
    expect(readPairCounts(json)).toBeUndefined();
    expect(readPortBytes(json)).toBeUndefined();
  });

  it("are undefined for an address that is none", () => {
    expect(readPairCounts(listing({ elem: [element(pair("10.0.0", "10.0.0.2"))] }))).toBeUndefined();
  });
});
