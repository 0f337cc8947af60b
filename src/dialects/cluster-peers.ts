// One entry of `from` or `to` of a rule of the tier APIs.

import type { Peer, RuleAction } from "../model/policy.ts";
import { readDomainNames, readNetworks } from "./cluster-networks.ts";
import { type PodsGrammar, readPodQuery } from "./cluster-pods.ts";
import { readExactlyOne } from "./exactly-one.ts";
import type { Field, FieldHints } from "./field-reader.ts";
import { readSelector } from "./label-selectors.ts";

export type PeerField = "namespaces" | "pods" | "networks" | "nodes" | "domainNames";

export interface PeerGrammar {
  readonly pods: PodsGrammar;
  readonly fields: readonly PeerField[];
  /** For fields that this direction or this kind does not know. */
  readonly otherFields: FieldHints;
}

/** undefined (reported) when the entry is invalid. `action`: of its rule, where that can be read. */
export function readClusterPeer(item: Field, grammar: PeerGrammar, action: RuleAction | undefined): Peer | undefined {
  const errorsBefore = item.findings.errorCount;
  const one = readExactlyOne(item, {
    what: "a peer",
    fields: grammar.fields,
    hints: grammar.otherFields,
    apart: "make each a peer of its own: start it with '-'",
  });
  const peer = one && readField(one.key, one.field, grammar, action);
  return item.findings.errorCount === errorsBefore ? peer : undefined;
}

function readField(key: PeerField, field: Field, grammar: PeerGrammar, action: RuleAction | undefined): Peer {
  switch (key) {
    case "namespaces":
    case "pods":
      return { kind: "pods", query: readPodQuery(key, field, grammar.pods) };
    case "networks":
      return { kind: "networks", cidrs: readNetworks(field) };
    case "nodes":
      return { kind: "nodes", selector: readSelector(field, { nulls: "pruned" }) };
    case "domainNames":
      return readDomainPeer(field, action);
  }
}

/** The CRDs do not check the action, but the API documents them for rules that allow only: what is to be denied must not stay open. */
function readDomainPeer(field: Field, action: RuleAction | undefined): Peer {
  const names = readDomainNames(field);
  if (action === "allow") {
    field.warning({
      code: "domain-names-not-enforced",
      message: "domain names are not enforced yet: this peer allows nothing",
      hint: "name the addresses: networks",
    });
  } else if (action !== undefined) {
    field.error({
      code: "domain-names-not-allowed",
      message: `a rule that ${action === "deny" ? "denies" : "passes"} cannot have domainNames: only rules that allow can`,
      hint: "name the addresses: networks",
    });
  }
  return { kind: "domainNames", names };
}
