// What `status`, `prove --live` and `cleanup` make of a kernel that holds rules of any backend, of several, or of none, and of programs
// that are not installed.

import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { VARIANTS, type Variant } from "../../src/backends/iptables/xtables-version.ts";
import { runInMemory } from "../cli/in-memory-run.ts";
import { describeKernel } from "../support/kernel.ts";
import type { Netns, RunResult } from "../support/netns.ts";
import { withNetns } from "../support/netns.ts";
import { withXtablesIn, XTABLES_PROGRAMS } from "../support/xtables-in-netns.ts";

const MAIN = resolve(import.meta.dirname, "../../src/cli/main.ts");
const EXAMPLE = "policies-examples/01-default-deny-ingress";
const INPUT = ["-f", EXAMPLE];

const rendered = async (format: string) => (await runInMemory(["render", ...INPUT, "-o", format])).stdout;
const TABLE_TEXT = await rendered("nft");
const SCRIPT = await rendered("iptables");

/** One network namespace, and nftpol in it. */
interface Place {
  nftpol(...words: readonly string[]): Promise<RunResult>;
  /** The same where these programs are not installed. */
  nftpolWithout(programs: readonly string[], ...words: readonly string[]): Promise<RunResult>;
  sh(command: string): Promise<string>;
  loadNft(): Promise<void>;
  loadIptables(variant: Variant): Promise<void>;
}

function inPlace(body: (place: Place) => Promise<void>): Promise<void> {
  return withNetns((ns) => withXtablesIn(ns, ({ lockFile, sh }) => body(placeIn(ns, lockFile, sh))));
}

function placeIn(ns: Netns, lockFile: string, sh: (command: string) => Promise<string>): Place {
  const run = (before: readonly string[], words: readonly string[]) =>
    ns.run(["env", `XTABLES_LOCKFILE=${lockFile}`, ...before, process.execPath, MAIN, ...words]);
  return {
    nftpol: (...words) => run([], words),
    nftpolWithout: (programs, ...words) =>
      run(["unshare", "--mount", "sh", "-ec", HIDING, "sh", programs.join(" ")], words),
    sh: (command) => sh(`export XTABLES_LOCKFILE='${lockFile}'; ${command}`),
    loadNft: async () => {
      expect(await ns.run(["nft", "-f", "-"], { input: TABLE_TEXT })).toMatchObject({ code: 0 });
    },
    loadIptables: async (variant) => {
      const programs = [
        `IPTABLES=iptables-${variant}`,
        `IP6TABLES=ip6tables-${variant}`,
        `XTABLES_LOCKFILE=${lockFile}`,
      ];
      const loaded = await ns.run(["env", ...programs, "sh"], { input: SCRIPT });
      expect(loaded.code).toBe(0);
    },
  };
}

/** Runs its further arguments with a /usr/sbin that has all programs but those of the first. */
const HIDING = `
  copies=$(mktemp -d); cp -a /usr/sbin/*tables* /usr/sbin/nft /usr/sbin/ipset "$copies"
  mount -t tmpfs none /usr/sbin; [ -L /sbin ] || mount -t tmpfs none /sbin
  cp -a "$copies"/* /usr/sbin; rm -r "$copies"
  cd /usr/sbin; rm -f $1; cd - > /dev/null
  shift; exec "$@"`;

const NFT = ["nft"];
const IPTABLES_NFT = ["iptables", "ip6tables", "iptables-nft*", "ip6tables-nft*"];
const LEGACY = ["iptables-legacy*", "ip6tables-legacy*"];
const NO_IPTABLES = [...IPTABLES_NFT, ...LEGACY];

const NOTHING = "  and there are no rules of nftpol in this kernel: nothing is enforced\n";
const NOTHING_TO_REMOVE = "nothing to remove: there are no rules of nftpol in this kernel\n";
const EQUAL = /^node worker-1( \(.*\))?: equal: \d+ packet classes, \d+ pairs\n$/;

/** Without what says that there is no agent. */
async function status(place: Place): Promise<string> {
  const { code, stdout, stderr } = await place.nftpol("status");
  expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^nftpol: no agent answers/);
  return stderr.slice(stderr.indexOf("\n") + 1);
}

async function expectNoTrace({ sh }: Place): Promise<void> {
  expect(await sh("cat /proc/net/ip_tables_names /proc/net/ip6_tables_names; ipset save; nft list ruleset")).toBe("");
}

describeKernel("rules in force", () => {
  it("that are not there are said to be missing, and looking leaves no trace", () =>
    inPlace(async (place) => {
      expect(await status(place)).toBe(NOTHING);
      expect(await place.nftpol("prove", "--live", ...INPUT)).toMatchObject({
        code: 3,
        stdout: "",
        stderr:
          "nftpol: there is no table inet nftpol, and no chains of nftpol in iptables in this network namespace\n  load rules first: nftpol render … | nft -f -, or nftpol render -o iptables … | sh\n",
      });
      expect(await place.nftpol("cleanup")).toEqual({ code: 0, stdout: NOTHING_TO_REMOVE, stderr: "" });
      await expectNoTrace(place);
    }));

  describe.each(VARIANTS)("of iptables, variant %s,", (variant) => {
    it("are told, proven and removed", () =>
      inPlace(async (place) => {
        await place.loadIptables(variant);
        expect(await status(place)).toMatch(
          new RegExp(
            `^ {2}the rules of an earlier one are in iptables \\(variant ${variant}\\) and go on being enforced: \\d+ rules, for 2 pod addresses\n {2}nftpol prove --live compares them with policies\n$`,
          ),
        );
        const proof = await place.nftpol("prove", "--live", ...INPUT);
        expect(proof).toMatchObject({ code: 0, stdout: expect.stringMatching(EQUAL), stderr: "" });
        expect(proof.stdout).toContain(`node worker-1 (iptables, variant ${variant}): equal`);
        const dryRun = await place.nftpol("cleanup", "--dry-run");
        expect(dryRun).toMatchObject({ code: 0, stderr: "" });
        const removal = await place.nftpol("cleanup");
        expect(removal).toEqual({ ...dryRun, stdout: dryRun.stdout.replaceAll("would remove", "removed") });
        expect(removal.stdout).toMatch(
          new RegExp(
            `^removed chains of iptables \\(NFTPOL-…, variant ${variant}\\): \\d+ of IPv4, \\d+ of IPv6\nremoved \\d+ sets of ipset \\(NFTPOL-…\\)\n$`,
          ),
        );
        expect(await place.sh(`iptables-${variant}-save; ip6tables-${variant}-save; ipset save`)).not.toContain(
          "NFTPOL",
        );
        expect(await place.sh("nft list tables")).not.toContain("nftpol");
      }));

    it("that somebody changed are not proven", () =>
      inPlace(async (place) => {
        await place.loadIptables(variant);
        const prove = () => place.nftpol("prove", "--live", "--backend", "iptables", ...INPUT);
        await place.sh(`iptables-${variant} -I NFTPOL-FORWARD -s 192.0.2.1 -j RETURN`);
        const changed = await prove();
        expect(changed).toMatchObject({ code: 1, stdout: expect.stringContaining("DIFFERENT") });
        expect(changed.stdout).toContain("-s 192.0.2.1/32 -j RETURN");
        await place.loadIptables(variant);
        await place.sh(`ip6tables-${variant} -A NFTPOL-FORWARD -m mark --mark 7 -j ACCEPT`);
        expect(await prove()).toMatchObject({
          code: 1,
          stdout: expect.stringMatching(
            /: equal: .*\n {2}among the rules in the kernel, but not of nftpol's making \(left out of the comparison\):\n {4}chain NFTPOL-FORWARD of IPv6, rule \d+: -A NFTPOL-FORWARD -m mark/,
          ),
        });
        await place.loadIptables(variant);
        await place.sh(`iptables-${variant} -I FORWARD -s 192.0.2.1 -j ACCEPT`);
        const late = await prove();
        expect(late).toMatchObject({ code: 1, stdout: expect.stringContaining("DIFFERENT") });
        expect(late.stdout).toContain(
          "chain FORWARD of IPv4, rule 2: -A FORWARD -m comment --comment nftpol -j NFTPOL-FORWARD (",
        );
        expect(await status(place)).toContain(
          "before them 1 rule of FORWARD of IPv4 may let pass what they would drop\n",
        );
      }));

    it("are taken out of chains that somebody else's rule leads to, which stay", () =>
      inPlace(async (place) => {
        await place.loadNft();
        await place.loadIptables(variant);
        await place.sh(`iptables-${variant} -N THEIRS; iptables-${variant} -A THEIRS -i lo -j NFTPOL-MIDSTREAM`);
        const { code, stdout, stderr } = await place.nftpol("cleanup");
        expect({ code, stdout }).toEqual({
          code: 3,
          stdout: expect.stringMatching(
            new RegExp(
              `^removed table inet nftpol\nremoved rules of iptables \\(NFTPOL-…, variant ${variant}\\)\nremoved \\d+ sets of .*\n$`,
            ),
          ),
        });
        expect(stderr).toContain(`nftpol: chains of iptables (variant ${variant}) stay, empty: `);
        expect(stderr).toContain("a rule of other software leads to one: iptables-save | grep NFTPOL- shows it\n");
        const left = await place.sh(`iptables-${variant}-save; ipset save`);
        expect(left.match(/^.*NFTPOL.*$/gm)?.filter((text) => !text.startsWith(":"))).toEqual([
          "-A THEIRS -i lo -j NFTPOL-MIDSTREAM",
        ]);
        await place.sh(`iptables-${variant} -F THEIRS`);
        expect(await place.nftpol("cleanup")).toMatchObject({ code: 0, stderr: "" });
        expect(await place.sh(`iptables-${variant}-save; ipset save`)).not.toContain("NFTPOL");
      }));
  });

  it("that no packet is led to are not called enforced", () =>
    inPlace(async (place) => {
      await place.loadIptables("legacy");
      await place.sh("ip6tables-legacy -F FORWARD");
      expect(await status(place)).toContain("; of IPv4 alone\n");
      await place.sh("iptables-legacy -F FORWARD");
      expect(await status(place)).toBe(
        "  chains NFTPOL-… are in iptables (variant legacy), but no packet is led to their rules: nothing is enforced\n",
      );
    }));

  it("that are there several times are told apart, proven one by one, and removed together", () =>
    inPlace(async (place) => {
      await place.loadNft();
      await place.loadIptables("nft");
      await place.loadIptables("legacy");
      const said = await status(place);
      expect(said.match(/go on being enforced/g)).toHaveLength(3);
      expect(await place.nftpol("prove", "--live", ...INPUT)).toMatchObject({
        code: 3,
        stderr: expect.stringContaining(
          "more than once: table inet nftpol; chains of iptables (variant nft); chains of iptables (variant legacy)\n",
        ),
      });
      expect(await place.nftpol("prove", "--live", "--backend", "iptables", ...INPUT)).toMatchObject({
        code: 3,
        stderr: expect.stringContaining(
          "more than once: chains of iptables (variant nft); chains of iptables (variant legacy)\n",
        ),
      });
      for (const words of [
        ["--backend", "nft"],
        ["--iptables-variant", "nft"],
        ["--iptables-variant", "legacy"],
      ])
        expect(await place.nftpol("prove", "--live", ...INPUT, ...words)).toMatchObject({
          code: 0,
          stdout: expect.stringMatching(EQUAL),
        });
      const { code, stdout } = await place.nftpol("cleanup");
      expect({ code, things: stdout.match(/^removed (table|chains|\d+ sets)/gm) }).toMatchObject({
        code: 0,
        things: { length: 4 },
      });
      expect(await status(place)).toBe(NOTHING);
    }));

  it("that are gone but for their sets are told, and removed", () =>
    inPlace(async (place) => {
      await place.sh(
        "ipset create NFTPOL-egress4 hash:ip; ipset create NFTPOL-old hash:net,iface; ipset create THEIRS hash:ip",
      );
      expect(await status(place)).toBe(
        `${NOTHING}  2 sets of ipset (NFTPOL-…) left over: nftpol cleanup removes them\n`,
      );
      await place.sh("iptables-legacy -A INPUT -m set --match-set NFTPOL-old src,src");
      const { code, stdout, stderr } = await place.nftpol("cleanup");
      expect({ code, stdout }).toEqual({ code: 3, stdout: "removed 1 set of ipset (NFTPOL-…)\n" });
      expect(stderr).toBe(
        "nftpol: the set NFTPOL-old stays: rules look them up\n  iptables-save | grep NFTPOL- shows them, of each variant of iptables\n",
      );
      expect(await place.sh("ipset list -name")).toBe("NFTPOL-old\nTHEIRS\n");
    }));

  describe("with a program that is not installed", () => {
    it("are not there if nothing of it is", () =>
      inPlace(async (place) => {
        for (const without of [NFT, NO_IPTABLES, [...NO_IPTABLES, "ipset"], LEGACY])
          expect({ without, ...(await place.nftpolWithout(without, "cleanup")) }).toEqual({
            without,
            code: 0,
            stdout: NOTHING_TO_REMOVE,
            stderr: "",
          });
        expect((await place.nftpolWithout(NFT, "status")).stderr).toContain(NOTHING);
        await expectNoTrace(place);
        await place.sh(
          "iptables-legacy -A INPUT -j ACCEPT; ip6tables-legacy -A INPUT -j ACCEPT; ipset create X hash:ip",
        );
        await place.sh("iptables-nft -A INPUT -j ACCEPT; ip6tables-nft -A INPUT -j ACCEPT");
        const without = [...NO_IPTABLES, "ipset"];
        expect(await place.nftpolWithout(without, "cleanup")).toEqual({
          code: 0,
          stdout: NOTHING_TO_REMOVE,
          stderr: "",
        });
      }));

    it("nft, are removed from iptables, and the table is told", () =>
      inPlace(async (place) => {
        await place.loadIptables("nft");
        expect(await place.nftpolWithout(NFT, "prove", "--live", ...INPUT)).toMatchObject({ code: 0, stderr: "" });
        await place.loadNft();
        const { code, stdout, stderr } = await place.nftpolWithout(NFT, "cleanup");
        expect({ code, stdout }).toEqual({
          code: 3,
          stdout: expect.stringMatching(/^removed chains .*\nremoved \d+ sets .*\n$/),
        });
        expect(stderr).toBe(
          "nftpol: table inet nftpol is in this kernel, and the program nft is not installed\n  install the package nftables\n",
        );
      }));

    it.each<[variant: Variant, without: readonly string[], message: string]>([
      ["nft", NO_IPTABLES, "rules of nftpol are in iptables (nft), and the program iptables-nft is not installed"],
      [
        "legacy",
        LEGACY,
        "rules of nftpol may be in iptables (legacy), and the program iptables-legacy is not installed",
      ],
    ])("iptables-%s, are removed as far as they can be", (variant, without, message) =>
      inPlace(async (place) => {
        await place.loadNft();
        await place.loadIptables(variant);
        const { code, stdout, stderr } = await place.nftpolWithout(without, "cleanup");
        expect({ code, first: stdout.split("\n")[0] }).toEqual({ code: 3, first: "removed table inet nftpol" });
        expect(stderr).toContain(`nftpol: ${message}\n  install the package iptables, with iptables-${variant}\n`);
        expect((await place.nftpolWithout(without, "status")).stderr).toContain(message);
      }),
    );

    it("ipset, keep their sets", () =>
      inPlace(async (place) => {
        await place.loadIptables("nft");
        const { code, stdout, stderr } = await place.nftpolWithout(["ipset"], "cleanup");
        expect({ code, stdout }).toEqual({ code: 3, stdout: expect.stringMatching(/^removed chains .*\n$/) });
        expect(stderr).toContain("the program ipset is not installed\n  install the package ipset\n");
      }));
  });
}, [...XTABLES_PROGRAMS, "unshare"]);
