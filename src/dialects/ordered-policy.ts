// A cluster-wide policy of any version -> model policy. Owns what it still means when something is wrong beside its rules: nobody
// knows then for whom or in which order they hold, so it allows nothing.

import { ANY, type Direction, type OrderedPolicy, type OrderedTier, policyKey, type Rule } from "../model/policy.ts";
import { ALL_PODS, readSubject } from "./cluster-pods.ts";
import type { DecodedPolicy } from "./decoded-policy.ts";
import { type Field, rootField } from "./field-reader.ts";
import type { ObjectSource } from "./object-source.ts";
import { readPolicyObject } from "./policy-object.ts";
import type { TierGrammar } from "./tier-grammar.ts";
import { type ReadRules, readTierRules } from "./tier-rules.ts";

export interface TierPlace {
  readonly tier: OrderedTier;
  readonly priority: number;
}

/**
 * Any error beside the rules, of the object's name included, makes its allow rules match nothing and its pass rules deny; where
 * rules may be meant that cannot be read, everything else in those directions is denied. `readPlace` reports what it cannot read and
 * then says the first place; the spec that it is given may be absent.
 */
export function decodeOrderedPolicy(
  value: unknown,
  source: ObjectSource,
  grammar: TierGrammar,
  readPlace: (spec: Field) => TierPlace,
): DecodedPolicy<OrderedPolicy> {
  const root = rootField(value, source);
  const { findings } = root;
  const { meta, topIsKnown } = readPolicyObject(root, grammar.kind, "cluster");
  checkName(root.member("metadata").member("name"), grammar);
  const { spec, isKnown } = readSpec(root, grammar);
  const place = readPlace(spec);
  const subject = spec.present ? readSubject(spec.member("subject"), grammar.pods) : ALL_PODS;
  const ingress = readTierRules(spec, "ingress", grammar, source);
  const egress = readTierRules(spec, "egress", grammar, source);
  const { diagnostics } = findings;
  if (meta === undefined) return { diagnostics };
  const isSound = findings.errorCount === ingress.ruleErrors + egress.ruleErrors;
  const rulesOf = (read: ReadRules, direction: Direction): readonly Rule[] => {
    if (isSound) return read.rules;
    const weakened = read.rules.map(weakenRule);
    if (topIsKnown && isKnown && read.isReadable) return weakened;
    return [...weakened, denyEverything(read.rules.length, spec.member(direction), source)];
  };
  const policy: OrderedPolicy = {
    key: policyKey(grammar.kind, undefined, meta.name),
    kind: grammar.kind,
    namespace: undefined,
    name: meta.name,
    ...place,
    subject,
    rules: { ingress: rulesOf(ingress, "ingress"), egress: rulesOf(egress, "egress") },
    position: source.positionOf([]),
  };
  return { policy, diagnostics };
}

/** `isKnown`: the directions in which it has rules can be told. A spec that is not there has none. */
function readSpec(root: Field, { kind, specFields }: TierGrammar): { readonly spec: Field; readonly isKnown: boolean } {
  const field = root.member("spec");
  if (!field.present) field.error({ code: "missing-field", message: `this ${kind} has no spec` });
  const spec = field.asMapping();
  const fieldsAreKnown = spec.refuseUnknownFields(specFields);
  return { spec, isKnown: fieldsAreKnown && spec.present === field.present };
}

function checkName(name: Field, { kind, onlyName }: TierGrammar): void {
  if (onlyName === undefined || typeof name.value !== "string" || name.value === "" || name.value === onlyName) return;
  name.error({
    code: "not-the-only-name",
    message: `a cluster has one ${kind}, and its name is ${JSON.stringify(onlyName)}`,
    hint: `name it ${onlyName}; for several write policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy`,
  });
}

function weakenRule(rule: Rule): Rule {
  switch (rule.action) {
    case "allow":
      return { ...rule, peers: [], ports: [] };
    case "pass":
      return { ...rule, action: "deny" };
    case "deny":
      return rule;
  }
}

/** In place of rules that cannot be read. */
function denyEverything(index: number, field: Field, source: ObjectSource): Rule {
  const position = source.positionOf(field.path());
  return { action: "deny", name: undefined, peers: ANY, ports: ANY, index, position };
}
