// networking.k8s.io/v1 NetworkPolicy -> model policy, with the API server's defaulting and validation.
// Owns what an invalid policy still means: it closes what it declares and allows nothing by its broken rules.

import { EVERYTHING } from "../model/labels.ts";
import { type AllowRule, ANY, type Direction, type NamespacePolicy, policyKey } from "../model/policy.ts";
import { closestWord } from "./closest-word.ts";
import type { DecodedPolicy } from "./decoded-policy.ts";
import { describeValue, type Field, rootField } from "./field-reader.ts";
import { readSelector } from "./label-selectors.ts";
import { readPeer } from "./network-policy-peers.ts";
import { readPort } from "./network-policy-ports.ts";
import type { ObjectSource } from "./object-source.ts";
import { readPolicyObject } from "./policy-object.ts";

const SPEC_FIELDS = ["podSelector", "ingress", "egress", "policyTypes"];
const POLICY_TYPES = ["Ingress", "Egress"];

export function decodeNetworkPolicy(value: unknown, source: ObjectSource): DecodedPolicy<NamespacePolicy> {
  const root = rootField(value, source);
  const diagnostics = root.findings.diagnostics;
  const { meta, topIsKnown } = readPolicyObject(root, "NetworkPolicy", "namespaced");
  if (meta === undefined) {
    readSpec(root, source, "", topIsKnown);
    return { diagnostics };
  }
  const policy: NamespacePolicy = {
    key: policyKey("NetworkPolicy", meta.namespace, meta.name),
    kind: "NetworkPolicy",
    namespace: meta.namespace,
    name: meta.name,
    tier: "namespace",
    ...readSpec(root, source, meta.namespace, topIsKnown),
    position: source.positionOf([]),
  };
  return { policy, diagnostics };
}

function readSpec(
  root: Field,
  source: ObjectSource,
  namespace: string,
  topIsKnown: boolean,
): Pick<NamespacePolicy, "subject" | "isolates" | "rules"> {
  const specField = root.member("spec");
  const spec = specField.asMapping();
  if (!specField.present && topIsKnown) {
    specField.warning({
      code: "missing-spec",
      message: "a policy without spec closes ingress for every pod of its namespace",
    });
  }
  const fieldsAreKnown = spec.refuseUnknownFields(SPEC_FIELDS) && spec.present === specField.present && topIsKnown;
  const podSelector = spec.member("podSelector");
  const pods = podSelector.present ? readSelector(podSelector) : EVERYTHING;
  const isolates = readPolicyTypes(spec, fieldsAreKnown);
  return {
    subject: { namespaces: { kind: "name", name: namespace }, pods },
    isolates,
    rules: {
      ingress: readRules(spec, "ingress", namespace, source, isolates.ingress),
      egress: readRules(spec, "egress", namespace, source, isolates.egress),
    },
  };
}

/** Both directions when the types cannot be known: broken `policyTypes`, or unknown fields that may stand for `egress`. */
function readPolicyTypes(spec: Field, fieldsAreKnown: boolean): NamespacePolicy["isolates"] {
  const errorsBefore = spec.findings.errorCount;
  const items = spec.list("policyTypes");
  if (items.length > 2) {
    spec.member("policyTypes").error({
      code: "too-many-policy-types",
      message: `at most two policyTypes are allowed, not ${items.length}`,
    });
  }
  for (const item of items) checkPolicyType(item);
  if (spec.findings.errorCount !== errorsBefore) return { ingress: true, egress: true };
  if (items.length > 0) {
    const types = items.map((item) => item.value);
    return { ingress: types.includes("Ingress"), egress: types.includes("Egress") };
  }
  if (!fieldsAreKnown) return { ingress: true, egress: true };
  const egress = spec.member("egress");
  const declaresEgress = egress.present && !(Array.isArray(egress.value) && egress.value.length === 0);
  return { ingress: true, egress: declaresEgress };
}

function checkPolicyType(item: Field): void {
  if (POLICY_TYPES.includes(item.value as string)) return;
  const meant = typeof item.value === "string" ? closestWord(item.value, POLICY_TYPES) : undefined;
  item.error({
    code: "unknown-policy-type",
    message: `policyTypes must be Ingress or Egress, not ${describeValue(item.value)}`,
    ...(meant === undefined ? {} : { hint: `did you mean ${meant}?` }),
  });
}

/** Rules of a direction that the policy does not declare are checked, reported once and not kept. */
function readRules(
  spec: Field,
  direction: Direction,
  namespace: string,
  source: ObjectSource,
  declared: boolean,
): AllowRule[] {
  const items = spec.list(direction);
  const rules = items.map((item, index) => readRule(item, index, direction, namespace, source));
  if (declared || rules.length === 0) return rules;
  const type = direction === "ingress" ? "Ingress" : "Egress";
  spec.member(direction).warning({
    code: "rules-without-effect",
    message: `these ${direction} rules have no effect: policyTypes does not list ${type}`,
    hint: `add ${type} to policyTypes, or remove the rules`,
  });
  return [];
}

function readRule(
  item: Field,
  index: number,
  direction: Direction,
  namespace: string,
  source: ObjectSource,
): AllowRule {
  const errorsBefore = item.findings.errorCount;
  const peerField = direction === "ingress" ? "from" : "to";
  const rule = item.asMapping();
  rule.refuseUnknownFields([peerField, "ports"]);
  if (!item.present) {
    item.warning({ code: "null-item", message: "an empty rule allows everything", hint: "write {} if that is meant" });
  }
  const peers = rule.list(peerField).map((peer) => readPeer(peer, namespace));
  const ports = rule.list("ports").map((port) => readPort(port));
  const common = { action: "allow", name: undefined, index, position: source.positionOf(item.path()) } as const;
  if (item.findings.errorCount !== errorsBefore) return { ...common, peers: [], ports: [] };
  return {
    ...common,
    peers: peers.length === 0 ? ANY : peers.filter((peer) => peer !== undefined),
    ports: ports.length === 0 ? ANY : ports.filter((port) => port !== undefined),
  };
}
