import { describe, expect, it } from "vitest";
import { makePod, makePolicy, setPod, setPolicy } from "../../test/support/model-objects.ts";
import { ApiError } from "../kube/api-error.ts";
import type { EventOutcome, EventReport } from "../kube/events.ts";
import type { ObjectFinding } from "./object-findings.ts";
import { PolicyEvents } from "./policy-events.ts";

const policy = makePolicy("closed", { podSelector: {} });
const finding: ObjectFinding = {
  object: "policy",
  event: setPolicy(policy),
  uid: "uid-1",
  diagnostics: [
    {
      code: "bad-cidr",
      severity: "error",
      field: "spec.ingress[0].from[0].ipBlock.cidr",
      message: "10.0.0.1/8 has bits set beyond /8",
      hint: "write 10.0.0.0/8",
      position: { file: "cluster" },
    },
  ],
};

function start(outcome: () => EventOutcome = () => ({ kind: "created" })) {
  const reports: EventReport[] = [];
  const outcomes: string[] = [];
  const logged: string[] = [];
  const log = {
    error() {},
    info() {},
    debug() {},
    warn: (_fields: unknown, message: string) => void logged.push(message),
  };
  let release = () => {};
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const events = new PolicyEvents({
    nodeName: "node-1",
    log,
    report: async (report) => {
      await held;
      reports.push(report);
      return outcome();
    },
  });
  const add = (findings: readonly ObjectFinding[]) => events.add(findings, (each) => outcomes.push(each));
  return { add, release, reports, outcomes, logged };
}

describe("an Event", () => {
  it("says what is wrong, where, what would be right, and that it is closed", async () => {
    const { add, release, reports, outcomes } = start();
    add([finding]);
    release();
    await expect.poll(() => outcomes).toEqual(["created"]);
    expect(reports).toMatchObject([
      {
        regarding: {
          kind: "NetworkPolicy",
          apiVersion: "networking.k8s.io/v1",
          namespace: "a",
          name: "closed",
          uid: "uid-1",
        },
        reason: "InvalidPolicy",
        type: "Warning",
        reportingInstance: "node-1",
        note: "Invalid rules allow nothing: spec.ingress[0].from[0].ipBlock.cidr: 10.0.0.1/8 has bits set beyond /8 (write 10.0.0.0/8)",
      },
    ]);
  });

  it("says that a broken podSelector closes more pods, not fewer", async () => {
    const { add, release, reports } = start();
    const [diagnostic] = finding.diagnostics;
    const field = "spec.podSelector.matchLabels.app";
    add([{ ...finding, diagnostics: [{ ...(diagnostic as NonNullable<typeof diagnostic>), field }] }]);
    release();
    await expect.poll(() => reports.length).toBe(1);
    expect(reports[0]?.note).toMatch(
      /^Conditions of podSelector that cannot be read are left out, so more pods are closed/,
    );
  });

  it("has a revision that other findings change", async () => {
    const { add, release, reports, outcomes } = start();
    const diagnostics = finding.diagnostics.map((each) => ({ ...each, message: "other" }));
    add([finding, finding, { ...finding, diagnostics }]);
    release();
    await expect.poll(() => outcomes).toHaveLength(3);
    const revisions = reports.map((report) => report.revision);
    expect(revisions[0]).toBe(revisions[1]);
    expect(revisions[2]).not.toBe(revisions[0]);
  });

  it("is not made of pods, nor of policies that are gone", async () => {
    const { add, release, reports, outcomes } = start();
    add([
      { ...finding, event: setPod(makePod("p", "10.0.0.1")) },
      { ...finding, event: { kind: "policy", key: policy.key, policy: undefined } },
      finding,
    ]);
    release();
    await expect.poll(() => outcomes).toEqual(["created"]);
    expect(reports).toHaveLength(1);
  });

  it("that cannot be reported is counted and logged, and the next one follows", async () => {
    const failure = new ApiError({ kind: "unreachable", message: "connection refused" });
    const { add, release, outcomes, logged } = start(() => ({ kind: "failed", failure }));
    add([finding, finding]);
    release();
    await expect.poll(() => outcomes).toEqual(["failed", "failed"]);
    expect(logged).toHaveLength(2);
  });

  it("beyond a few hundred that wait is dropped, and counted", async () => {
    const { add, release, outcomes, reports } = start();
    add(Array.from({ length: 1_000 }, () => finding));
    release();
    await expect.poll(() => outcomes.length).toBe(1_000);
    expect(reports.length).toBeLessThanOrEqual(201);
    expect(outcomes.filter((each) => each === "dropped").length).toBe(1_000 - reports.length);
  });
});
