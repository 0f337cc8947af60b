import { describe, expect, it } from "vitest";
import type { SourceStatus } from "./cluster-change.ts";
import { type HealthFacts, liveness, readiness } from "./health.ts";

const pods: SourceStatus = {
  resource: "pods",
  installed: true,
  synced: true,
  lastEventAgeSeconds: 3,
  relists: 0,
  watches: 1,
  failures: 0,
  lastFailure: undefined,
};
const well: HealthFacts = {
  sources: [pods],
  inForce: true,
  dryRun: false,
  syncFailure: undefined,
  kernelBusyMs: undefined,
  heartbeatAgeMs: 100,
  pathProblems: [],
};

describe("ready", () => {
  it("is who has read everything and put it in force", () => {
    expect(readiness(well)).toEqual({ ok: true, lines: ["[+] pods synced", "[+] rules in force ok"] });
  });

  it.each<[string, Partial<HealthFacts>, string]>([
    ["has not read a resource", { sources: [{ ...pods, synced: false }], inForce: false }, "[-] pods not synced yet"],
    [
      "cannot reach the server at start",
      { sources: [{ ...pods, synced: false, lastFailure: "connection refused" }] },
      "[-] pods not synced yet: connection refused",
    ],
    ["has not written yet", { inForce: false }, "[-] rules in force: not applied yet: the rules are being computed"],
    [
      "waits for nft",
      { inForce: false, kernelBusyMs: 7_123 },
      "[-] rules in force: not applied yet: nft has been at work for 7 s",
    ],
    ["is refused by the kernel", { inForce: false, syncFailure: "no memory" }, "[-] rules in force: no memory"],
  ])("is not who %s", (_who, facts, line) => {
    const report = readiness({ ...well, ...facts });
    expect(report.ok).toBe(false);
    expect(report.lines).toContain(line);
  });

  it("is a dry run that is complete, and says that nothing is in force", () => {
    expect(readiness({ ...well, dryRun: true })).toEqual({
      ok: true,
      lines: ["[+] pods synced", "[!] rules in force: no, dry run: the kernel is not written"],
    });
    expect(readiness({ ...well, dryRun: true, inForce: false }).ok).toBe(false);
  });

  it("stays who loses the API server later: the rules are in force", () => {
    const report = readiness({ ...well, sources: [{ ...pods, lastFailure: "connection refused" }] });
    expect(report).toMatchObject({ ok: true, lines: ["[+] pods synced: connection refused", "[+] rules in force ok"] });
  });

  it("is who knows that a kind of policies is not installed", () => {
    const absent = { ...pods, resource: "clusternetworkpolicies", installed: false };
    const doubtful = { ...absent, lastFailure: "whether it is installed is not known: the server is gone" };
    expect(readiness({ ...well, sources: [pods, absent, doubtful] })).toMatchObject({
      ok: true,
      lines: [
        "[+] pods synced",
        "[+] clusternetworkpolicies not installed",
        "[+] clusternetworkpolicies not installed: whether it is installed is not known: the server is gone",
        "[+] rules in force ok",
      ],
    });
  });

  it("is not who cannot know whether one is", () => {
    const lastFailure = "whether it is installed is not known: forbidden";
    const unknown = { ...pods, resource: "clusternetworkpolicies", installed: undefined, synced: false, lastFailure };
    const { ok, lines } = readiness({ ...well, inForce: false, sources: [pods, unknown] });
    expect(ok).toBe(false);
    expect(lines).toContain(`[-] clusternetworkpolicies not synced yet: ${lastFailure}`);
    expect(lines).toContain("[-] rules in force: waits for the first complete state");
  });

  it("shows why packets may pass the rules by", () => {
    const report = readiness({ ...well, pathProblems: ["bridge cni0 …"] });
    expect(report).toMatchObject({ ok: true, lines: expect.arrayContaining(["[!] packet path: bridge cni0 …"]) });
  });
});

describe("alive", () => {
  it("is whose loop turns, whatever else is wrong", () => {
    expect(liveness({ ...well, inForce: false, sources: [{ ...pods, synced: false }] }).ok).toBe(true);
  });

  it("is not whose loop hangs", () => {
    expect(liveness({ ...well, heartbeatAgeMs: 600_000 })).toEqual({
      ok: false,
      lines: ["[-] sync loop: has not turned for 600 s"],
    });
  });
});
