// Why a rule's peers or ports do not match a flow, and what they would match.

import { type Flow, formatTraffic } from "../../model/flow.ts";
import { type LabelSelector, type Labels, requirementMatches } from "../../model/labels.ts";
import {
  ANY,
  addressBlocksOf,
  type Direction,
  type Peer,
  type PodQuery,
  type PortMatch,
  type Rule,
} from "../../model/policy.ts";
import { type Address, addressFamily, addressValue } from "../../net/address.ts";
import { cidrContains } from "../../net/cidr.ts";
import { resolveNamedPort } from "../../semantics/matching.ts";
import type { ClusterView, SelectablePod } from "../../state/view.ts";
import { peersWords, peerWords, portsWords } from "./rule-words.ts";

/** For a rule whose ports do not match. */
export function portMissWords(view: ClusterView, rule: Rule, flow: Flow): string {
  const notes = rule.ports === ANY ? [] : rule.ports.flatMap((port) => namedPortNote(view, port, flow.destination));
  const said = `it allows ${portsWords(rule)}, not ${formatTraffic(flow.traffic)}`;
  return [said, ...notes].join("; ");
}

/** What a port name means on the destination, since it is not what was asked. */
function namedPortNote(view: ClusterView, port: PortMatch, destination: Address): string[] {
  if (port.kind !== "named") return [];
  const owner = view.ownerOf(destination);
  if (owner === undefined) return [`the name ${port.name} means nothing on ${destination}, which is no pod`];
  const sameName = owner.pod.ports.filter((each) => each.name === port.name);
  const numbers = resolveNamedPort(owner, port).map((each) =>
    port.protocol === ANY ? `${each.port}/${each.protocol}` : `${each.port}`,
  );
  if (numbers.length > 0) return [`${port.name} is ${numbers.join(", ")} on ${owner.key}`];
  const [other] = sameName;
  if (other !== undefined) return [`${port.name} is a ${other.protocol} port on ${owner.key}`];
  return [`no container port of ${owner.key} is named ${port.name}`];
}

/** For a rule whose peers do not match. */
export function peerMissWords(view: ClusterView, direction: Direction, rule: Rule, flow: Flow): string {
  const address = direction === "egress" ? flow.destination : flow.source;
  const owner = view.ownerOf(address);
  const whom = owner === undefined ? address : owner.key;
  const said = `it allows ${peersWords(rule)}, not ${whom}`;
  const [only, more] = rule.peers === ANY ? [] : rule.peers;
  if (only === undefined || more !== undefined) return said;
  const why = onePeerWords(view, only, address, owner);
  return why === undefined ? said : `it allows ${peerWords(only)}, and ${why}`;
}

/** Why exactly one peer does not match. */
function onePeerWords(
  view: ClusterView,
  peer: Peer,
  address: Address,
  owner: SelectablePod | undefined,
): string | undefined {
  switch (peer.kind) {
    case "pods":
      if (owner === undefined) return `${address} is no pod that selectors match`;
      return queryMissWords(view, peer.query, owner);
    case "nodes":
      return nodeMissWords(view, peer.selector, address);
    case "ipBlock":
    case "networks":
      return blockMissWords(peer, address);
    case "domainNames":
      return "domain names are not enforced: they match nothing";
  }
}

function nodeMissWords(view: ClusterView, selector: LabelSelector, address: Address): string | undefined {
  const [node] = [...view.nodes()].filter(({ addresses }) => addresses.includes(address));
  if (node === undefined) return `no Node object has the address ${address}`;
  const failing = failingLabels(selector, node.labels);
  return failing === undefined ? undefined : `node ${node.name} has ${failing}`;
}

function blockMissWords(peer: Peer, address: Address): string | undefined {
  const family = addressFamily(address);
  const value = addressValue(address);
  const blocks = addressBlocksOf(peer);
  const ofFamily = blocks.filter(({ cidr }) => cidr.family === family);
  if (ofFamily.length === 0) return `${address} is IPv${family}`;
  const around = ofFamily.filter(({ cidr }) => cidrContains(cidr, family, value));
  if (around.length === 0) return `${address} is outside of ${blocks.length === 1 ? "it" : "them"}`;
  const hole = around.flatMap(({ except }) => except).find((block) => cidrContains(block, family, value));
  return hole === undefined ? undefined : `${address} is in the except ${hole.text}`;
}

/** Why the query does not select the pod; undefined when it does. */
export function queryMissWords(view: ClusterView, query: PodQuery, pod: SelectablePod): string | undefined {
  const { namespace, labels } = pod.pod;
  const reasons: string[] = [];
  if (query.namespaces.kind === "name") {
    if (query.namespaces.name !== namespace) reasons.push(`${pod.key} is in namespace ${namespace}`);
  } else {
    const failing = failingLabels(query.namespaces.selector, view.namespaceLabels(namespace));
    if (failing !== undefined) reasons.push(`namespace ${namespace} has ${failing}`);
  }
  const failing = failingLabels(query.pods, labels);
  if (failing !== undefined) reasons.push(`${pod.key} has ${failing}`);
  return reasons.length === 0 ? undefined : reasons.join(" and ");
}

/** The labels that a selector trips over: `app=web`, `no label tier`. */
function failingLabels(selector: LabelSelector, labels: Labels): string | undefined {
  const failing = selector.requirements.filter((requirement) => !requirementMatches(requirement, labels));
  if (failing.length === 0) return undefined;
  const words = failing.map(({ key }) => (Object.hasOwn(labels, key) ? `${key}=${labels[key]}` : `no label ${key}`));
  return [...new Set(words)].join(", ");
}
