// explain asks the evaluator and traces the rules: for any flow of a random cluster both must say the same, in words and as data.

import fc from "fast-check";
import { expect, test } from "vitest";
import { addressOf, type Endpoint, selectableEndpoints } from "../../src/cli/endpoint.ts";
import { explainFlows } from "../../src/cli/explain/explanation.ts";
import { explanationJson } from "../../src/cli/explain/explanation-json.ts";
import { explanationText } from "../../src/cli/explain/explanation-text.ts";
import { parseTraffic, type TrafficQuestion } from "../../src/cli/traffic-text.ts";
import { TIER_NAMES } from "../../src/model/policy.ts";
import { type Address, FAMILIES } from "../../src/net/address.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { checkProperty } from "../support/property.ts";
import { cluster, storeOf, toYaml } from "../support/random-cluster.ts";

const PORTS = ["80/TCP", "53/UDP", "443/TCP", "80/SCTP", "ICMP", "proto/47"].map(
  (text) => parseTraffic(text) as TrafficQuestion,
);
/** Of nodes, of pods or of nobody. */
const ADDRESSES = ["10.9.0.1", "10.9.0.2", "fd09::1", "192.0.2.7", "203.0.113.9"] as Address[];

const input = fc.record({
  objects: cluster,
  backend: fc.constantFrom("nft" as const, "iptables" as const),
  port: fc.constantFrom(...PORTS),
  podToOwnNode: fc.constantFrom("allow" as const, "enforce" as const),
  unknownLocalPods: fc.constantFrom("allow" as const, "drop" as const),
});

test("the rules that are shown give the verdict that is told", () => {
  const seen = new Map<string, number>();
  checkProperty(
    input,
    ({ objects, port, backend, ...options }) => {
      const store = storeOf(objects);
      const plain = ADDRESSES.map((address): Endpoint => ({ name: address, kind: "address", addresses: [address] }));
      const ends = [...selectableEndpoints(store), ...plain].filter((end) =>
        FAMILIES.some((family) => addressOf(end, family)),
      );
      for (const from of ends) {
        for (const to of ends) {
          const pair = { from, to };
          const settings = { ...DEFAULT_PROGRAM_OPTIONS, ...options };
          const explanations = explainFlows(store, pair, port, settings, undefined, backend);
          for (const explanation of explanations) {
            expect(explanation).toMatchObject({ disagrees: false });
            const text = explanationText(store, pair, explanation, { colour: false, wide: true });
            for (const direction of ["egress", "ingress"] as const) {
              const { reason, allow } = explanation.verdict[direction];
              if (reason.kind !== "tier-rule") continue;
              const { policy, rule } = reason.match;
              const tier = `${TIER_NAMES[policy.tier]} tier: ${allow ? "allowed" : "denied"} by ${policy.kind} ${policy.name} ${direction}[${rule.index}]`;
              expect(text).toContain(tier);
              seen.set(policy.tier, (seen.get(policy.tier) ?? 0) + 1);
            }
          }
          expect(() => JSON.parse(explanationJson(store, pair, explanations))).not.toThrow();
        }
      }
    },
    { runs: 60, print: ({ objects, ...rest }) => `# ${JSON.stringify(rest)}\n${toYaml(objects)}` },
  );
  for (const tier of ["admin", "baseline"]) expect(seen.get(tier)).toBeGreaterThan(20);
});
