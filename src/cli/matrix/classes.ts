// Which endpoints no policy can tell apart. Two endpoints of one class have the same verdicts, and for the same
// reasons, towards every third endpoint: this is what makes a matrix of hundreds of pods quick.
// Asks the evaluator's own questions (selectors, peers, named ports, own node), never judges a flow.

import {
  ANY,
  DIRECTIONS,
  type Peer,
  type PodQuery,
  type Policy,
  type PortMatch,
  type Rule,
} from "../../model/policy.ts";
import { FAMILIES } from "../../net/address.ts";
import { peerMatches, queryMatches, resolveNamedPort } from "../../semantics/matching.ts";
import { isOwnNode } from "../../semantics/never-blocked.ts";
import type { ClusterView, SelectablePod } from "../../state/view.ts";
import type { Endpoint } from "./endpoints.ts";

type NamedPort = PortMatch & { readonly kind: "named" };

/** Everything that policies ask of an endpoint, each question once. */
interface Questions {
  readonly queries: readonly PodQuery[];
  /** Peers that ask for an address. */
  readonly blocks: readonly Peer[];
  readonly names: readonly NamedPort[];
}

/** The class of each endpoint, from 0. Every plain address is a class of its own. Cost: pods x questions. */
export function classifyEndpoints(view: ClusterView, endpoints: readonly Endpoint[]): number[] {
  const questions = collectQuestions(view.policies());
  const plain = endpoints.filter((endpoint) => endpoint.pod === undefined);
  const numbers = new Map<string, number>();
  const queryAnswers = new Map<string, string>();
  return endpoints.map((endpoint) => {
    const { pod } = endpoint;
    const signature =
      pod === undefined
        ? endpoint.name
        : JSON.stringify(podSignature(view, endpoint, pod, plain, questions, queryAnswers));
    const known = numbers.get(signature) ?? numbers.size;
    numbers.set(signature, known);
    return known;
  });
}

/** Equal for two pods exactly when every question has the same answer for both. */
function podSignature(
  view: ClusterView,
  endpoint: Endpoint,
  pod: SelectablePod,
  plain: readonly Endpoint[],
  questions: Questions,
  queryAnswers: Map<string, string>,
): readonly unknown[] {
  const identity = JSON.stringify([pod.pod.namespace, Object.entries(pod.pod.labels).sort()]);
  let queries = queryAnswers.get(identity);
  if (queries === undefined) {
    queries = bits(questions.queries, (query) => queryMatches(view, query, pod));
    queryAnswers.set(identity, queries);
  }
  const blocks = FAMILIES.map((family) => {
    const address = endpoint.addresses.get(family);
    return address === undefined ? null : bits(questions.blocks, (peer) => peerMatches(view, peer, address));
  });
  const ownNode = bits(plain, (other) =>
    [...other.addresses.values()].some((address) => isOwnNode(view, pod, address)),
  );
  const ports = questions.names.map((name) =>
    resolveNamedPort(pod, name)
      .map(({ protocol, port }) => `${port}/${protocol}`)
      .sort(),
  );
  return [queries, blocks, ownNode, ports];
}

function bits<T>(items: readonly T[], test: (item: T) => boolean): string {
  return items.map((item) => (test(item) ? "1" : "0")).join("");
}

function collectQuestions(policies: Iterable<Policy>): Questions {
  const queries = new Map<string, PodQuery>();
  const blocks = new Map<string, Peer>();
  const names = new Map<string, NamedPort>();
  for (const policy of policies) {
    queries.set(JSON.stringify(policy.subject), policy.subject);
    for (const rule of DIRECTIONS.flatMap((direction): readonly Rule[] => policy.rules[direction])) {
      for (const peer of rule.peers === ANY ? [] : rule.peers) {
        if (peer.kind === "pods") queries.set(JSON.stringify(peer.query), peer.query);
        else
          blocks.set(
            JSON.stringify(peer, (_, value) => (typeof value === "bigint" ? `${value}` : value)),
            peer,
          );
      }
      for (const match of rule.ports === ANY ? [] : rule.ports) {
        if (match.kind === "named") names.set(`${match.name}/${match.protocol}`, match);
      }
    }
  }
  return { queries: [...queries.values()], blocks: [...blocks.values()], names: [...names.values()] };
}
