// The watch over our jumps: what it takes for somebody else's work, and when it looks.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Family } from "../../../net/address.ts";
import { BackendError } from "../../backend.ts";
import { ownJump } from "../base-chains.ts";
import type { BuiltInChain, Chain } from "../ruleset.ts";
import type { RulesStage } from "../stages.ts";
import { JumpWatch } from "./jump-watch.ts";

const OUR_JUMP = "-A FORWARD -m comment --comment nftpol -j NFTPOL-FORWARD";
const jumps = (...chains: readonly BuiltInChain[]) =>
  new Map<string, Chain>(chains.map((name) => [name, ownJump(name)]));
const stage = (parts: Partial<RulesStage>): RulesStage => ({
  kind: "rules",
  family: 4,
  write: [],
  remove: [],
  hook: [],
  unhook: [],
  ...parts,
});
const jumpOf = (chain: BuiltInChain) => ownJump(chain).rules.map((rule) => ({ chain, rule }));

/** A kernel whose first rules the test sets; of IPv6 there are none. */
function watched(everyMs = 0) {
  const first = new Map<string, string>([["FORWARD", OUR_JUMP]]);
  const asked: string[] = [];
  const kernel = { first, asked, during: async () => {} };
  const watch = new JumpWatch(everyMs, async (family: Family, chain: BuiltInChain) => {
    asked.push(`${chain} of IPv${family}`);
    await kernel.during();
    return first.get(chain);
  });
  return { watch, ...kernel, kernel };
}

describe("a look", () => {
  it("is content with our jumps at the top, read or written", async () => {
    const { watch, asked } = watched();
    watch.found({ 4: jumps("FORWARD"), 6: new Map() });
    await watch.look();
    expect(watch.takeChanged()).toBe(false);
    const other = watched().watch;
    other.written(stage({ hook: jumpOf("FORWARD") }));
    await other.look();
    expect(other.takeChanged()).toBe(false);
    expect(asked).toEqual(["FORWARD of IPv4"]);
  });

  it.each([
    ["somebody else's rule before ours", "-A FORWARD -j KUBE-FORWARD"],
    ["our jump with another comment", "-A FORWARD -j NFTPOL-FORWARD"],
    ["no rule at all", undefined],
  ])("notices %s, and tells it once", async (_, rule) => {
    const { watch, first } = watched();
    watch.found({ 4: jumps("FORWARD"), 6: new Map() });
    if (rule === undefined) first.delete("FORWARD");
    else first.set("FORWARD", rule);
    await watch.look();
    expect([watch.takeChanged(), watch.takeChanged()]).toEqual([true, false]);
    await watch.look();
    expect(watch.takeChanged()).toBe(true);
  });

  it("does not ask for jumps that are not there, or not any more", async () => {
    const { watch, asked } = watched();
    watch.found({ 4: jumps("FORWARD", "INPUT"), 6: new Map() });
    watch.written(stage({ unhook: jumpOf("INPUT") }));
    watch.written(stage({ family: 6, unhook: jumpOf("FORWARD") }));
    await watch.look();
    expect(asked).toEqual(["FORWARD of IPv4"]);
    watch.found({ 4: new Map(), 6: new Map() });
    await watch.look();
    expect(asked).toHaveLength(1);
    expect(watch.takeChanged()).toBe(false);
  });

  it.each<[string, (watch: JumpWatch) => void]>([
    ["write", (watch) => watch.written(stage({ hook: jumpOf("FORWARD") }))],
    ["read", (watch) => watch.found({ 4: jumps("FORWARD"), 6: new Map() })],
  ])("says nothing of what it saw while we %s ourselves", async (_, act) => {
    const { watch, first, kernel } = watched();
    watch.found({ 4: jumps("FORWARD"), 6: new Map() });
    first.delete("FORWARD");
    kernel.during = async () => act(watch);
    await watch.look();
    expect(watch.takeChanged()).toBe(false);
  });

  it("that is not possible is a reason to verify; any other error is one of ours", async () => {
    const { watch, kernel } = watched();
    watch.found({ 4: jumps("FORWARD"), 6: new Map() });
    kernel.during = () => Promise.reject(new BackendError("broken", "died"));
    await watch.look();
    expect(watch.takeChanged()).toBe(true);
    kernel.during = () => Promise.reject(new TypeError("a mistake"));
    await expect(watch.look()).rejects.toThrow("a mistake");
    expect(watch.takeChanged()).toBe(false);
  });

  it("does nothing while another goes on", async () => {
    const { watch, asked, kernel } = watched();
    watch.found({ 4: jumps("FORWARD"), 6: new Map() });
    const { promise, resolve } = Promise.withResolvers<void>();
    kernel.during = () => promise;
    const first = watch.look();
    await watch.look();
    expect(asked).toHaveLength(1);
    resolve();
    await first;
    await watch.look();
    expect(asked).toHaveLength(2);
  });
});

describe("looks are taken", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each<[string, (watch: JumpWatch) => void]>([
    [
      "jumps were found, also if nothing is ever written",
      (watch) => watch.found({ 4: jumps("FORWARD"), 6: new Map() }),
    ],
    ["jumps were written", (watch) => watch.written(stage({ hook: jumpOf("FORWARD") }))],
  ])("as soon as %s, until the end", async (_, begin) => {
    const { watch, asked } = watched(100);
    begin(watch);
    begin(watch);
    await vi.advanceTimersByTimeAsync(350);
    expect(asked).toHaveLength(3);
    watch.close();
    await vi.advanceTimersByTimeAsync(1000);
    expect(asked).toHaveLength(3);
  });

  it("never, where nothing is expected or nobody wants it", async () => {
    for (const [everyMs, chains] of [
      [100, new Map()],
      [0, jumps("FORWARD")],
    ] as const) {
      const { watch, asked } = watched(everyMs);
      watch.found({ 4: chains, 6: new Map() });
      await vi.advanceTimersByTimeAsync(1000);
      expect(asked).toEqual([]);
      expect(vi.getTimerCount()).toBe(0);
    }
  });
});
