// The session with programs that pretend to be nft: what it does when nft refuses, dies, hangs or talks nonsense.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fakeSession, withFakeNft } from "../../../../test/support/fake-nft.ts";
import type { Transaction } from "../transaction.ts";
import { NftSession } from "./nft-session.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "nfpt-batches-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const transaction: Transaction = { table: "nftpol", operations: [{ kind: "add-counter", name: "c" }] };
const TEXT = "add counter inet nftpol c\n";

async function withSession(
  onInclude: string,
  body: (session: NftSession, read: (name: string) => string, binary: string) => Promise<void>,
  timeoutMs = 9000,
): Promise<void> {
  await withFakeNft(fakeSession(onInclude), async ({ binary, read }) => {
    const session = new NftSession({ binary, timeoutMs }, folder);
    try {
      await body(session, read, binary);
    } finally {
      await session.close();
    }
    expect(readdirSync(folder)).toEqual([]);
  });
}

const lines = (text: string) => text.split("\n").filter(Boolean);

it("hands over the text in a file that only we can read, in one process for many transactions", () =>
  withSession(
    `f=$(echo "$line" | cut -d'"' -f2); stat -c %a "$f" >> "$dir/modes"; cat "$f" >> "$dir/text"`,
    async (session, read) => {
      for (let count = 0; count < 3; count++) await session.write(transaction);
      expect(read("text")).toBe(TEXT.repeat(3));
      expect(lines(read("modes"))).toEqual(["600", "600", "600"]);
      expect(lines(read("started"))).toHaveLength(1);
    },
  ));

it("tells a refusal with what nft said, and goes on in the same process", () =>
  withSession(
    `[ -e "$dir/refused" ] || printf 'In file included from <cmdline>:1:1-9:\\n/f:1:1-3: Error: Could not process rule: File exists\\nadd x\\n^^^\\n' >&2; touch "$dir/refused"`,
    async (session, read) => {
      await expect(session.write(transaction)).rejects.toMatchObject({
        kind: "refused",
        message: "nft refused: Could not process rule: File exists",
        output: expect.stringContaining("add x\n^^^"),
      });
      await session.write(transaction);
      expect(lines(read("started"))).toHaveLength(1);
      expect(read("child")).toBe("");
    },
  ));

it("takes a warning for success", () =>
  withSession(`echo "/f:1:1-3: Warning: deprecated" >&2`, async (session) => {
    await session.write(transaction);
  }));

it("does not take for success what is neither error nor warning", () =>
  withSession(`echo "something happened" >&2`, async (session) => {
    await expect(session.write(transaction)).rejects.toMatchObject({ kind: "broken", output: "something happened" });
  }));

describe("after nft", () => {
  it.each([
    ["died", `[ -e "$dir/once" ] || { touch "$dir/once"; kill -9 $$; }`, 9000, /ended by SIGKILL/],
    [
      "gave up",
      `[ -e "$dir/once" ] || { touch "$dir/once"; echo "Error: no" >&2; exit 1; }`,
      5000,
      /ended with code 1/,
    ],
    ["hung", `[ -e "$dir/once" ] || { touch "$dir/once"; kill -STOP $$; }`, 2000, /did not answer within 2 s/],
  ])(
    "%s, the next transaction goes through a child, and then there is a new session",
    (_, onInclude, timeoutMs, message) =>
      withSession(
        onInclude,
        async (session, read) => {
          const failed = session.write(transaction);
          await expect(failed).rejects.toMatchObject({ kind: "broken", message: expect.stringMatching(message) });
          for (const pid of lines(read("started"))) expect(existsSync(`/proc/${pid}`)).toBe(false);
          await session.write(transaction);
          expect(read("child")).toBe(TEXT);
          await session.write(transaction);
          expect(read("child")).toBe(TEXT);
          expect(lines(read("started"))).toHaveLength(2);
        },
        timeoutMs,
      ),
  );
});

it("a process that ended between two transactions is replaced without a failure", () =>
  withSession(":", async (session, read) => {
    await session.write(transaction);
    const pid = Number(read("started"));
    process.kill(pid, "SIGKILL");
    // Gone when the runtime has taken note of its end.
    await expect.poll(() => existsSync(`/proc/${pid}`), { timeout: 5000 }).toBe(false);
    await session.write(transaction);
    expect(lines(read("started"))).toHaveLength(2);
    expect(read("child")).toBe("");
  }));

it("starts a new process after 500 transactions, before it is needed, and ends the old one", () =>
  withSession(":", async (session, read) => {
    for (let count = 0; count < 500; count++) await session.write(transaction);
    await expect.poll(() => lines(read("started")).length, { timeout: 5000 }).toBe(2);
    const [old] = lines(read("started"));
    await expect.poll(() => existsSync(`/proc/${old}`), { timeout: 5000 }).toBe(false);
    await session.write(transaction);
    expect(lines(read("started"))).toHaveLength(2);
    expect(lines(read("included"))).toHaveLength(501);
  }));

it("without room for the file a child does the work", () =>
  withSession(":", async (session, read) => {
    rmSync(folder, { recursive: true });
    writeFileSync(folder, "");
    await session.write(transaction);
    expect(read("child")).toBe(TEXT);
    expect(read("started")).toBe("");
    rmSync(folder);
    mkdirSync(folder);
  }));

it("writes into no file that somebody else has put there", () =>
  withSession(
    `cp "$(echo "$line" | cut -d'"' -f2)" "$dir/seen"; echo "$line" | cut -d'"' -f2 > "$dir/name"`,
    async (session, read) => {
      await session.write(transaction);
      const name = read("name").trim();
      writeFileSync(name, "flush ruleset\n");
      await session.write(transaction);
      expect(read("child")).toBe(TEXT);
      expect(statSync(name).size).toBe("flush ruleset\n".length);
      rmSync(name);
    },
  ));

describe("the handshake", () => {
  it("succeeds with an nft that answers", () => withSession(":", (session) => session.handshake()));

  it.each([
    ["was built without a command line", 'echo "Error: CLI not supported" >&2; exit 1', 9000, /ended with code 1/],
    [
      "speaks otherwise",
      `while read -r line; do printf '<cmdline>:1:1-5: Error: syntax error\\n%s\\n^\\n' "$line" >&2; done`,
      9000,
      /speaks otherwise/,
    ],
    ["says nothing", "while read -r line; do :; done", 1000, /did not answer/],
  ])("fails with an nft that %s", (_, script, timeoutMs, message) =>
    withFakeNft(script, async ({ binary }) => {
      const session = new NftSession({ binary, timeoutMs }, folder);
      await expect(session.handshake()).rejects.toMatchObject({
        kind: "broken",
        message: expect.stringMatching(message),
      });
      await session.close();
    }),
  );

  it("fails without an nft", async () => {
    const session = new NftSession({ binary: join(folder, "none"), timeoutMs: 9000 }, folder);
    await expect(session.handshake()).rejects.toMatchObject({ kind: "not-installed" });
    await session.close();
  });
});
