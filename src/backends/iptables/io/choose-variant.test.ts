// The choice of a variant with programs that pretend to be iptables. With real ones: test/kernel/iptables-programs.test.ts.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type FakePrograms, withFakePrograms } from "../../../../test/support/fake-programs.ts";
import type { Variant } from "../xtables-version.ts";
import { type ChosenVariant, chooseVariant } from "./choose-variant.ts";
import { DEFAULT_XTABLES } from "./xtables-programs.ts";

const save = (rules: number) => `echo '*filter'; for rule in $(seq ${rules}); do echo '-A FORWARD -j DROP'; done`;
const nft = (rules: number, script = save(rules)) => ({
  "iptables-nft": "echo 'iptables v1.8.9 (nf_tables)'",
  "iptables-nft-save": script,
});
const legacy = (rules: number) => ({
  "iptables-legacy": "echo 'iptables v1.8.9 (legacy)'",
  "iptables-legacy-save": `echo saved > "$dir/saved"; ${save(rules)}`,
});
/** `tables`: those of legacy; undefined: the kernel has none of it. */
const choose = <T>(
  scripts: Readonly<Record<string, string>>,
  tables: string | undefined,
  wish: Variant | undefined,
  body: (chosen: Promise<ChosenVariant>, fake: FakePrograms) => Promise<T>,
) =>
  withFakePrograms(scripts, (fake) => {
    const procNet = join(fake.folder, "net");
    mkdirSync(procNet);
    if (tables !== undefined) writeFileSync(join(procNet, "ip_tables_names"), tables);
    return body(chooseVariant(wish, { ...DEFAULT_XTABLES, folder: fake.folder }, procNet), fake);
  });

const INCOMPATIBLE = "echo \"# Table \\`filter' is incompatible, use 'nft' tool.\"";

describe("legacy is asked", () => {
  it.each([
    ["not where it has no table: it would make one", "", false],
    ["not where the kernel has none of it", undefined, false],
    ["where it has a table", "filter\n", true],
  ])("%s", (_, tables, isAsked) =>
    choose({ ...nft(1), ...legacy(9) }, tables, undefined, async (chosen, fake) => {
      expect((await chosen).variant).toBe(isAsked ? "legacy" : "nft");
      expect(fake.read("saved")).toBe(isAsked ? "saved\n" : "");
    }),
  );
});

describe("the choice", () => {
  it("says what is installed, and what holds our rules", () => {
    const ours = nft(0, "echo ':NFTPOL-FORWARD - [0:0]'");
    return choose({ ...ours, ...legacy(9) }, "filter\n", undefined, async (chosen) => {
      expect(await chosen).toMatchObject({
        variant: "legacy",
        versions: { nft: "iptables v1.8.9 (nf_tables)", legacy: "iptables v1.8.9 (legacy)" },
        holdOurs: ["nft"],
        warnings: [],
      });
    });
  });

  it("warns of a variant that cannot be used", () =>
    choose({ ...nft(0, INCOMPATIBLE), ...legacy(0) }, "", undefined, async (chosen) => {
      expect(await chosen).toMatchObject({
        variant: "legacy",
        warnings: [expect.stringContaining("variant nft of iptables cannot be used here")],
      });
    }));

  it.each<[sentence: string, scripts: Record<string, string>, wish: Variant | undefined, error: object]>([
    ["nothing is installed", {}, undefined, { kind: "not-installed", hint: "install the package iptables" }],
    [
      "what is wished is not installed",
      nft(0),
      "legacy",
      { kind: "not-installed", message: "the variant legacy of iptables is not installed" },
    ],
    ["what is wished cannot be used", { ...nft(0, INCOMPATIBLE), ...legacy(0) }, "nft", { kind: "unsupported" }],
    ["the only one cannot be used", nft(0, INCOMPATIBLE), undefined, { kind: "unsupported" }],
    [
      "it is not known what a variant holds",
      {
        ...nft(0, "echo 'iptables-nft-save v1.8.9 (nf_tables): Permission denied (you must be root)' >&2; exit 4"),
        ...legacy(0),
      },
      undefined,
      { kind: "not-permitted" },
    ],
  ])("is none where %s", (_, scripts, wish, error) =>
    choose(scripts, "", wish, async (chosen) => {
      await expect(chosen).rejects.toMatchObject({ name: "BackendError", ...error });
    }),
  );
});
