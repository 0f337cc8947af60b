// Shapes of NetworkPolicies about one pod: how many, with how many groups of ports. Owns what a shape means as policies.

import type { BenchBackend } from "./backend.ts";
import { networkPolicyOrigin, SERVER_GROUP } from "./bench-cluster.ts";
import type { Ends, Outcome, Scenario } from "./variant.ts";

const FIRST_PORT = 8000;

/** One policy with one rule: the client, on one port. Denied is what goes to another port. */
export function onePolicyScenario(outcome: Outcome, ends: Ends, backend: BenchBackend): Scenario | undefined {
  const isAllowed = outcome !== "denied";
  const rules = [{ from: "client", ports: [FIRST_PORT] }] as const;
  const networkPolicies = [{ name: "server", subject: SERVER_GROUP, rules }];
  const compiled = backend.compile({ crowdsOfClient: [], networkPolicies }, ends);
  if (compiled === undefined) return undefined;
  return {
    rules: compiled,
    port: isAllowed ? FIRST_PORT : FIRST_PORT + 1,
    decidedBy: isAllowed ? networkPolicyOrigin("server", 0) : undefined,
  };
}

/** So many policies, each for a crowd of its own on the same port. The client is in the last one's, or in none. */
export function policiesScenario(
  count: number,
  outcome: Outcome,
  ends: Ends,
  backend: BenchBackend,
): Scenario | undefined {
  const networkPolicies = Array.from({ length: count }, (_, index) => ({
    name: `policy-${index}`,
    subject: SERVER_GROUP,
    rules: [{ from: index, ports: [FIRST_PORT] }],
  }));
  const crowdsOfClient = outcome !== "denied" ? [count - 1] : [];
  const compiled = backend.compile({ crowdsOfClient, networkPolicies }, ends);
  if (compiled === undefined) return undefined;
  return {
    rules: compiled,
    port: FIRST_PORT,
    // The union of all.
    decidedBy: undefined,
  };
}

/** One policy with so many rules, each for a crowd and a port of its own. The packets go to the last one's; the client is in its crowd, or in none. */
export function portsScenario(
  count: number,
  outcome: Outcome,
  ends: Ends,
  backend: BenchBackend,
): Scenario | undefined {
  const rules = Array.from({ length: count }, (_, index) => ({ from: index, ports: [FIRST_PORT + index] }));
  const networkPolicies = [{ name: "server", subject: SERVER_GROUP, rules }];
  const isAllowed = outcome !== "denied";
  const compiled = backend.compile({ crowdsOfClient: isAllowed ? [count - 1] : [], networkPolicies }, ends);
  if (compiled === undefined) return undefined;
  return {
    rules: compiled,
    port: FIRST_PORT + count - 1,
    decidedBy: isAllowed ? networkPolicyOrigin("server", count - 1) : undefined,
  };
}
