// The prover's classes miss no way through rules that dispatch by address in several steps: chains drawn at random, and every packet
// of a small world, one by one.

import fc from "fast-check";
import { expect, test } from "vitest";
import { firstPacket } from "../../src/backends/packet.ts";
import type { Address } from "../../src/net/address.ts";
import { AddressSides } from "../../src/prove/address-sides.ts";
import { provePath } from "../../src/prove/path-proof.ts";
import { DEFAULT_EVALUATE_OPTIONS } from "../../src/semantics/evaluate.ts";
import { ClusterStore } from "../../src/state/store.ts";
import { type HandMadeChains, type HandMadeRule, handMadeRules } from "../support/hand-made-rules.ts";
import { checkProperty } from "../support/property.ts";

const ADDRESSES = ["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.5"] as Address[];
const WORLD = [...ADDRESSES, "192.0.2.1" as Address, "192.0.2.2" as Address];
const PORTS = [79, 80, 81, 443];
const NAMES = ["forward", "c1", "c2", "c3", "c4", "c5"];

const someAddresses = fc.subarray(ADDRESSES, { minLength: 1, maxLength: 4 });

const conditions = { source: someAddresses, destination: someAddresses, port: fc.constantFrom(80, 443) };

/** A rule that leads to later chains only, and for most packets only if one of their addresses is in its set. */
function ruleOf(chain: number): fc.Arbitrary<HandMadeRule> {
  const links = NAMES.slice(chain + 1).flatMap((name): HandMadeRule["verdict"][] => [`jump ${name}`, `goto ${name}`]);
  const end = fc.constantFrom<HandMadeRule["verdict"]>("accept", "drop", "return");
  const decides = fc.record({ ...conditions, verdict: end }, { requiredKeys: ["verdict"] });
  if (links.length === 0) return decides;
  const link = fc.constantFrom(...links);
  return fc.oneof(
    { weight: 3, arbitrary: fc.record({ source: someAddresses, verdict: link }) },
    { weight: 3, arbitrary: fc.record({ destination: someAddresses, verdict: link }) },
    { weight: 1, arbitrary: fc.record({ ...conditions, verdict: link }, { requiredKeys: ["verdict"] }) },
    { weight: 3, arbitrary: decides },
  );
}

const chains: fc.Arbitrary<HandMadeChains> = fc
  .tuple(...NAMES.map((_, index) => fc.array(ruleOf(index), { minLength: 1, maxLength: 4 })))
  .map((all) => Object.fromEntries(all.map((rules, index) => [NAMES[index], rules])));

test("every way that a packet takes through the rules is taken by a packet that is compared", () => {
  let ways = 0;
  checkProperty(
    chains,
    (someChains) => {
      const rules = handMadeRules(someChains);
      const wayOf = (source: Address, destination: Address, port: number) => {
        const flow = { source, destination, traffic: { kind: "ports", protocol: "TCP", port } as const };
        const steps = rules.trace(firstPacket(flow, "forward", false)).steps();
        return steps.map(({ chain, ruleIndex }) => `${chain} ${ruleIndex}`).join(", ");
      };
      const compared = new Set<string>();
      const sides = new AddressSides(new ClusterStore(), "n1", rules, 4, DEFAULT_EVALUATE_OPTIONS);
      const path = { hook: "forward", sourceIsLocal: false, sources: sides.atoms, destinations: sides.atoms } as const;
      provePath(sides, rules, { ...path, asks: () => true }, (source, destination, _policies, classes) => {
        for (const { traffic, state } of classes) {
          if (traffic.kind !== "ports" || traffic.protocol !== "TCP" || state !== "new") continue;
          compared.add(wayOf(source.address, destination.address, traffic.port));
        }
        return undefined;
      });
      const pairs = WORLD.flatMap((source) => WORLD.map((destination) => ({ source, destination })));
      const taken = pairs
        .filter(({ source, destination }) => source !== destination)
        .flatMap(({ source, destination }) => PORTS.map((port) => wayOf(source, destination, port)));
      expect(taken.filter((way) => !compared.has(way))).toEqual([]);
      ways += compared.size;
    },
    { runs: 150, print: (input) => JSON.stringify(input, undefined, 2) },
  );
  expect(ways).toBeGreaterThan(1000);
});
