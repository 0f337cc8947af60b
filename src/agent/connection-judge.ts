// Whether the policies of now allow a connection that is already there: the connection as a flow, judged by the reference
// evaluator, but only by the halves that this node decides.

import type { PortProtocol } from "../model/cluster.ts";
import { type Flow, ICMP, ICMPV6, PROTOCOL_NUMBER, type Traffic } from "../model/flow.ts";
import type { Direction, Policy } from "../model/policy.ts";
import type { Address } from "../net/address.ts";
import type { TrackedConnection } from "../netlink/connection-tracker.ts";
import { type EvaluateOptions, evaluate } from "../semantics/evaluate.ts";
import { judgingPolicies } from "../semantics/judging-policies.ts";
import { restrictPolicies } from "../state/restricted-view.ts";
import type { ClusterView, SelectablePod } from "../state/view.ts";

const PROTOCOLS = new Map<number, PortProtocol>(
  Object.entries(PROTOCOL_NUMBER).map(([name, number]) => [number, name as PortProtocol]),
);

/** The flow that the connection's first packet was, as the forward hook saw it: after destination, before source translation. */
export function flowOf(connection: TrackedConnection): Flow {
  const { protocol, original, reply, icmpType } = connection;
  return { source: original.source, destination: reply.source, traffic: trafficOf() };

  function trafficOf(): Traffic {
    const portProtocol = PROTOCOLS.get(protocol);
    if (portProtocol !== undefined) {
      return { kind: "ports", protocol: portProtocol, port: reply.sourcePort, sourcePort: original.sourcePort };
    }
    if ((protocol === ICMP || protocol === ICMPV6) && icmpType !== undefined) {
      return { kind: "icmp", protocol, type: icmpType };
    }
    return { kind: "other", protocol };
  }
}

export interface JudgeOptions extends EvaluateOptions {
  readonly nodeName: string;
  /** Every address of this node's interfaces: what it sends to its pods leaves through the output hook and is not judged. */
  readonly nodeAddresses: ReadonlySet<string>;
}

/** Judges many connections in one state of the cluster; make a new one when the state has changed. */
export class ConnectionJudge {
  readonly #view: ClusterView;
  readonly #options: JudgeOptions;
  readonly #policies = new Map<string, readonly Policy[]>();
  readonly #verdicts = new Map<string, boolean>();

  constructor(view: ClusterView, options: JudgeOptions) {
    this.#view = view;
    // Strict start closes what begins, and what no pod owns has no half here: asking would walk all nodes for each address.
    this.#options = { ...options, unknownLocalPods: "allow" };
  }

  /** True where no half that this node decides denies it. Cost: the policies of its pods; repeated flows cost nothing. */
  allows(connection: TrackedConnection): boolean {
    const flow = flowOf(connection);
    const key = flowKey(flow);
    let verdict = this.#verdicts.get(key);
    if (verdict === undefined) {
      verdict = this.#judge(flow);
      this.#verdicts.set(key, verdict);
    }
    return verdict;
  }

  #judge(flow: Flow): boolean {
    const source = this.#localPod(flow.source);
    const destination = this.#localPod(flow.destination);
    if (source === undefined && destination === undefined) return true;
    const policies = [...this.#judging("egress", source), ...this.#judging("ingress", destination)];
    if (policies.length === 0) return true;
    // What is tracked has left its pod: from a pod to itself it goes only through a service.
    const judged = { ...flow, throughService: true, toOwnNode: this.#isNode(flow.destination) };
    const verdict = evaluate(restrictPolicies(this.#view, policies), judged, this.#options);
    const egressDenies = source !== undefined && !verdict.egress.allow;
    const ingressDenies = destination !== undefined && !verdict.ingress.allow && !this.#isNode(flow.source);
    return !egressDenies && !ingressDenies;
  }

  #localPod(address: Address): SelectablePod | undefined {
    const pod = this.#view.ownerOf(address);
    return pod?.pod.nodeName === this.#options.nodeName ? pod : undefined;
  }

  #judging(direction: Direction, pod: SelectablePod | undefined): readonly Policy[] {
    if (pod === undefined) return [];
    const key = `${direction} ${pod.key}`;
    let policies = this.#policies.get(key);
    if (policies === undefined) {
      policies = judgingPolicies(this.#view, direction, pod);
      this.#policies.set(key, policies);
    }
    return policies;
  }

  #isNode(address: Address): boolean {
    return this.#options.nodeAddresses.has(address);
  }
}

function flowKey({ source, destination, traffic }: Flow): string {
  switch (traffic.kind) {
    case "ports":
      // The source port matters for DHCP answers only, which are no long-lived connections: those below 1024 are kept apart.
      return `${source} ${destination} ${traffic.protocol} ${traffic.port} ${(traffic.sourcePort ?? 1024) < 1024 ? traffic.sourcePort : ""}`;
    case "icmp":
      return `${source} ${destination} icmp ${traffic.type}`;
    case "other":
      return `${source} ${destination} ${traffic.protocol}`;
  }
}
