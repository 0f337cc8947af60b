import { describe, expect, it } from "vitest";
import { makePod, makePolicy, setPod, setPolicy } from "../../test/support/model-objects.ts";
import { ADMIN, BASELINE, CLUSTER, tierPolicy } from "../../test/support/tier-policies.ts";
import { ApiError } from "../kube/api-error.ts";
import type { EventOutcome, EventReport } from "../kube/events.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import { policyKey } from "../model/policy.ts";
import type { ClusterEvent } from "../state/change.ts";
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

/** Of the cluster's policy `default`. */
function tierFinding(kind: string, ...fields: readonly string[]): ObjectFinding {
  const [diagnostic] = finding.diagnostics as [Diagnostic];
  const event: ClusterEvent = {
    kind: "policy",
    key: policyKey(kind, undefined, "default"),
    policy: {
      key: policyKey(kind, undefined, "default"),
      kind,
      name: "default",
      namespace: undefined,
      tier: "admin",
      priority: 0,
      subject: policy.subject,
      rules: { ingress: [], egress: [] },
      position: policy.position,
    },
  };
  return { ...finding, event, diagnostics: fields.map((field) => ({ ...diagnostic, field })) };
}

function start(outcome: () => EventOutcome = () => ({ kind: "created" })) {
  const reports: EventReport[] = [];
  const outcomes: string[] = [];
  const logged: unknown[] = [];
  const named: unknown[] = [];
  const log = {
    error() {},
    info() {},
    debug() {},
    warn: ({ object }: Record<string, unknown>, message: string) => {
      named.push(object);
      logged.push(message);
    },
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
  return { add, release, reports, outcomes, logged, named };
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

  it.each([
    ["ClusterNetworkPolicy", "v1alpha2"],
    ["AdminNetworkPolicy", "v1alpha1"],
    ["BaselineAdminNetworkPolicy", "v1alpha1"],
  ])("about a policy of the whole cluster has no namespace: %s", async (kind, version) => {
    const { add, release, reports } = start();
    add([tierFinding(kind, "spec.egress[0].to[0].networks[0]")]);
    release();
    await expect.poll(() => reports.length).toBe(1);
    expect(reports[0]?.regarding).toEqual({
      kind,
      apiVersion: `policy.networking.k8s.io/${version}`,
      namespace: "",
      name: "default",
      uid: "uid-1",
    });
  });

  it.each([
    [
      "a rule",
      ["spec.egress[0].to[0].networks[0]"],
      "Invalid rules that allow match nothing, and those that deny or pass deny everything: ",
    ],
    [
      "its subject",
      ["spec.egress[0].action", "spec.subject"],
      "It allows nothing, denies what it would pass, and applies to every pod ",
    ],
    ["its priority", ["spec.priority"], "It allows nothing, denies what it would pass, and applies to every pod "],
    [
      "its rules as a whole",
      ["spec.egress"],
      "It allows nothing, denies what it would pass, and applies to every pod ",
    ],
    ["its name", ["metadata.name"], "It allows nothing, denies what it would pass, and applies to every pod "],
  ])("says how an error in %s closes a policy of the whole cluster", async (_where, fields, words) => {
    const { add, release, reports } = start();
    add([tierFinding("ClusterNetworkPolicy", ...fields)]);
    release();
    await expect.poll(() => reports.length).toBe(1);
    expect(reports[0]?.note.slice(0, words.length)).toBe(words);
  });

  describe.each([
    [ADMIN, "policy.networking.k8s.io/v1alpha1"],
    [BASELINE, "policy.networking.k8s.io/v1alpha1"],
    [CLUSTER, "policy.networking.k8s.io/v1alpha2"],
  ])("about a cluster-wide policy ($0.kind)", (kind, apiVersion) => {
    const note = async (field: string) => {
      const { add, release, reports } = start();
      const diagnostics = finding.diagnostics.map((each) => ({ ...each, field }));
      add([{ ...finding, event: setPolicy(tierPolicy(kind, {})), diagnostics }]);
      release();
      await expect.poll(() => reports.length).toBe(1);
      expect(reports[0]?.regarding).toEqual({
        kind: kind.kind,
        apiVersion,
        namespace: "",
        name: "default",
        uid: "uid-1",
      });
      return reports[0]?.note;
    };

    it("says what becomes of an invalid rule", async () => {
      expect(await note("spec.egress[3].to[0].networks[0]")).toMatch(
        /^Invalid rules that allow match nothing, and those that deny or pass deny everything: spec\.egress\[3\]/,
      );
    });

    it.each(["spec.egress", "spec.subject.pods", "metadata.name"])("says what a fault in %s means", async (field) => {
      expect(await note(field)).toMatch(/^It allows nothing, denies what it would pass, and applies to every pod/);
    });
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
    const { add, release, outcomes, logged, named } = start(() => ({ kind: "failed", failure }));
    add([finding, tierFinding("AdminNetworkPolicy", "spec.priority")]);
    release();
    await expect.poll(() => outcomes).toEqual(["failed", "failed"]);
    expect(logged).toHaveLength(2);
    expect(named).toEqual(["NetworkPolicy a/closed", "AdminNetworkPolicy default"]);
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
