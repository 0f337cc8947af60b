// What nft says becomes the right kind of error, with the part that a person needs.

import { describe, expect, it } from "vitest";
import { errorFromOutput, errorFromSignal, excerpt, isHarmless, saysNotThere } from "./nft-output.ts";

const refusal = (reason: string) => `/dev/stdin:1:1-3: Error: Could not process rule: ${reason}\nadd x\n^^^\n`;

describe("the kind of an error", () => {
  it.each<[string, string, string, RegExp]>([
    [
      "an object that is missing",
      refusal("No such file or directory"),
      "refused",
      /^nft refused: Could not process rule: No such file or directory$/,
    ],
    ["a set that is full", refusal("Too many open files in system"), "refused", /Too many open files/],
    [
      "a syntax error",
      "/dev/stdin:1:5-5: Error: syntax error, unexpected newline\nadd\n   ^\n",
      "refused",
      /syntax error/,
    ],
    [
      "no rights at all",
      "Operation not permitted (you must be root)\nnetlink: Error: cache initialization failed: Operation not permitted\n",
      "not-permitted",
      /does not let nft/,
    ],
    ["no rights to this table", refusal("Operation not permitted"), "not-permitted", /does not let nft/],
    ["no room for the kernel's answer", refusal("No buffer space available"), "broken", /did not finish/],
    [
      "a batch that is too long",
      "netlink: Error: Could not process rule: Message too long\n",
      "broken",
      /did not finish/,
    ],
    ["silence", "", "refused", /did not say why/],
  ])("%s", (_, output, kind, message) => {
    expect(errorFromOutput(output)).toMatchObject({ kind, message: expect.stringMatching(message) });
  });

  it("a table that another process owns is named as a reason, where it may be one", () => {
    expect(errorFromOutput(refusal("Operation not permitted")).hint).toContain("owner");
    expect(errorFromOutput(refusal("Operation not permitted (you must be root)")).hint).toContain("owner");
    const noRights =
      "Operation not permitted (you must be root)\nnetlink: Error: cache initialization failed: Operation not permitted\n";
    expect(errorFromOutput(noRights).hint).toBe("run as root (CAP_NET_ADMIN)");
    expect(errorFromOutput(noRights + refusal("Operation not permitted")).hint).toBe("run as root (CAP_NET_ADMIN)");
  });

  it("a crash names its likely reason; an nft that somebody ended does not", () => {
    expect(errorFromSignal("SIGSEGV", "")).toMatchObject({ kind: "broken", hint: expect.stringContaining("1.1.3") });
    expect(errorFromSignal("SIGKILL", "")).toMatchObject({ kind: "broken", hint: undefined });
  });
});

it.each<[boolean, string]>([
  [true, "Error: No such file or directory\nlist table inet nftpol\n                ^^^^^^\n"],
  [true, "Error: No such file or directory; did you mean table 'x' in family inet?\n"],
  [true, "Error: Could not process rule: No such file or directory\n"],
  [
    false,
    "nft: error while loading shared libraries: libnftables.so.1: cannot open shared object file: No such file or directory\n",
  ],
  [false, "netlink: Error: cache initialization failed: No such file or directory\n"],
])("that something is not there: %s for %s", (expected, output) => {
  expect(saysNotThere(output)).toBe(expected);
});

it.each<[boolean, string]>([
  [true, ""],
  [true, "\n"],
  [true, "/dev/stdin:1:1-3: Warning: this is deprecated\nadd\n^^^\n"],
  [false, "Warning: a\nError: b\n"],
  [false, "BUG: unknown"],
])("harmless: %s for %j", (expected, output) => {
  expect(isHarmless(output)).toBe(expected);
});

describe("the excerpt", () => {
  it("of a short output is the output", () => {
    const output = refusal("File exists").trimEnd();
    expect(excerpt(output)).toBe(output);
  });

  it("of a line with very many elements is the part that nft points at", () => {
    const elements = Array.from(
      { length: 50_000 },
      (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`,
    );
    const line = `add element inet nftpol s { ${elements.join(", ")} }`;
    const at = line.indexOf("10.0.100.7,");
    const shown = excerpt(`In file x:\nx:1:2: Error: File exists\n${line}\n${" ".repeat(at)}^^^^^^^^^^\n`);
    expect(shown.length).toBeLessThan(700);
    const [, heading, source, pointer] = shown.split("\n") as [string, string, string, string];
    expect(heading).toBe("x:1:2: Error: File exists");
    expect(source.slice(pointer.indexOf("^"))).toMatch(/^10\.0\.100\.7,/);
  });

  it("of very many lines is the first ones", () => {
    expect(excerpt("x\n".repeat(10_000)).split("\n")).toHaveLength(30);
  });
});
