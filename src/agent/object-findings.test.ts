import { describe, expect, it } from "vitest";
import { makePod, makePolicy, removePolicy, setPod, setPolicy } from "../../test/support/model-objects.ts";
import type { Diagnostic, Severity } from "../model/diagnostic.ts";
import type { ClusterEvent } from "../state/change.ts";
import { ObjectFindings } from "./object-findings.ts";

const policy = makePolicy("a", { podSelector: {} });
const finding = (severity: Severity, message = "wrong", code = "x"): Diagnostic => ({
  code,
  severity,
  message,
  position: { file: "cluster" },
});
const change = (event: ClusterEvent, ...diagnostics: Diagnostic[]) => ({ event, diagnostics, uid: "u" });

describe("a finding", () => {
  it("is told once, and again when it is another or comes back", () => {
    const findings = new ObjectFindings();
    const told = (...diagnostics: Diagnostic[]) => findings.update([change(setPolicy(policy), ...diagnostics)]).length;
    expect(told(finding("error"))).toBe(1);
    expect(told(finding("error"))).toBe(0);
    expect(told(finding("error", "worse"))).toBe(1);
    expect(told()).toBe(0);
    expect(told(finding("error"))).toBe(1);
  });

  it("ends with its object", () => {
    const findings = new ObjectFindings();
    findings.update([change(setPolicy(policy), finding("error"))]);
    expect(findings.counts()).toEqual([{ kind: "policy", severity: "error", objects: 1 }]);
    findings.update([change(removePolicy(policy))]);
    expect(findings.counts()).toEqual([]);
    expect(findings.standing()).toEqual([]);
  });

  it("within one batch is that of the last state", () => {
    const findings = new ObjectFindings();
    const batch = [change(setPolicy(policy), finding("error")), change(setPolicy(policy))];
    expect(findings.update(batch)).toEqual([]);
  });
});

it("objects count by their worst finding", () => {
  const findings = new ObjectFindings();
  const other = makePolicy("b", { podSelector: {} });
  findings.update([
    change(setPolicy(policy), finding("warning"), finding("error")),
    change(setPolicy(other), finding("warning")),
  ]);
  expect(findings.counts()).toEqual([
    { kind: "policy", severity: "error", objects: 1 },
    { kind: "policy", severity: "warning", objects: 1 },
  ]);
});

it("a pod that waits for its address is no finding: every pod does", () => {
  const findings = new ObjectFindings();
  const waiting = finding("warning", "no address yet", "pod-without-address");
  expect(findings.update([change(setPod(makePod("p", "")), waiting)])).toEqual([]);
});
