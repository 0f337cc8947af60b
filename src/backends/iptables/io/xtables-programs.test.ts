// The programs of iptables, played by scripts: how they are found and called, and what is made of a bad end.

import { existsSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { type FakePrograms, withFakePrograms } from "../../../../test/support/fake-programs.ts";
import type { Variant } from "../xtables-version.ts";
import { findXtables, type XtablesPrograms, type XtablesSettings } from "./xtables-programs.ts";

const TEXT = "*filter\n:NFTPOL-A - [0:0]\n-A NFTPOL-A -j DROP\nCOMMIT\n";

const says = (version: string) => `[ "$1" = --version ] && { echo '${version}'; exit 0; }; echo "$*" >> "$dir/asked"`;
const NFT = says("iptables v1.8.9 (nf_tables)");
const LEGACY = says("iptables v1.8.9 (legacy)");
/** Before the variants. */
const OLD = says("iptables v1.6.1");

const settings = ({ folder }: FakePrograms, changes: Partial<XtablesSettings> = {}): XtablesSettings => ({
  folder,
  timeoutMs: 9_000,
  lockWaitSeconds: 7,
  ...changes,
});

/** With a variant nft whose restore runs this script. */
function withRestore(
  script: string,
  body: (programs: XtablesPrograms, fake: FakePrograms) => Promise<void>,
  changes: Partial<XtablesSettings> = {},
): Promise<void> {
  const scripts = { "iptables-nft": NFT, "iptables-nft-restore": script };
  return withFakePrograms(scripts, async (fake) => {
    const programs = await findXtables("nft", settings(fake, changes));
    if (programs === undefined) throw new Error("not found");
    await body(programs, fake);
  });
}

describe("the programs of a variant", () => {
  const found = (scripts: Readonly<Record<string, string>>, variant: Variant) =>
    withFakePrograms(scripts, async (fake) => {
      const programs = await findXtables(variant, settings(fake));
      return programs === undefined ? undefined : [programs.writer, programs.families];
    });

  it.each<[sentence: string, scripts: Record<string, string>, variant: Variant, found: unknown]>([
    ["are those of its name", { "iptables-nft": NFT, iptables: NFT }, "nft", ["iptables-nft-restore", [4]]],
    ["are the plain ones, if they are of it", { iptables: LEGACY }, "legacy", ["iptables-restore", [4]]],
    ["are not the plain ones of the other", { iptables: LEGACY }, "nft", undefined],
    ["are the plain ones before there were two", { iptables: OLD }, "legacy", ["iptables-restore", [4]]],
    ["are for both families", { "iptables-nft": NFT, "ip6tables-nft": NFT }, "nft", ["iptables-nft-restore", [4, 6]]],
    ["are none for IPv6 alone", { "ip6tables-nft": NFT }, "nft", undefined],
    ["are none that are something else", { "iptables-nft": "echo hello" }, "nft", undefined],
    ["are none that cannot say what they are", { "iptables-nft": "exit 1" }, "nft", undefined],
  ])("%s", async (_, scripts, variant, expected) => {
    expect(await found(scripts, variant)).toEqual(expected);
  });
});

describe("restoring", () => {
  it("keeps what others have, and waits for the lock", () =>
    withRestore(`echo "$*" > "$dir/asked"; cat > "$dir/input"`, async (programs, fake) => {
      await programs.restore(4, TEXT);
      expect(fake.read("asked")).toBe("--noflush -w 7\n");
      expect(fake.read("input")).toBe(TEXT);
    }));

  it.each([
    ["no table", ""],
    ["no end", "*filter\n-A NFTPOL-A -j DROP\n"],
    ["two tables", `${TEXT}*nat\nCOMMIT\n`],
    ["something behind its end", `${TEXT}-A NFTPOL-A -j DROP\n`],
    ["two ends", "*filter\nCOMMIT\nCOMMIT\n"],
  ])("does not begin with a text that has %s: that is not all or nothing", (_, text) =>
    withRestore(`echo ran > "$dir/asked"`, async (programs, fake) => {
      await expect(programs.restore(4, text)).rejects.toThrow("one table");
      expect(fake.read("asked")).toBe("");
    }),
  );

  it("that hangs is ended, with what it started, and not known to have failed", () =>
    withRestore(
      `sh -c 'echo $$ > "$0/pid"; kill -STOP $$' "$dir"`,
      async (programs, fake) => {
        await expect(programs.restore(4, TEXT)).rejects.toMatchObject({
          kind: "broken",
          message: "iptables-nft-restore did not answer within 0.5 s and was ended",
        });
        // It was not our child: whoever adopted it has yet to take note of its end.
        await expect.poll(() => existsSync(`/proc/${fake.read("pid").trim()}`), { timeout: 5000 }).toBe(false);
      },
      { timeoutMs: 500 },
    ));

  it.each<[sentence: string, script: string, error: object]>([
    ["is killed", "kill -KILL $$", { kind: "broken", message: "iptables-nft-restore was ended by SIGKILL" }],
    ["is killed behind a shell", "exit 137", { kind: "broken", message: "iptables-nft-restore was ended by SIGKILL" }],
    ["ends as it never does", "exit 99", { kind: "broken" }],
    ["talks nonsense", "echo nonsense >&2; exit 2", { kind: "refused", message: expect.stringContaining("nonsense") }],
    [
      "names a line",
      "echo 'iptables-restore: line 3 failed' >&2; exit 1",
      { kind: "refused", message: expect.stringContaining("(line 3: -A NFTPOL-A -j DROP)") },
    ],
  ])("throws when the program %s", (_, script, error) =>
    withRestore(script, async (programs) => {
      await expect(programs.restore(4, TEXT)).rejects.toMatchObject({ name: "BackendError", ...error });
    }),
  );

  it("says what to install where the program is missing", () =>
    withFakePrograms({ "iptables-nft": NFT }, async (fake) => {
      const programs = await findXtables("nft", settings(fake));
      await expect(programs?.restore(4, TEXT)).rejects.toMatchObject({
        kind: "not-installed",
        message: "the program iptables-nft-restore is not installed",
        hint: "install the package iptables",
      });
    }));

  it("asks iptables for the reason that restore keeps for itself", () => {
    const scripts = {
      "iptables-legacy": `${LEGACY}; echo "iptables v1.8.9 (legacy): can't initialize iptables table \\\`filter': Permission denied (you must be root)" >&2; exit 3`,
      "iptables-legacy-restore": `echo "iptables-restore v1.8.9 (legacy): iptables-restore: unable to initialize table 'filter'" >&2; exit 2`,
    };
    return withFakePrograms(scripts, async (fake) => {
      const programs = await findXtables("legacy", settings(fake));
      await expect(programs?.restore(4, TEXT)).rejects.toMatchObject({ kind: "not-permitted" });
      expect(fake.read("asked")).toBe("-w 7 -t filter -S FORWARD 1\n");
    });
  });
});

describe("an old restore, which cannot wait,", () => {
  const busy = `echo "$*" >> "$dir/asked"; [ $(wc -l < "$dir/asked") -ge 3 ] && exit 0; exit 4`;
  const withOld = (
    script: string,
    body: (programs: XtablesPrograms, fake: FakePrograms) => Promise<void>,
    lockWaitSeconds: number,
  ) =>
    withFakePrograms({ iptables: OLD, "iptables-restore": script }, async (fake) => {
      const programs = await findXtables("legacy", settings(fake, { lockWaitSeconds }));
      if (programs === undefined) throw new Error("not found");
      await body(programs, fake);
    });

  it("is started again while another program changes rules", () =>
    withOld(
      busy,
      async (programs, fake) => {
        await programs.restore(4, TEXT);
        expect(fake.read("asked")).toBe("--noflush\n".repeat(3));
      },
      7,
    ));

  it("is not started again for ever", () =>
    withOld(
      busy,
      async (programs) => {
        await expect(programs.restore(4, TEXT)).rejects.toMatchObject({ kind: "refused" });
      },
      0,
    ));

  it("is not started again where its input was wrong", () =>
    withOld(
      `echo "$*" >> "$dir/asked"; exit 2`,
      async (programs, fake) => {
        await expect(programs.restore(4, TEXT)).rejects.toMatchObject({ kind: "refused" });
        expect(fake.read("asked")).toBe("--noflush\n");
      },
      7,
    ));
});

describe("looking", () => {
  const withSave = (
    save: string,
    list: string,
    body: (programs: XtablesPrograms, fake: FakePrograms) => Promise<void>,
  ) =>
    withFakePrograms({ "iptables-nft": `${NFT}; ${list}`, "iptables-nft-save": save }, async (fake) => {
      const programs = await findXtables("nft", settings(fake));
      if (programs === undefined) throw new Error("not found");
      await body(programs, fake);
    });

  it("at the table names it, and counters where they are wanted", () =>
    withSave('echo "$*"', ":", async (programs) => {
      expect(await programs.save(4)).toBe("-t filter\n");
      expect(await programs.save(4, { counters: true })).toBe("-c -t filter\n");
      expect(await programs.saveAll(4)).toBe("\n");
    }));

  it("at a table that save leaves out is an error, though save is content", () =>
    withSave("echo \"# Table \\`filter' is incompatible, use 'nft' tool.\"", ":", async (programs) => {
      await expect(programs.save(4)).rejects.toMatchObject({
        kind: "unsupported",
        message: expect.stringContaining("cannot read the table filter"),
      });
    }));

  it("at the head of a chain finds its first rule behind warnings", () =>
    withSave(
      ":",
      "echo '# Warning: legacy tables present'; echo '-A FORWARD -j NFTPOL-FORWARD'",
      async (programs, fake) => {
        expect(await programs.firstRule(4, "FORWARD")).toBe("-A FORWARD -j NFTPOL-FORWARD");
        expect(fake.read("asked")).toBe("-w 7 -t filter -S FORWARD 1\n");
      },
    ));

  it("at the head of an empty chain finds none", () =>
    withSave(":", "echo '# Warning: legacy tables present'", async (programs) => {
      expect(await programs.firstRule(4, "FORWARD")).toBeUndefined();
    }));
});
