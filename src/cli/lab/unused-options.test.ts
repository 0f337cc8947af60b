import { describe, expect, it } from "vitest";
import { refuseUnusedOptions } from "./unused-options.ts";

const DEFAULTS = { nodes: "as-is", topology: "routed", podToOwnNode: "allow", output: "table" };

describe("an option that an action has no use for", () => {
  it.each([
    ["demo", { nodes: "3" }, "lab demo has no --nodes"],
    ["demo", { port: ["80/TCP"] }, "lab demo has no --port"],
    ["demo", { dualStack: true }, "lab demo has no --dual-stack"],
    ["shell", { byPod: true }, "lab shell has no --by-pod"],
  ])("%s %o is refused", (action, options, message) => {
    expect(() => refuseUnusedOptions(action, { ...DEFAULTS, ...options })).toThrow(message);
  });

  it.each(["demo", "shell", "run"])("nothing is refused where nothing was given: %s", (action) => {
    expect(() => refuseUnusedOptions(action, DEFAULTS)).not.toThrow();
  });

  it("run has a use for all of them", () => {
    expect(() => refuseUnusedOptions("run", { ...DEFAULTS, nodes: "3", byPod: true, dualStack: true })).not.toThrow();
  });
});
