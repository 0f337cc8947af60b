// What the kinds of cluster-wide policies differ in, as data for the readers that they share.

import type { PortMatch, RuleAction } from "../model/policy.ts";
import type { PeerGrammar } from "./cluster-peers.ts";
import type { PodsGrammar } from "./cluster-pods.ts";
import type { Field, FieldHints } from "./field-reader.ts";

export interface TierGrammar {
  readonly kind: string;
  /** The only name that an object of this kind may have. */
  readonly onlyName?: string;
  readonly specFields: readonly string[];
  readonly pods: PodsGrammar;
  /** How many rules a direction may have, how many peers and how many ports a rule. */
  readonly mostItems: number;
  readonly actions: Readonly<Record<string, RuleAction>>;
  /** What other kinds call them, with what to write here. */
  readonly otherActions: Readonly<Record<string, string>>;
  readonly peers: { readonly ingress: PeerGrammar; readonly egress: PeerGrammar };
  readonly ports: PortsGrammar;
  /** For fields of rules of other kinds or former versions. */
  readonly otherRuleFields: FieldHints;
}

export interface PortsGrammar {
  /** The field of a rule: `protocols`. */
  readonly field: string;
  /** Its items, for messages: `protocols`. */
  readonly what: string;
  /** One item: none where it matches nothing, undefined (reported) when it is invalid. */
  readonly read: (item: Field) => readonly PortMatch[] | undefined;
}

const EGRESS_ONLY = "only egress rules have it: ingress rules know pods by their labels";
export const EGRESS_ONLY_PEERS: FieldHints = { networks: EGRESS_ONLY, nodes: EGRESS_ONLY, domainNames: EGRESS_ONLY };
