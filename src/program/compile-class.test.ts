import { expect, it } from "vitest";
import { makePolicy } from "../../test/support/model-objects.ts";
import { CLUSTER, tierPolicy } from "../../test/support/tier-policies.ts";
import { compileClass } from "./compile-class.ts";

const DENY_ALL = { action: "Deny", to: [{ networks: ["0.0.0.0/0"] }] };
const ACCEPT_ALL = { action: "Accept", to: [{ networks: ["0.0.0.0/0"] }] };
const PASS_SOME = { action: "Pass", to: [{ networks: ["10.0.0.0/8"] }] };
const PASS_ALL = { action: "Pass", to: [{ networks: ["0.0.0.0/0"] }] };

it.each([
  ["a rule that denies everything", [DENY_ALL], ["admin"]],
  ["a rule that allows everything", [ACCEPT_ALL], ["admin"]],
  ["a rule that passes everything", [PASS_ALL], ["admin", "namespace"]],
  ["a rule that passes something before one that denies everything", [PASS_SOME, DENY_ALL], ["admin", "namespace"]],
  ["a rule that passes something before one that allows everything", [PASS_SOME, ACCEPT_ALL], ["admin", "namespace"]],
  ["a rule that passes something after one that denies everything", [DENY_ALL, PASS_SOME], ["admin"]],
])("a class has the sections that packets can reach: %s", (_what, rules, tiers) => {
  const isolating = makePolicy("closed", { podSelector: {}, policyTypes: ["Egress"] });
  const { policyClass } = compileClass("egress", 4, [tierPolicy(CLUSTER, { egress: rules }), isolating], () => []);
  expect(policyClass.sections.map(({ tier }) => tier)).toEqual(tiers);
});
