// The rules of one direction of a cluster-wide policy, with their CRD's validation. Owns what an invalid rule still means: "For Accept
// rules, fail closed means: treat the rule as matching no traffic. For Deny and Pass rules: as a 'Deny all' rule" (network-policy-api).

import { ANY, type Direction, type Peer, type Rule, type RuleAction } from "../model/policy.ts";
import { closestWord } from "./closest-word.ts";
import { readClusterPeer } from "./cluster-peers.ts";
import { describeValue, type Field } from "./field-reader.ts";
import { itemsUpTo, someItemsUpTo } from "./item-limits.ts";
import type { ObjectSource } from "./object-source.ts";
import type { TierGrammar } from "./tier-grammar.ts";

const LONGEST_NAME = 100;

export interface ReadRules {
  readonly rules: readonly Rule[];
  /** Errors within rules: those rules are closed already. */
  readonly ruleErrors: number;
  /** false: rules are declared and what they say is not known. */
  readonly isReadable: boolean;
}

/** Rules beyond the limit are kept: they may deny. */
export function readTierRules(
  spec: Field,
  direction: Direction,
  grammar: TierGrammar,
  source: ObjectSource,
): ReadRules {
  const list = spec.member(direction);
  const items = itemsUpTo(list, grammar.mostItems, `${direction} rules`);
  const errorsBefore = spec.findings.errorCount;
  const rules = items.map((item, index) => readRule(item, index, direction, grammar, source));
  return {
    rules,
    ruleErrors: spec.findings.errorCount - errorsBefore,
    isReadable: !list.present || Array.isArray(list.value),
  };
}

function readRule(item: Field, index: number, direction: Direction, grammar: TierGrammar, source: ObjectSource): Rule {
  const errorsBefore = item.findings.errorCount;
  const peerField = direction === "ingress" ? "from" : "to";
  if (!item.present) item.error({ code: "null-item", message: "the rule is empty" });
  const rule = item.asMapping();
  rule.refuseUnknownFields(["name", "action", peerField, grammar.ports.field], grammar.otherRuleFields);
  const name = readName(rule.member("name"));
  const action = readAction(rule, grammar);
  const peers = readPeers(rule, peerField, grammar, action);
  const ports = readPorts(rule.member(grammar.ports.field), grammar);
  refuseNamedPortsOfAddresses(rule.member(grammar.ports.field), peers, ports);
  const common = { name, index, position: source.positionOf(item.path()) };
  if (item.findings.errorCount === errorsBefore && action !== undefined) return { ...common, action, peers, ports };
  return action === "allow" ? { ...common, action, ...NOTHING } : { ...common, action: "deny", ...EVERYTHING };
}

const NOTHING = { peers: [], ports: [] } as const;
const EVERYTHING = { peers: ANY, ports: ANY } as const;

/** Of characters, as the API server counts them. */
function readName(field: Field): string | undefined {
  const name = field.asString();
  if (name === undefined || name === "") return undefined;
  const length = [...name].length;
  if (length <= LONGEST_NAME) return name;
  const message = `the name of a rule must have at most ${LONGEST_NAME} characters, not ${length}`;
  field.error({ code: "rule-name-too-long", message });
  return undefined;
}

function readAction(rule: Field, { actions, otherActions }: TierGrammar): RuleAction | undefined {
  const field = rule.member("action");
  const words = Object.keys(actions);
  if (!field.present) {
    if (rule.present) field.error({ code: "missing-field", message: "a rule needs an action", hint: words.join(", ") });
    return undefined;
  }
  const word = field.asString();
  if (word === undefined) return undefined;
  if (Object.hasOwn(actions, word)) return actions[word];
  const meant = closestWord(word, words);
  const message = `action must be ${words.slice(0, -1).join(", ")} or ${words.at(-1)}, not ${describeValue(word)}`;
  const guess = meant === undefined ? {} : { hint: `did you mean ${meant}?` };
  const hint = Object.hasOwn(otherActions, word) ? { hint: otherActions[word] as string } : guess;
  field.error({ code: "unknown-action", message, ...hint });
  return undefined;
}

function readPeers(rule: Field, key: "from" | "to", grammar: TierGrammar, action: RuleAction | undefined): Peer[] {
  const list = rule.member(key);
  if (!list.present && rule.present) {
    const message = `a rule needs a list of peers in ${key}`;
    list.error({ code: "missing-field", message, hint: "for the pods of all namespaces write - namespaces: {}" });
  }
  const peers = grammar.peers[key === "from" ? "ingress" : "egress"];
  return someItemsUpTo(list, grammar.mostItems, "peers")
    .map((item) => readClusterPeer(item, peers, action))
    .filter((peer) => peer !== undefined);
}

function readPorts(list: Field, { ports, mostItems }: TierGrammar): Rule["ports"] {
  if (!list.present) return ANY;
  return someItemsUpTo(list, mostItems, ports.what).flatMap((item) => ports.read(item) ?? []);
}

/** The rule of the experimental CRDs; the standard ones do not check it, but what it refuses could match nothing. */
function refuseNamedPortsOfAddresses(list: Field, peers: readonly Peer[], ports: Rule["ports"]): void {
  const odd = peers.find(({ kind }) => kind === "networks" || kind === "nodes" || kind === "domainNames");
  if (odd === undefined || ports === ANY || !ports.some(({ kind }) => kind === "named")) return;
  list.error({
    code: "named-port-without-pods",
    message: `a named port cannot stand in one rule with ${odd.kind}: only pods have named ports`,
    hint: "write a rule of its own for each, or the number of the port",
  });
}
