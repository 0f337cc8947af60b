// After each transaction that packets notice: does the table do what the policies mean in one state that the agent had been told?
//
// The resources are watched one by one, so the agent's state is one version of each, and such versions need not have stood
// together on the server: "a state that the server had" can only mean, for each resource, a version between the oldest that
// is not surely overtaken and the newest that was told (agent-knowledge.ts; some twenty combinations a transaction on average). The
// check is stronger than "not more open than some state": one and the same state must give the verdict of the rules for
// all sampled packets, so that a table which is half old and half new is found, be it more open or more closed; and it must
// isolate the same addresses of local pods, so that a pod which is in the table without its rules is found. Where only one
// resource was changed since everything was last in force, that state must be one that the server really had, all
// versions at one time.
//
// The verdict comes from the evaluator, the rules' from the tracer: neither knows how the table was compiled or changed.
// Transactions that only prepare, and change nothing that packets meet, are told apart in monitored-table.ts.

import { dispatchMap } from "../../src/backends/nft/names.ts";
import type { Ruleset } from "../../src/backends/nft/ruleset.ts";
import { tracePacket } from "../../src/backends/nft/trace.ts";
import { firstPacket } from "../../src/backends/packet.ts";
import type { Pod } from "../../src/model/cluster.ts";
import { type Flow, formatTraffic } from "../../src/model/flow.ts";
import { DIRECTIONS } from "../../src/model/policy.ts";
import { addressFamily, FAMILIES } from "../../src/net/address.ts";
import type { ProgramOptions } from "../../src/program/program.ts";
import { expectedVerdict, judgingNode } from "../../src/prove/expected.ts";
import { isRestricted } from "../../src/semantics/judging-policies.ts";
import type { ClusterStore } from "../../src/state/store.ts";
import { KINDS } from "../support/server-objects.ts";
import type { VersionWindow } from "./agent-knowledge.ts";
import type { ServerHistory, Versions } from "./server-history.ts";

export interface TableQuestion {
  readonly ruleset: Ruleset;
  readonly window: VersionWindow;
  /** `stateKey` of the states that count; undefined: all in the window. */
  readonly among: ReadonlySet<string> | undefined;
  readonly flows: readonly Flow[];
}

export interface TableAnswer {
  /** undefined: some state explains the table. */
  readonly complaint: string | undefined;
  readonly candidates: number;
  readonly passed: number;
}

/** Whether the node lets the flow's first packet through, in this state. */
export function isAllowed(state: ClusterStore, node: string, program: ProgramOptions, flow: Flow): boolean {
  return (
    expectedVerdict(state, judgingNode(state, node), firstPacket(flow, "forward", false), flow, program).verdict ===
    "accept"
  );
}

export function passesTable(ruleset: Ruleset, flow: Flow): boolean {
  return tracePacket(ruleset, firstPacket(flow, "forward", false)).verdict === "accept";
}

export function judgeTable(
  history: ServerHistory,
  node: string,
  program: ProgramOptions,
  { ruleset, window, among, flows }: TableQuestion,
): TableAnswer {
  const verdicts = flows.map((flow) => ({ flow, passes: passesTable(ruleset, flow) }));
  const passed = verdicts.filter(({ passes }) => passes).length;
  const dispatched = dispatchedAddresses(ruleset);
  const states = statesIn(history, window, among);
  const explains = (state: ClusterStore) =>
    isolatedAddresses(state, node) === dispatched &&
    verdicts.every(({ flow, passes }) => isAllowed(state, node, program, flow) === passes);
  if (states.some(explains)) return { complaint: undefined, candidates: states.length, passed };
  const tooOpen = verdicts.filter(
    ({ flow, passes }) => passes && !states.some((state) => isAllowed(state, node, program, flow)),
  );
  const complaint = [
    tooOpen.length > 0
      ? `more open than each of ${states.length} states: ${tooOpen.map(({ flow }) => flowText(flow)).join(", ")}`
      : `as none of ${states.length} states`,
    `isolated in the table: ${dispatched}`,
    ...states.slice(0, 3).map((state) => `isolated in a state: ${isolatedAddresses(state, node)}\n${podLines(state)}`),
  ].join("\n");
  return { complaint, candidates: states.length, passed };
}

/** All combinations in the window, the newest first, each content once. */
export function statesIn(
  history: ServerHistory,
  { oldest, newest }: VersionWindow,
  among?: ReadonlySet<string>,
): readonly ClusterStore[] {
  let combinations: readonly Versions[] = [newest];
  for (const kind of KINDS) {
    const versions = history.distinctVersions(kind, oldest[kind], newest[kind]);
    combinations = combinations.flatMap((each) => versions.map((version) => ({ ...each, [kind]: version })));
  }
  return combinations
    .filter((versions) => among === undefined || among.has(history.stateKey(versions)))
    .map((versions) => history.stateAt(versions));
}

function dispatchedAddresses(ruleset: Ruleset): string {
  const entries = DIRECTIONS.flatMap((direction) =>
    FAMILIES.flatMap((family) => {
      const map = ruleset.sets.get(dispatchMap(direction, family));
      if (map?.kind !== "map") throw new Error(`no map ${dispatchMap(direction, family)}`);
      return [...map.elements.keys()].map((address) => `${direction} ${address}`);
    }),
  );
  return entries.sort().join(", ");
}

function isolatedAddresses(state: ClusterStore, node: string): string {
  const entries: string[] = [];
  for (const pod of state.selectablePods()) {
    if (pod.pod.nodeName !== node) continue;
    for (const direction of DIRECTIONS) {
      if (!isRestricted(state, direction, pod)) continue;
      entries.push(...pod.addresses.map((address) => `${direction} ${address}`));
    }
  }
  return entries.sort().join(", ");
}

export function flowText({ source, destination, traffic }: Flow): string {
  return `${source} -> ${destination} ${formatTraffic(traffic)}${addressFamily(source) === 6 ? " (IPv6)" : ""}`;
}

function podLines(state: ClusterStore): string {
  const line = ({ key, nodeName, addresses, labels, finished }: Pod) =>
    `${key} on ${nodeName} ${addresses.join(" ")} ${JSON.stringify(labels)}${finished ? " finished" : ""}`;
  return [...state.pods()].map(line).join("\n");
}
