// The answer of `nftpol explain` as data: the evaluator's verdict and what the rules of each node do to the packet.

import { type NodeRules, type RuleTrace, Untraceable } from "../../backends/node-rules.ts";
import { firstPacket } from "../../backends/packet.ts";
import type { Flow } from "../../model/flow.ts";
import { isLinkScope } from "../../model/link-scope.ts";
import { type Address, addressFamily, FAMILIES, type Family } from "../../net/address.ts";
import type { ProgramOptions } from "../../program/program.ts";
import { evaluate } from "../../semantics/evaluate.ts";
import type { Verdict } from "../../semantics/verdict.ts";
import type { ClusterStore } from "../../state/store.ts";
import { type BackendName, nodeRules } from "../backends.ts";
import { addressOf, type Endpoint } from "../endpoint.ts";
import { type TrafficQuestion, trafficOf } from "../traffic-text.ts";
import { type PacketPath, packetPaths } from "./packet-paths.ts";

export interface Explanation {
  readonly flow: Flow;
  readonly family: Family;
  readonly verdict: Verdict;
  /** Of a pod and itself: the verdict where it takes the way through a service, if that is another. */
  readonly throughService: Verdict | undefined;
  readonly traces: readonly NodeTrace[];
  /** What is left out of `traces`, and why. */
  readonly notes: readonly string[];
  /** The rules give another answer than the policies mean: a bug. */
  readonly disagrees: boolean;
}

export interface NodeTrace extends PacketPath {
  /** Of the rules, as in `NodeRules`. */
  readonly language: string;
  readonly trace: RuleTrace;
}

/** One explanation for each family that both ends have; `only` restricts it to one. The rules are those of `backend`. */
export function explainFlows(
  store: ClusterStore,
  ends: { readonly from: Endpoint; readonly to: Endpoint },
  question: TrafficQuestion,
  options: ProgramOptions,
  only: Family | undefined,
  backend: BackendName = "nft",
): Explanation[] {
  const known = new Map<string, NodeRules>();
  const rulesOf = (node: string): NodeRules => {
    const rules = known.get(node) ?? nodeRules(store, node, options, backend);
    known.set(node, rules);
    return rules;
  };
  return FAMILIES.filter((family) => only === undefined || family === only).flatMap((family) => {
    const source = addressOf(ends.from, family);
    const destination = addressOf(ends.to, family);
    if (source === undefined || destination === undefined) return [];
    return [explainFlow(store, { source, destination, traffic: trafficOf(question, family) }, options, rulesOf)];
  });
}

const LINK_SCOPE_NOTE =
  "no router forwards it: only a bridge carries it, and a node drops it while any of its pods is isolated";

function explainFlow(
  store: ClusterStore,
  addressed: Flow,
  options: ProgramOptions,
  rulesOf: (node: string) => NodeRules,
): Explanation {
  const found = packetPaths(store, addressed, options);
  if (found.kind === "inside-the-pod") return insideThePod(store, addressed, options);
  // Only the node itself receives at the input hook: then the policies are asked about the way to the own node, too.
  const flow = { ...addressed, toOwnNode: found.paths.some(({ hook }) => hook === "input") };
  const verdict = evaluate(store, flow, options);
  const common = { flow, family: addressFamily(flow.source), verdict, throughService: undefined };
  const notes = [...found.notes, ...(isLinkScope(flow) ? [LINK_SCOPE_NOTE] : [])];
  const traces = found.paths.flatMap((path): NodeTrace[] => {
    try {
      const rules = rulesOf(path.node);
      const trace = rules.trace(firstPacket(flow, path.hook, path.sourceIsLocal));
      return [{ ...path, language: rules.language, trace }];
    } catch (error) {
      if (!(error instanceof Untraceable)) throw error;
      notes.push(`the rules of node ${path.node} cannot be traced: ${error.message}`);
      return [];
    }
  });
  const accepted = traces.every(({ trace }) => trace.verdict === "accept");
  // With a trace missing, the rest may be more open than the whole.
  const disagrees = notes.length === 0 && traces.length > 0 && accepted !== verdict.allow;
  return { ...common, traces, notes, disagrees };
}

function insideThePod(store: ClusterStore, flow: Flow, options: ProgramOptions): Explanation {
  const verdict = evaluate(store, flow, options);
  const throughService = evaluate(store, { ...flow, throughService: true }, options);
  return {
    flow,
    family: addressFamily(flow.source),
    verdict,
    throughService: throughService.allow === verdict.allow ? undefined : throughService,
    traces: [],
    notes: ["the packet never leaves the pod: no rule sees it"],
    disagrees: false,
  };
}

/** For titles: `shop/web-0 (10.0.0.1)`, or the address alone. */
export function endWords(endpoint: Endpoint, address: Address): string {
  return endpoint.kind === "address" ? address : `${endpoint.name} (${address})`;
}
