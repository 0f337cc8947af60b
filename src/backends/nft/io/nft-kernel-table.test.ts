// Probing and reading with programs that pretend to be nft: what is said about an nft or a kernel that cannot do what we need.

import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fakeSession, withFakeNft } from "../../../../test/support/fake-nft.ts";
import { DEFAULT_PROGRAM_OPTIONS, type ProgramOptions } from "../../../program/program.ts";
import { neededFeatures, probeText } from "../probe-rules.ts";
import { batchFileName } from "./batch-file.ts";
import { NftKernelTable, type WriterChoice } from "./nft-kernel-table.ts";

const GOOD = `
version='nftables v1.1.3 (Commodore Bullmoose #4)'; json='{"nftables": []}'; checked=ok
refuse() { printf '/dev/stdin:9:1-9: Error: Could not process rule: %s\\nadd x\\n^^^\\n' "$1" >&2; exit 1; }`;

/** An nft whose replies the first lines change. */
const nft = (changes: string, session = fakeSession(":")) => `${GOOD}
${changes}
case "$*" in
  --version) echo "$version"; exit 0 ;;
  "-j list tables") echo "$json"; exit 0 ;;
  "-c -f -") cat > "$dir/input"; cat "$dir/input" >> "$dir/checked"; check; exit 0 ;;
  -i | "-f -") ;;
  *) list "$@"; exit 1 ;;
esac
${session}`;

const check = (body: string) => `check() { ${body}; }`;

async function withTable(
  script: string,
  body: (table: NftKernelTable, read: (name: string) => string) => Promise<void>,
  {
    timeoutMs = 9000,
    writer = "auto" as WriterChoice,
    options = DEFAULT_PROGRAM_OPTIONS as ProgramOptions,
    batchFolder = "/dev/shm",
  } = {},
): Promise<void> {
  await withFakeNft(script, async ({ binary, read }) => {
    const table = new NftKernelTable({
      program: { binary, timeoutMs },
      options,
      writer,
      batchFolder: batchFolder === "" ? undefined : batchFolder,
    });
    try {
      await body(table, read);
    } finally {
      await table.close();
    }
  });
}

describe("probing", () => {
  it("is content with an nft that can do everything", () =>
    withTable(nft(check(":")), async (table, read) => {
      expect(await table.probe()).toEqual({
        version: "nftables v1.1.3 (Commodore Bullmoose #4)",
        writer: "nft -i",
        warnings: [],
      });
      expect(read("checked")).toBe(probeText(`nftpol_probe_${process.pid}`, neededFeatures(DEFAULT_PROGRAM_OPTIONS)));
    }));

  it("only checks, in a scratch table", () =>
    withTable(nft(check(":")), async (table, read) => {
      await table.probe();
      for (const line of read("checked").trim().split("\n"))
        expect(line).toMatch(/^add \S+ inet nftpol_probe_\d+( |$)/);
      expect(read("child")).toBe("");
      expect(read("included")).toBe("");
    }));

  it("warns of an nft that others can crash", () =>
    withTable(nft(`${check(":")}; version='nftables v1.0.6 (Lester Gooch #5)'`), async (table) => {
      expect((await table.probe()).warnings).toEqual([expect.stringContaining("use nft >= 1.1.3")]);
    }));

  it.each<[string, string, object]>([
    [
      "is too old",
      "version='nftables v1.0.5 (Lester Gooch #4)'",
      { kind: "unsupported", message: expect.stringContaining("v1.0.5"), hint: expect.stringContaining("1.1.3") },
    ],
    ["does not tell its version", "version='hello'", { kind: "unsupported" }],
    [
      "has no JSON",
      `case "$*" in -j*) echo 'Error: JSON support not compiled-in' >&2; exit 1;; esac`,
      {
        kind: "unsupported",
        message: expect.stringContaining("without JSON"),
        output: expect.stringContaining("not compiled-in"),
      },
    ],
    [
      "writes something else for JSON",
      "json=table",
      { kind: "unsupported", message: expect.stringContaining("without JSON") },
    ],
    [
      "may not",
      `case "$*" in -j*) echo 'Operation not permitted (you must be root)' >&2; exit 1;; esac`,
      { kind: "not-permitted", hint: expect.stringContaining("CAP_NET_ADMIN") },
    ],
    ["crashes", `case "$*" in -j*) kill -SEGV $$;; esac`, { kind: "broken", hint: expect.stringContaining("1.1.3") }],
  ])("refuses an nft that %s", (_, change, error) =>
    withTable(nft(`${check(":")}\n${change}`), async (table) => {
      await expect(table.probe()).rejects.toMatchObject({ name: "BackendError", ...error });
    }),
  );

  it("refuses an nft that hangs, and ends it", () =>
    withTable(
      nft(`${check(":")}\ncase "$*" in -j*) echo $$ > "$dir/pid"; kill -STOP $$;; esac`),
      async (table, read) => {
        await expect(table.probe()).rejects.toMatchObject({
          kind: "broken",
          message: expect.stringContaining("within 2 s"),
        });
        expect(existsSync(`/proc/${read("pid").trim()}`)).toBe(false);
      },
      { timeoutMs: 2000 },
    ));

  it.each([
    ["connection tracking", "ct state", "connection tracking in rules", /nf_conntrack/],
    ["pipapo", "flags interval", "sets of address blocks with a second field", /5\.10/],
    ["named counters", "counter name", "named counters", /OBJREF/],
    ["NFLOG", "group 100", "rate-limited logging to NFLOG", /nfnetlink_log/],
    ["fib", "fib saddr", "address types from the routing table", /nft_fib/],
  ])("names what a kernel without %s lacks", (_, word, feature, needs) =>
    withTable(
      nft(check(`grep -q '${word}' "$dir/input" && refuse 'Operation not supported'`)),
      async (table) => {
        await expect(table.probe()).rejects.toMatchObject({
          kind: "unsupported",
          message: expect.stringContaining(feature),
          hint: expect.stringMatching(needs),
          output: expect.stringContaining("Operation not supported"),
        });
      },
      { options: { ...DEFAULT_PROGRAM_OPTIONS, serviceProxy: "ipvs" } },
    ),
  );

  it("asks for address types of the routing table only where they are used", () =>
    withTable(nft(check(`grep -q 'fib saddr' "$dir/input" && refuse 'Operation not supported'`)), async (table) => {
      expect(await table.probe()).toMatchObject({ warnings: [] });
    }));

  it("says so when only the whole is refused", () =>
    withTable(nft(check(`[ $(wc -l < "$dir/input") -gt 30 ] && refuse 'Cannot do it'`)), async (table) => {
      await expect(table.probe()).rejects.toMatchObject({
        kind: "unsupported",
        message: expect.stringContaining("Cannot do it"),
      });
    }));
});

describe("the writer", () => {
  const noSession = nft(check(":"), 'echo "Error: CLI not supported" >&2; [ "$1" = -f ]; exit');

  it("is a child for each transaction where nft has no command line, with a warning", () =>
    withTable(noSession, async (table) => {
      expect(await table.probe()).toMatchObject({
        writer: "nft -f",
        warnings: [expect.stringContaining("nft -i cannot be used")],
      });
    }));

  it("is a child where no folder can be written to", () =>
    withTable(
      nft(check(":")),
      async (table) => {
        expect(await table.probe()).toMatchObject({
          writer: "nft -f",
          warnings: [expect.stringContaining("no folder")],
        });
      },
      { batchFolder: "" },
    ));

  it("is refused where only a session would do", () =>
    withTable(
      noSession,
      async (table) => {
        await expect(table.probe()).rejects.toMatchObject({
          kind: "unsupported",
          message: expect.stringContaining("no session"),
        });
      },
      { writer: "session" },
    ));

  it("is chosen without a probe too", () =>
    withTable(nft(check(":")), async (table, read) => {
      await table.write({ table: "nftpol", operations: [{ kind: "add-counter", name: "c" }] });
      expect(read("included")).toMatch(/^include "\/dev\/shm\/nftpol-[0-9a-f]{24}\.nft"\n$/);
    }));
});

describe("reading", () => {
  it.each<[string, string, object]>([
    ["no table", `echo 'Error: No such file or directory' >&2`, { kind: "none" }],
    ["something that is no JSON", "echo nonsense; exit 0", { kind: "unreadable" }],
    ["JSON that is no table", `echo '{}'; exit 0`, { kind: "unreadable" }],
    [
      "a set that is no set",
      `echo '{"nftables": [{"set": {"name": "s", "type": "ipv4_addr", "elem": 7}}]}'; exit 0`,
      { kind: "unreadable" },
    ],
    ["a crash", "kill -SEGV $$", { kind: "unreadable", reason: expect.stringContaining("SIGSEGV") }],
    [
      "an empty table",
      `echo '{"nftables": [{"table": {"family": "inet", "name": "nftpol", "handle": 1}}]}'; exit 0`,
      { kind: "table", unknown: [] },
    ],
  ])("%s", (_, body, found) =>
    withTable(nft(`list() { ${body}; }`), async (table) => {
      expect(await table.read()).toMatchObject(found);
    }),
  );

  it.each<[string, string, object]>([
    ["may not", "echo 'Operation not permitted (you must be root)' >&2", { kind: "not-permitted" }],
    ["was ended", "kill -KILL $$", { kind: "broken" }],
  ])("throws when nft %s: nothing is known then", (_, body, error) =>
    withTable(nft(`list() { ${body}; }`), async (table) => {
      await expect(table.read()).rejects.toMatchObject({ name: "BackendError", ...error });
      await expect(table.counters()).rejects.toMatchObject(error);
      await expect(table.remove()).rejects.toMatchObject(error);
    }),
  );
});

it.each<WriterChoice>(["session", "child"])(
  "what killed agents left goes at the start, and when it is old enough later: written by %s",
  async (writer) => {
    const batchFolder = mkdtempSync(join(tmpdir(), "nfpt-left-"));
    const leave = (minutesAgo: number) => {
      const path = batchFileName(batchFolder);
      writeFileSync(path, "text");
      const time = Date.now() / 1000 - minutesAgo * 60;
      utimesSync(path, time, time);
      return path;
    };
    const old = leave(11);
    const young = leave(9);
    try {
      const list = `list() { echo '{"nftables": []}'; exit 0; }`;
      await withTable(
        nft(`${check(":")}; ${list}`),
        async (table) => {
          await table.probe();
          expect([existsSync(old), existsSync(young)]).toEqual([false, true]);
          utimesSync(young, 0, 0);
          await table.read();
          expect(existsSync(young)).toBe(false);
        },
        { writer, batchFolder },
      );
    } finally {
      rmSync(batchFolder, { recursive: true, force: true });
    }
  },
);
