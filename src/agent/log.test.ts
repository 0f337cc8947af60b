import { expect, it } from "vitest";
import { BackendError } from "../backends/backend.ts";
import { createLog } from "./log.ts";

function logged(tell: (log: ReturnType<typeof createLog>) => void): string {
  let lines = "";
  tell(
    createLog("info", "node-1", (line) => {
      lines += line;
    }),
  );
  return lines;
}

it.each([
  ["a line break", "a\nb"],
  ["an escape sequence", "\u001b[2J"],
  ["the one-character form of one", "\u009b2J"],
  ["a line separator", "a\u2028b"],
  ["a mark that turns the direction", "a\u202eb"],
  ["an invisible character beyond 16 bits", "a\u{e0041}b"],
])("%s in what others say stays in its line, cannot be seen by a terminal, and can be read back", (_name, text) => {
  const line = logged((log) => log.warn({ object: text, err: new Error(text) }, "a fixed text"));
  expect(line).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+\n$/u);
  expect(JSON.parse(line)).toMatchObject({ object: text, err: { message: text }, msg: "a fixed text", node: "node-1" });
});

it("an error is told with what its class adds, and with its stack only where it is a bug", () => {
  const cause = new Error("the pipe is closed");
  const line = logged((log) =>
    log.error({ err: new BackendError("broken", "nft died", { hint: "look", cause }) }, "x"),
  );
  const err = { name: "BackendError", message: "nft died", kind: "broken", hint: "look", cause: "the pipe is closed" };
  expect(JSON.parse(line).err).toEqual(err);
  expect(JSON.parse(logged((log) => log.error({ err: new TypeError("no") }, "x"))).err.stack).toContain("log.test.ts");
});
