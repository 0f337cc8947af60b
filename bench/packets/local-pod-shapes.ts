// Shapes of a node: how many of its pods are restricted, in how many classes, and where among them the server's stands. Owns what a
// shape means as pods and policies. Each policy opens one port for the client.

import type { Address } from "../../src/net/address.ts";
import type { BenchBackend } from "./backend.ts";
import { type BenchPolicies, networkPolicyOrigin } from "./bench-cluster.ts";
import { neighbourAddresses } from "./cluster-addresses.ts";
import { udpPacket } from "./met-rules.ts";
import type { Ends, Outcome, Scenario } from "./variant.ts";

export interface LocalPodShape {
  /** Restricted ones, the server among them. */
  readonly pods: number;
  /** `own`: a class for each; `shared`: one class for all. */
  readonly classes: "own" | "shared";
  /** Of the server's class among the others, by the rules that its packets are compared with: `last` with the most. */
  readonly position: "middle" | "last";
  /** `linear`: the comparison that the backend has (BenchBackend.compileLinear). */
  readonly dispatch: "own" | "linear";
}

const ALLOWED_PORT = 8000;
const DENIED_PORT = 8001;

/** undefined: this backend has no such dispatch, or its dispatch has no order. */
export function localPodScenario(
  shape: LocalPodShape,
  outcome: Outcome,
  ends: Ends,
  backend: BenchBackend,
): Scenario | undefined {
  const compile = shape.dispatch === "linear" ? backend.compileLinear : backend.compile;
  if (compile === undefined) return undefined;
  const group = serverGroup(shape, ends, compile);
  if (group === undefined) return undefined;
  const rules = compile(policiesOf(groupsOf(shape), group), ends);
  if (rules === undefined) return undefined;
  const isAllowed = outcome !== "denied";
  return {
    rules,
    port: isAllowed ? ALLOWED_PORT : DENIED_PORT,
    decidedBy: isAllowed ? networkPolicyOrigin(group, 0) : undefined,
  };
}

function groupsOf({ pods, classes }: LocalPodShape): string[] {
  return Array.from({ length: pods }, (_, index) => (classes === "shared" ? "group" : `group-${index}`));
}

/** One pod of each group, the server that of the group named; a policy for each group. */
function policiesOf(groups: readonly string[], serverGroup: string): BenchPolicies {
  const networkPolicies = [...new Set(groups)].map((group) => ({
    name: group,
    subject: group,
    rules: [{ from: "client", ports: [ALLOWED_PORT] } as const],
  }));
  const neighbours = groups.toSpliced(groups.indexOf(serverGroup), 1);
  return { crowdsOfClient: [], networkPolicies, serverGroup, neighbours };
}

/** Which pod is in which group changes no class, so that the way to each is known before the server is in one. */
function serverGroup(shape: LocalPodShape, ends: Ends, compile: BenchBackend["compile"]): string | undefined {
  const groups = groupsOf(shape);
  const [first = ""] = groups;
  const rules = compile(policiesOf(groups, first), ends);
  if (rules === undefined) return undefined;
  const addresses: readonly Address[] = [ends.server, ...neighbourAddresses(ends)];
  const ranked = groups.map((group, index) => {
    const server = addresses[index] as Address;
    return { group, asked: rules.trace(udpPacket({ ...ends, server }, ALLOWED_PORT, "new")).rulesAsked };
  });
  ranked.sort((a, b) => a.asked - b.asked);
  if (shape.position === "last") return ranked.at(-1)?.group;
  return ranked[0]?.asked === ranked.at(-1)?.asked ? undefined : ranked[groups.length >> 1]?.group;
}
