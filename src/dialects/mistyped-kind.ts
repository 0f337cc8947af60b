// Slips of the pen in `kind` and in the group of `apiVersion`: what is nearly an object that is read, and no other product's kind.
// Owns the question only; a policy that is ignored for a typo opens what it should close.

import { closestWord } from "./closest-word.ts";

const POLICY_GROUP = "networking.k8s.io";
const POLICY_KINDS = ["NetworkPolicy", "NetworkPolicyList"];
/** Of the core group, as far as they are read where nothing is made up. */
const CORE_KINDS = ["Pod", "PodList", "Namespace", "NamespaceList", "Node", "NodeList", "List"];
/** `AdminNetworkPolicy`, `FQDNNetworkPolicy`: other kinds, not this one with a slip. */
const OTHER_POLICY_KIND = /^.{3,}NetworkPolicy$/;

/** Whether others own this API group: it is neither Kubernetes' nor nearly so. */
export function isForeignGroup(group: string): boolean {
  return group.includes(".") && !/k8s|kubernetes/i.test(group) && closestWord(group, [POLICY_GROUP]) === undefined;
}

/**
 * The kind that a kind which nothing reads was meant to be. The same kind: a list that has lost its items. `isBare`: the object
 * has no metadata, as it is where the text ends in the midst of its kind.
 */
export function meantKind(kind: string, group: string, isBare: boolean): string | undefined {
  if (isForeignGroup(group) || OTHER_POLICY_KIND.test(kind)) return undefined;
  const known = group.includes(".") ? POLICY_KINDS : [...POLICY_KINDS, ...CORE_KINDS];
  return closestWord(kind, known) ?? (isBare ? known.find((each) => each.startsWith(kind)) : undefined);
}
