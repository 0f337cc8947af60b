// Which variant of iptables is chosen, and whether the node is found fit, with the real programs in network namespaces.

import { describe, expect, it } from "vitest";
import { chooseVariant } from "../../src/backends/iptables/io/choose-variant.ts";
import { probeIptables } from "../../src/backends/iptables/io/probe.ts";
import { PROBE_SETS } from "../../src/backends/iptables/probe-rules.ts";
import { VARIANTS, type Variant } from "../../src/backends/iptables/xtables-version.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { describeKernel } from "../support/kernel.ts";
import {
  EMPTY_FILTER,
  filterText,
  savedLines,
  withVariant,
  withXtables,
  XTABLES_PROGRAMS,
  type XtablesInNetns,
} from "../support/xtables-in-netns.ts";

/** Its rules use everything that ours may. */
const IPVS = { ...DEFAULT_PROGRAM_OPTIONS, serviceProxy: "ipvs" } as const;

const probe = async (variant: Variant, { settings, procNet, ipset }: XtablesInNetns) =>
  probeIptables(await chooseVariant(variant, settings, procNet), ipset, IPVS, procNet);

describeKernel("iptables", () => {
  describe("the variant", () => {
    const rule = "-A FORWARD -s 192.0.2.1 -j DROP";

    it.each<[sentence: string, commands: string, variant: Variant, reason: string, warnings: number]>([
      ["of the only rules, nft", `iptables-nft ${rule}`, "nft", "1 rules there, and 0 in legacy", 0],
      ["of the only rules, legacy", `iptables-legacy ${rule}`, "legacy", "1 rules there, and 0 in nft", 0],
      ["of the only rules, IPv6", "ip6tables-legacy -t nat -A OUTPUT -j ACCEPT", "legacy", "1 rules there, and 0", 0],
      [
        "of most rules",
        `iptables-nft ${rule}; iptables-legacy ${rule}; iptables-legacy ${rule}`,
        "legacy",
        "2 rules there, and 1 in nft",
        1,
      ],
      [
        "that kubelet uses",
        `iptables-legacy -t mangle -N KUBE-IPTABLES-HINT; iptables-nft ${rule}`,
        "legacy",
        "KUBE-IPTABLES-HINT",
        0,
      ],
      [
        "that kubelet used before 1.24",
        `ip6tables-nft -t mangle -N KUBE-KUBELET-CANARY; iptables-legacy ${rule}`,
        "nft",
        "KUBE-KUBELET-CANARY",
        0,
      ],
      [
        "of other software, not ours",
        `iptables-nft ${rule}; iptables-legacy -N NFTPOL-A; iptables-legacy -A NFTPOL-A -j DROP; iptables-legacy -A FORWARD -j NFTPOL-A`,
        "nft",
        "1 rules there, and 0",
        0,
      ],
    ])("is that %s", (_, commands, variant, reason, warnings) =>
      withXtables(async ({ settings, procNet, sh }) => {
        await sh(commands);
        const chosen = await chooseVariant(undefined, settings, procNet);
        expect(chosen).toMatchObject({ variant, reason: expect.stringContaining(reason) });
        expect(chosen.warnings).toHaveLength(warnings);
        expect(chosen.holdOurs).toEqual(commands.includes("NFTPOL") ? ["legacy"] : []);
      }),
    );

    it("is looked for without a trace", () =>
      withXtables(async ({ settings, procNet, sh }) => {
        const { programs, versions } = await chooseVariant(undefined, settings, procNet);
        expect(versions).toEqual({
          nft: expect.stringContaining("nf_tables"),
          legacy: expect.stringContaining("legacy"),
        });
        expect(programs.families).toEqual([4, 6]);
        expect(await sh("cat /proc/net/ip_tables_names /proc/net/ip6_tables_names; nft list ruleset")).toBe("");
      }));

    it("is the other one where one is not installed", () =>
      withXtables(
        async ({ settings, procNet }) => {
          expect(await chooseVariant(undefined, settings, procNet)).toMatchObject({ variant: "legacy" });
          await expect(chooseVariant("nft", settings, procNet)).rejects.toMatchObject({ kind: "not-installed" });
        },
        { without: (program) => !program.includes("legacy") },
      ));
  });

  describe.each(VARIANTS)("a probe of %s", (variant) => {
    it("finds that this node can hold our rules, and leaves nothing behind", () =>
      withVariant(variant, async (programs, xtables) => {
        await programs.restore(4, filterText(":OTHER - [0:0]", "-A FORWARD -j OTHER"));
        const before = await savedLines(programs, 4);
        expect(await probe(variant, xtables)).toMatchObject({ variant, families: [4, 6], warnings: [] });
        expect(await savedLines(programs, 4)).toEqual(before);
        expect(await savedLines(programs, 6)).toEqual(EMPTY_FILTER);
        expect(await xtables.ipset.save()).toBe("");
      }));

    it("takes away what a killed one has left, and what another version's has", () =>
      withVariant(variant, async (programs, xtables) => {
        const [set = ""] = PROBE_SETS;
        await xtables.ipset.restore(`create ${set} hash:net maxelem 7\n`);
        const left = filterText(
          ":NFTPOL-PROBE - [0:0]",
          ":NFTPOL-PROBE-GOTO - [0:0]",
          `-A NFTPOL-PROBE -m set --match-set ${set} src -g NFTPOL-PROBE-GOTO`,
          "-A NFTPOL-PROBE-GOTO -j DROP",
        );
        await programs.restore(4, left);
        expect(await probe(variant, xtables)).toMatchObject({ warnings: [] });
        expect(await savedLines(programs, 4)).toEqual(EMPTY_FILTER);
        expect(await xtables.ipset.save()).toBe("");
      }));

    it("without rights says which", () =>
      withXtables(
        async (xtables) => {
          await expect(probe(variant, xtables)).rejects.toMatchObject({
            kind: "not-permitted",
            hint: expect.stringContaining("CAP_NET_ADMIN"),
          });
        },
        { wrapper: "setpriv --bounding-set -net_admin --inh-caps -net_admin" },
      ));
  });
}, [...XTABLES_PROGRAMS, "setpriv"]);
