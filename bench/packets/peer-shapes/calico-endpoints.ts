// The chains of one pod in Calico's shape: what goes to it, what comes from it. The facts, from its source (2026, felix/rules/
// endpoints.go): known connections, invalid packets, marks cleared, in packets from pods VXLAN and IP in IP; for each tier its policies,
// each followed by the question whether it accepted; what no policy passed on is dropped at the end of the default tier, and goes on at
// the end of the Admin tier (endpointIptablesChain). Policies of one tier that follow each other and select the same pods are one group
// with a chain of its own, which asks for a verdict after each five of them (PolicyGroupToIptablesChains; felix/dataplane/linux/
// endpoint_mgr.go groups them). Behind the policies the namespace's profile, which accepts. With the default settings nothing is logged.

import { PROTOCOL_NUMBER } from "../../../src/model/flow.ts";
import type { Address } from "../../../src/net/address.ts";
import { HASHED, MARK } from "./calico-policies.ts";
import {
  ACCEPT,
  clearMark,
  DROP,
  INVALID,
  jump,
  KNOWN,
  marked,
  markedAny,
  type PeerRule,
  RETURN,
  rule,
  setMark,
  unmarked,
} from "./peer-ruleset.ts";

const VXLAN_PORT = 4789;
const IP_IN_IP = 4;
const RETURN_STRIDE = 5;
/** Beside its hash. */
const NOTED = { comments: HASHED.comments + 1 };

export interface TierPolicy {
  readonly chain: string;
  readonly pods: ReadonlySet<Address>;
}

export interface Tier {
  /** Policies that have rules about ingress, in their order. */
  readonly policies: readonly TierPolicy[];
  readonly atTheEnd: "drop" | "pass";
}

/** Policies that are asked one after the other for the same pods. */
export interface PolicyGroup {
  readonly chain: string;
  readonly pods: ReadonlySet<Address>;
  /** undefined: the chain is the only policy's own. */
  readonly rules: readonly PeerRule[] | undefined;
}

export interface GroupedTier {
  readonly groups: readonly PolicyGroup[];
  readonly atTheEnd: Tier["atTheEnd"];
}

/** `chainName`: of the group whose first policy has that index. */
export function groupedTier({ policies, atTheEnd }: Tier, chainName: (first: number) => string): GroupedTier {
  const groups: TierPolicy[][] = [];
  for (const policy of policies) {
    const group = groups.at(-1);
    if (group?.[0] !== undefined && selectSame(group[0], policy)) group.push(policy);
    else groups.push([policy]);
  }
  return {
    atTheEnd,
    groups: groups.map((group): PolicyGroup => {
      const [first] = group as [TierPolicy];
      if (group.length === 1) return { ...first, rules: undefined };
      return { chain: chainName(policies.indexOf(first)), pods: first.pods, rules: groupRules(group) };
    }),
  };
}

function selectSame(a: TierPolicy, b: TierPolicy): boolean {
  return a.pods.size === b.pods.size && [...a.pods].every((pod) => b.pods.has(pod));
}

function groupRules(group: readonly TierPolicy[]): PeerRule[] {
  const verdict = MARK.accept | MARK.pass;
  return group.flatMap(({ chain }, index) => {
    if (index % RETURN_STRIDE !== 0) return [rule([unmarked(verdict)], jump(chain), HASHED)];
    const ask = index === 0 ? [] : [rule([markedAny(verdict)], RETURN, NOTED)];
    return [...ask, rule([], jump(chain), HASHED)];
  });
}

export interface ProfileChains {
  readonly namespace: string;
  readonly account: string;
}

/** What goes to the pod. */
export function toPodRules(tiers: readonly GroupedTier[], pod: Address, profiles: ProfileChains): PeerRule[] {
  return [...connectionRules(), ...tiers.flatMap((tier) => tierRules(tier, pod)), ...profileRules(profiles)];
}

/** What comes from it: no policy is about egress. */
export function fromPodRules(profiles: ProfileChains): PeerRule[] {
  const udp = { kind: "protocol", number: PROTOCOL_NUMBER.UDP } as const;
  const vxlan = { kind: "ports", protocol: "udp", ranges: [{ first: VXLAN_PORT, last: VXLAN_PORT }] } as const;
  return [
    ...connectionRules(),
    rule([udp, vxlan], DROP, NOTED),
    rule([{ kind: "protocol", number: IP_IN_IP }], DROP, NOTED),
    ...profileRules(profiles),
  ];
}

function connectionRules(): PeerRule[] {
  return [
    rule([KNOWN], ACCEPT, HASHED),
    rule([INVALID], DROP, HASHED),
    rule([], clearMark(MARK.accept | MARK.pass), HASHED),
  ];
}

function tierRules({ groups, atTheEnd }: GroupedTier, pod: Address): PeerRule[] {
  const own = groups.filter(({ pods }) => pods.has(pod));
  if (own.length === 0) return [];
  return [
    rule([], clearMark(MARK.pass), NOTED),
    ...own.flatMap(({ chain }) => [
      rule([unmarked(MARK.pass)], jump(chain), HASHED),
      rule([marked(MARK.accept)], RETURN, NOTED),
    ]),
    ...(atTheEnd === "drop" ? [rule([unmarked(MARK.pass)], DROP, NOTED)] : []),
  ];
}

function profileRules({ namespace, account }: ProfileChains): PeerRule[] {
  return [
    ...[namespace, account].flatMap((chain) => [
      rule([], jump(chain), HASHED),
      rule([marked(MARK.accept)], RETURN, NOTED),
    ]),
    rule([], DROP, NOTED),
  ];
}

/** Of the namespace: whatever gets so far. The account's has no rules. */
export const PROFILE_RULES: readonly PeerRule[] = [rule([], setMark(MARK.accept), HASHED)];
