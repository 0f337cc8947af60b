import { describe, expect, it, vi } from "vitest";
import { type ConnectionTracker, ConnectionTrackerError } from "./connection-tracker.ts";
import { MemoryConnectionTracker } from "./memory-connection-tracker.ts";
import { NetlinkError } from "./netlink-error.ts";
import { openConnectionTracker } from "./open-connection-tracker.ts";

const noKoffi = new NetlinkError("unavailable", "the package koffi cannot be loaded: no such package");
const noProgram = new ConnectionTrackerError("unsupported", "the program conntrack is not installed");
const noRights = new ConnectionTrackerError("not-permitted", "the capability NET_ADMIN is needed");

/** What each start ends with; the trackers are told apart by identity. */
function starters(outcomes: Readonly<Record<"ctnetlink" | "conntrack", ConnectionTracker | Error>>) {
  const start = (name: "ctnetlink" | "conntrack") =>
    vi.fn(async () => {
      const outcome = outcomes[name];
      if (outcome instanceof Error) throw outcome;
      return outcome;
    });
  return { ctnetlink: start("ctnetlink"), conntrack: start("conntrack") };
}

describe("the choice of a connection tracker", () => {
  const [ctnetlink, conntrack] = [new MemoryConnectionTracker(), new MemoryConnectionTracker()];

  it("is ctnetlink where both work, and the program where that is preferred", async () => {
    const both = starters({ ctnetlink, conntrack });
    expect(await openConnectionTracker({ starters: both })).toBe(ctnetlink);
    expect(both.conntrack).not.toHaveBeenCalled();
    expect(await openConnectionTracker({ starters: both, prefer: "conntrack" })).toBe(conntrack);
  });

  it("is the other one where the first cannot work", async () => {
    expect(await openConnectionTracker({ starters: starters({ ctnetlink: noKoffi, conntrack }) })).toBe(conntrack);
    const preferred = { prefer: "conntrack", starters: starters({ ctnetlink, conntrack: noProgram }) } as const;
    expect(await openConnectionTracker(preferred)).toBe(ctnetlink);
  });

  it("fails where neither works, with both reasons and what to do", async () => {
    const opening = openConnectionTracker({ starters: starters({ ctnetlink: noKoffi, conntrack: noProgram }) });
    await expect(opening).rejects.toMatchObject({ kind: "unsupported", cause: noKoffi });
    await expect(opening).rejects.toThrow(/koffi cannot be loaded.*conntrack is not installed.*install/);
  });

  it("does not go on where rights are missing: the other way would lack them as well", async () => {
    const both = starters({ ctnetlink: noRights, conntrack });
    await expect(openConnectionTracker({ starters: both })).rejects.toBe(noRights);
    expect(both.conntrack).not.toHaveBeenCalled();
  });

  it("does not hide a bug behind a fallback", async () => {
    const bug = new TypeError("undefined is not a function");
    await expect(openConnectionTracker({ starters: starters({ ctnetlink: bug, conntrack }) })).rejects.toBe(bug);
  });
});
