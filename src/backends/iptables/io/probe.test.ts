// Probing with programs that pretend to be iptables and ipset: what is said about a node that cannot hold our rules. With a real
// kernel: test/kernel/iptables-programs.test.ts.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type FakePrograms, withFakePrograms } from "../../../../test/support/fake-programs.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../../program/program.ts";
import { type ChosenVariant, chooseVariant } from "./choose-variant.ts";
import { IpsetProgram } from "./ipset-program.ts";
import { type IptablesFacts, probeIptables } from "./probe.ts";
import { DEFAULT_XTABLES } from "./xtables-programs.ts";

const IPVS = { ...DEFAULT_PROGRAM_OPTIONS, serviceProxy: "ipvs" } as const;

interface Node {
  readonly version?: string;
  /** Run by restore after "$dir/input" was written. */
  readonly restore?: string;
  /** Run by `ipset restore`, the same. */
  readonly ipset?: string;
  readonly hasIpv6?: boolean;
  readonly without?: readonly string[];
}

/** ipset remembers in a file which sets there are. */
function programsOf({ version = "v1.8.9 (nf_tables)", restore = ":", ipset = ":" }: Node): Record<string, string> {
  const both = (name: string) => ({
    [`${name}-nft`]: `echo '${name} ${version}'`,
    [`${name}-nft-save`]: ":",
    [`${name}-nft-restore`]: `cat > "$dir/input"; cat "$dir/input" >> "$dir/${name}"\n${restore}`,
  });
  return {
    ...both("iptables"),
    ...both("ip6tables"),
    ipset: `case "$*" in
  --version) echo 'ipset v7.17, protocol version: 7' ;;
  "list -name") sort -u "$dir/names" 2>/dev/null || : ;;
  *) cat > "$dir/sets"
    ${ipset}
    sed -n 's/^create \\([^ ]*\\).*/\\1/p' "$dir/sets" >> "$dir/names"
    gone=$(sed -n 's/^destroy //p' "$dir/sets"); [ -z "$gone" ] || sed -i "/^$gone$/d" "$dir/names" ;;
esac`,
  };
}

async function probe<T>(
  node: Node,
  body: (facts: Promise<IptablesFacts>, fake: FakePrograms) => Promise<T>,
): Promise<T> {
  const { hasIpv6 = true, without = [] } = node;
  const scripts = Object.fromEntries(Object.entries(programsOf(node)).filter(([name]) => !without.includes(name)));
  return withFakePrograms(scripts, async (fake) => {
    const procNet = join(fake.folder, "net");
    mkdirSync(procNet);
    if (hasIpv6) writeFileSync(join(procNet, "if_inet6"), "");
    const settings = { ...DEFAULT_XTABLES, folder: fake.folder };
    const chosen: ChosenVariant = await chooseVariant("nft", settings, procNet);
    const ipset = new IpsetProgram({ binary: join(fake.folder, "ipset"), timeoutMs: 9_000 });
    return body(probeIptables(chosen, ipset, IPVS, procNet), fake);
  });
}

/** Restore refuses rules with this word. */
const refusing = (word: string, code = 1, reason = "iptables-restore: line 9 failed") =>
  `grep -qe '${word}' "$dir/input" && { echo "${reason}" >&2; exit ${code}; }; exit 0`;

describe("a node that can do everything", () => {
  it("is told with its versions", () =>
    probe({}, async (facts) => {
      expect(await facts).toEqual({
        version: "iptables v1.8.9 (nf_tables), ipset v7.17, protocol version: 7",
        writer: "iptables-nft-restore",
        variant: "nft",
        families: [4, 6],
        warnings: [],
      });
    }));

  it("keeps nothing of the probe", () =>
    probe({}, async (facts, fake) => {
      await facts;
      expect(fake.read("names")).toBe("");
      for (const family of ["iptables", "ip6tables"])
        expect(fake.read(family).trim().split("\n").slice(-4)).toEqual([
          ":NFTPOL-PROBE-GOTO - [0:0]",
          "-X NFTPOL-PROBE",
          "-X NFTPOL-PROBE-GOTO",
          "COMMIT",
        ]);
    }));

  it("with an nft that has bugs is warned of", () =>
    probe({ version: "v1.8.2 (nf_tables)" }, async (facts) => {
      expect((await facts).warnings).toEqual([expect.stringContaining("use iptables >= 1.8.4")]);
    }));
});

describe("IPv6", () => {
  it("that the kernel does not have at all need not be judged", () =>
    probe({ hasIpv6: false, without: ["ip6tables-nft", "ip6tables-nft-restore"] }, async (facts, fake) => {
      expect(await facts).toMatchObject({ families: [4], warnings: [expect.stringContaining("no IPv6")] });
      expect(fake.read("ip6tables")).toBe("");
    }));

  it("that the kernel has, without ip6tables, would stay open", () =>
    probe({ without: ["ip6tables-nft"] }, async (facts) => {
      await expect(facts).rejects.toMatchObject({
        kind: "not-installed",
        message: expect.stringContaining("ip6tables"),
        hint: expect.stringContaining("ipv6.disable=1"),
      });
    }));
});

describe("what is missing is named", () => {
  it.each([
    ["match-set", "the extension set for IPv4", "xt_set"],
    ["conntrack", "the extension conntrack for IPv4", "xt_conntrack"],
    ["--comment", "the extension comment for IPv4", "xt_comment"],
    ["multiport", "the extension multiport for IPv4", "xt_multiport"],
    ["addrtype", "the extension addrtype for IPv4", "service proxy"],
    ["NFLOG", "the extension NFLOG for IPv4", "nfnetlink_log"],
    ["-m limit", "the extension limit for IPv4", "xt_limit"],
    ["-m bpf", "the extension bpf for IPv4", "xt_bpf"],
    ["-p sctp", "the extensions tcp, udp and sctp for IPv4", "xt_sctp"],
    ["icmp6", "the extension icmp6 for IPv6", "ip6_tables"],
    ["-g ", "rules that go to a chain", "iptables"],
  ])("%s", (word, name, needs) =>
    probe({ restore: refusing(word) }, async (facts, fake) => {
      await expect(facts).rejects.toMatchObject({
        kind: "unsupported",
        message: expect.stringContaining(name),
        hint: expect.stringContaining(needs),
      });
      expect(fake.read("names")).toBe("");
    }),
  );

  it.each([
    ["hash:ip ", "sets of type hash:ip for IPv4", "ip_set_hash_ip"],
    ["hash:net", "sets of type hash:net for IPv4", "ip_set_hash_net"],
    ["hash:ip,port", "sets of type hash:ip,port for IPv4", "ip_set_hash_ipport"],
    ["inet6", "sets of type hash:ip for IPv6", "ip_set_hash_ip"],
  ])("%s", (word, name, needs) => {
    const ipset = `grep -q '${word}' "$dir/sets" && { echo 'ipset v7.17: Error in line 1: Kernel error received: set type not supported' >&2; exit 1; }`;
    return probe({ ipset }, async (facts) => {
      await expect(facts).rejects.toMatchObject({
        kind: "unsupported",
        message: expect.stringContaining(name),
        hint: expect.stringContaining(needs),
      });
    });
  });

  it("as a whole, where each for itself would do", () =>
    probe({ restore: `[ $(wc -l < "$dir/input") -gt 15 ] && exit 1; exit 0` }, async (facts) => {
      await expect(facts).rejects.toMatchObject({
        kind: "unsupported",
        message: expect.stringContaining("refuse our rules for IPv4"),
      });
    }));

  it.each([
    ["ipset", { kind: "not-installed", hint: "install the package ipset" }],
    ["iptables-nft-restore", { kind: "not-installed", hint: "install the package iptables" }],
  ])("the program %s", (program, error) =>
    probe({ without: [program] }, async (facts) => {
      await expect(facts).rejects.toMatchObject(error);
    }),
  );
});

describe("what says nothing about the node is passed on", () => {
  it.each([
    ["missing rights", "Permission denied (you must be root)", { kind: "not-permitted" }],
    ["a lock that is held", "Another app is currently holding the xtables lock.", { kind: "refused" }],
  ])("%s, after one attempt", (_, reason, error) =>
    probe({ restore: refusing("-j RETURN", 4, reason) }, async (facts, fake) => {
      await expect(facts).rejects.toMatchObject(error);
      expect(fake.read("iptables").match(/-j RETURN/g)).toHaveLength(1);
    }),
  );
});

it("what cannot be removed is told, and the node is fit all the same", () => {
  const restore = `grep -qe '^-X' "$dir/input" && [ -s "$dir/names" ] && { echo 'iptables-restore: line 4 failed' >&2; exit 1; }; exit 0`;
  return probe({ restore }, async (facts) => {
    expect((await facts).warnings).toEqual([expect.stringContaining("could not be removed")]);
  });
});

it("a set that the kernel still takes for looked up is removed a little later", () => {
  const ipset = `grep -q '^destroy' "$dir/sets" && { echo >> "$dir/tries"; [ $(wc -l < "$dir/tries") -gt 3 ] || { echo 'ipset v7.17: Error in line 1: Set cannot be destroyed: it is in use by a kernel component' >&2; exit 1; }; }`;
  return probe({ ipset }, async (facts, fake) => {
    expect((await facts).warnings).toEqual([]);
    expect(fake.read("names")).toBe("");
    expect(fake.read("tries")).not.toBe("");
  });
});
