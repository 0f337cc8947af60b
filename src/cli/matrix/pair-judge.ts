// The verdicts between two endpoints, for all ports, from the reference evaluator: each question asked once.
// Between two pods only those policies have a say that select one of them, and ports that none of their rules tells
// apart have the same verdict.

import { ANY, type Direction, type Policy, type PortMatch, type Rule } from "../../model/policy.ts";
import type { Family } from "../../net/address.ts";
import { type EvaluateOptions, evaluate } from "../../semantics/evaluate.ts";
import { portMatches, queryMatches } from "../../semantics/matching.ts";
import type { Verdict } from "../../semantics/verdict.ts";
import type { ClusterView } from "../../state/view.ts";
import { type TrafficQuestion, trafficOf } from "../traffic-text.ts";
import type { Endpoint } from "./endpoints.ts";
import { NarrowedView } from "./narrowed-view.ts";

/** What selects an endpoint. */
interface Selection {
  readonly policies: readonly Policy[];
  readonly ports: { readonly [D in Direction]: readonly PortMatch[] };
}

const NOTHING: Selection = { policies: [], ports: { egress: [], ingress: [] } };

/** Remembers what selects each endpoint that it was asked about. */
export class PairJudge {
  readonly #view: ClusterView;
  readonly #ports: readonly TrafficQuestion[];
  readonly #options: EvaluateOptions;
  readonly #selections = new Map<Endpoint, Selection>();

  constructor(view: ClusterView, ports: readonly TrafficQuestion[], options: EvaluateOptions) {
    this.#view = view;
    this.#ports = ports;
    this.#options = options;
  }

  /** One verdict for each port, in their order. Both endpoints must have an address of the family. */
  verdicts(from: Endpoint, to: Endpoint, family: Family): Verdict[] {
    const source = from.addresses.get(family);
    const destination = to.addresses.get(family);
    if (source === undefined || destination === undefined) throw new Error(`no address of family ${family}`);
    const sender = this.#selectionOf(from);
    const receiver = this.#selectionOf(to);
    const view = new NarrowedView(this.#view, [...new Set([...sender.policies, ...receiver.policies])]);
    const matches = [...sender.ports.egress, ...receiver.ports.ingress];
    const known = new Map<string, Verdict>();
    return this.#ports.map((port) => {
      const traffic = trafficOf(port, family);
      const key = matches.map((match) => (portMatches(view, match, destination, traffic) ? "1" : "0")).join("");
      const verdict = known.get(key) ?? evaluate(view, { source, destination, traffic }, this.#options);
      known.set(key, verdict);
      return verdict;
    });
  }

  #selectionOf(endpoint: Endpoint): Selection {
    const known = this.#selections.get(endpoint);
    if (known !== undefined) return known;
    const selection = this.#select(endpoint);
    this.#selections.set(endpoint, selection);
    return selection;
  }

  #select({ pod }: Endpoint): Selection {
    if (pod === undefined) return NOTHING;
    const policies = [...this.#view.policies()].filter((policy) => queryMatches(this.#view, policy.subject, pod));
    const portsOf = (direction: Direction) => {
      const rules = policies.flatMap((policy): readonly Rule[] => policy.rules[direction]);
      return rules.flatMap((rule) => (rule.ports === ANY ? [] : rule.ports));
    };
    return { policies, ports: { egress: portsOf("egress"), ingress: portsOf("ingress") } };
  }
}
