import { describe, expect, it } from "vitest";
import { VerificationSchedule } from "./verification-schedule.ts";

const schedule = (everyMs: number) => new VerificationSchedule(everyMs, () => 0.5);

describe("verifications", () => {
  it("come at their interval, and after five more seconds before everything else", () => {
    const times = schedule(60_000);
    expect([times.dueAt, times.urgentAt]).toEqual([Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
    times.next(1_000);
    expect([times.dueAt, times.urgentAt]).toEqual([61_000, 66_000]);
  });

  it("that are asked for come at once and first, also where there are no others", () => {
    for (const everyMs of [0, 60_000]) {
      const times = schedule(everyMs);
      times.next(0);
      times.soon(500);
      expect([times.dueAt, times.urgentAt]).toEqual([500, 500]);
    }
  });

  it("leave a second between them, however often somebody asks", () => {
    const times = schedule(60_000);
    times.began(10_000);
    times.soon(10_050);
    times.soon(10_100);
    expect([times.dueAt, times.urgentAt]).toEqual([11_000, 11_000]);
    times.began(11_000);
    expect([times.dueAt, times.urgentAt]).toEqual([71_000, 76_000]);
  });

  it("are not put off by being asked for", () => {
    const times = schedule(200);
    times.began(0);
    times.soon(10);
    expect([times.dueAt, times.urgentAt]).toEqual([200, 200]);
  });
});
