import { closeSync, openSync } from "node:fs";
import { afterEach, describe, expect, it, vi } from "vitest";
import { loadLibc } from "./libc.ts";
import { findRouteSource } from "./route-source.ts";

afterEach(() => {
  vi.doUnmock("koffi");
  vi.resetModules();
});

describe("the C library", () => {
  it("calls functions, and tells their error numbers, also of calls on another thread", async () => {
    const libc = await loadLibc();
    const ENOTSOCK = 88;
    const EAFNOSUPPORT = 97;
    const EBADF = 9;
    expect(libc.socket(12345, 1, 0)).toBe(-EAFNOSUPPORT);
    expect(libc.close(-1)).toBe(-EBADF);
    // Together: each has its own error number, whatever the others end with.
    const buffer = Buffer.alloc(8);
    const noSocket = openSync("/dev/null", "r");
    const both = () => [libc.receive(noSocket, buffer, 0), libc.send(-1, buffer)];
    const results = await Promise.all(Array.from({ length: 20 }, both).flat());
    expect(new Set(results.filter((_, n) => n % 2 === 1))).toEqual(new Set([-EBADF]));
    expect(new Set(results.filter((_, n) => n % 2 === 0))).toEqual(new Set([-ENOTSOCK]));
    closeSync(noSocket);
  });

  it("is unavailable without the package, and links and routes are then asked of the program ip", async () => {
    vi.doMock("koffi", () => {
      throw new Error("Cannot find package 'koffi'");
    });
    await expect(loadLibc()).rejects.toMatchObject({ name: "NetlinkError", kind: "unavailable" });
    await expect(loadLibc()).rejects.toThrow("koffi");
    expect(await findRouteSource()).toEqual({ kind: "program", program: ["ip"] });
  });
});
