// Slips of the pen in `kind` and in the group of `apiVersion`: what is nearly an object that is read, and no other product's kind.
// Owns the question only; a policy that is ignored for a typo opens what it should close.

import { closestWord } from "./closest-word.ts";

const POLICY_GROUP = "networking.k8s.io";
const TIER_GROUP = "policy.networking.k8s.io";
/** Nearly ours, and still other products', with policies of their own: ClusterNetworkPolicy, FQDNNetworkPolicy. */
const SIMILAR_GROUPS = ["networking.k8s.aws", "networking.gke.io"];
const POLICY_KINDS = ["NetworkPolicy", "NetworkPolicyList"];
const TIER_KINDS = [
  ...["ClusterNetworkPolicy", "AdminNetworkPolicy", "BaselineAdminNetworkPolicy"],
  ...["ClusterNetworkPolicyList", "AdminNetworkPolicyList", "BaselineAdminNetworkPolicyList"],
];
/** Of the core group, as far as they are read where nothing is made up. */
const CORE_KINDS = ["Pod", "PodList", "Namespace", "NamespaceList", "Node", "NodeList", "List"];
/** `FQDNNetworkPolicy`, `MultiNetworkPolicy`: other kinds, not one of ours with a slip. In the group of the tiers there are no others. */
const OTHER_POLICY_KIND = /^.{3,}NetworkPolicy$/;

/** Whether others own this API group: it is neither Kubernetes' nor nearly so. */
export function isForeignGroup(group: string): boolean {
  if (SIMILAR_GROUPS.includes(group)) return true;
  return group.includes(".") && !/k8s|kubernetes/i.test(group) && policyGroupMeant(group) === undefined;
}

/**
 * The kind that a kind which nothing reads was meant to be. The same kind: a list that has lost its items. `isBare`: the object
 * has no metadata, as it is where the text ends in the midst of its kind.
 */
export function meantKind(kind: string, group: string, isBare: boolean): string | undefined {
  if (isForeignGroup(group)) return undefined;
  const groupMeant = policyGroupMeant(group);
  if (groupMeant !== TIER_GROUP && OTHER_POLICY_KIND.test(kind)) return undefined;
  const policies = group.includes(".") && groupMeant === undefined ? POLICY_KINDS : [...POLICY_KINDS, ...TIER_KINDS];
  const known = group.includes(".") ? policies : [...policies, ...CORE_KINDS];
  return closestWord(kind, known) ?? (isBare ? known.find((each) => each.startsWith(kind)) : undefined);
}

function policyGroupMeant(group: string): string | undefined {
  return closestWord(group, [POLICY_GROUP, TIER_GROUP]);
}
