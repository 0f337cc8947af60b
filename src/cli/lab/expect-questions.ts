// Expectation files of `lab run --expect`: read, resolved in the lab's cluster, and what they add to the questions for packets.

import type { LabPlan } from "../../lab/plan.ts";
import type { ExpectationFile } from "../../manifests/expectations.ts";
import type { ManifestFiles } from "../../manifests/manifest-files.ts";
import type { Diagnostic } from "../../model/diagnostic.ts";
import { type Address, FAMILIES, parseAddress } from "../../net/address.ts";
import type { ClusterView } from "../../state/view.ts";
import { addressOf, type Endpoint } from "../endpoint.ts";
import { findCases, type TestCase } from "../expectations/find-cases.ts";
import { type Failure, type ResolvedExpectation, resolveExpectation } from "../expectations/resolve.ts";
import { readCase } from "../expectations/run-case.ts";
import type { TrafficQuestion } from "../traffic-text.ts";

/** An expectation file and where it stands. The manifests that it names are not read: the lab has its own. */
export interface ExpectedCase {
  readonly testCase: TestCase;
  readonly file: ExpectationFile;
}

/** Never rejects because of bad input: that is in the diagnostics. */
export async function readExpectedCases(
  paths: readonly string[],
  files: ManifestFiles,
): Promise<{ readonly cases: readonly ExpectedCase[]; readonly diagnostics: readonly Diagnostic[] }> {
  const found = await findCases(paths, files);
  const cases = await Promise.all(
    found.cases.map(async (testCase) => ({ testCase, file: await readCase(testCase, files) })),
  );
  return { cases, diagnostics: [...found.diagnostics, ...cases.flatMap(({ file }) => file.diagnostics)] };
}

/** The plain addresses that they name: hosts that the lab must have outside. */
export function namedAddresses(cases: readonly ExpectedCase[]): Address[] {
  const words = cases.flatMap(({ file }) => file.expectations.flatMap(({ from, to }) => [...from, ...to]));
  return [...new Set(words)].flatMap((word) => parseAddress(word)?.address ?? []);
}

export interface ResolvedCase extends ExpectedCase {
  /** One for each expectation of the file. */
  readonly resolved: readonly ResolvedExpectation[];
}

/** What endpoints and ports stand for in the lab's cluster. */
export function resolveCases(
  view: ClusterView,
  cases: readonly ExpectedCase[],
): { readonly cases: readonly ResolvedCase[]; readonly diagnostics: readonly Diagnostic[] } {
  const memo = new Map<string, readonly Endpoint[] | Failure>();
  const resolved = cases.map(({ testCase, file }) => ({
    testCase,
    file,
    resolved: file.expectations.map((expectation) => resolveExpectation(view, expectation, memo)),
  }));
  return {
    cases: resolved,
    diagnostics: resolved.flatMap((each) => each.resolved.flatMap(({ diagnostics }) => diagnostics)),
  };
}

/** Ports for the matrix, and addresses that hosts of the lab have: of nodes, and of pods on their network, those that speak for them. */
export function questionsOf(
  cases: readonly ResolvedCase[],
  { outside, nodes }: LabPlan,
): { readonly ports: readonly TrafficQuestion[]; readonly addresses: readonly Address[] } {
  const all = cases.flatMap(({ resolved }) => resolved);
  const ends = new Set(all.flatMap(({ from, to }) => [...from, ...to]));
  const hosts = new Set([...outside, ...nodes.flatMap(({ addresses }) => addresses)]);
  const addresses = [...ends].flatMap((end) => FAMILIES.flatMap((family) => addressOf(end, family) ?? []));
  return {
    ports: all.flatMap(({ questions }) => questions),
    addresses: [...new Set(addresses)].filter((address) => hosts.has(address)),
  };
}
