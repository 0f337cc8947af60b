import { expect, it } from "vitest";
import { parseDuration } from "./duration.ts";

it.each([
  ["0", 0],
  ["10ms", 10],
  ["60s", 60_000],
  ["1m30s", 90_000],
  ["1.5h", 5_400_000],
])("%s is %d ms", (text, ms) => expect(parseDuration("--x", text)).toBe(ms));

it.each(["", "10", "s", "-1s", "1d", "1 s", "1s ", "900h"])("%j is refused", (text) => {
  expect(() => parseDuration("--x", text)).toThrow(/--x/);
});
