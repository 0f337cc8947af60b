// What the policies mean for one packet at one node: the evaluator's halves that this node decides, and what must hold
// for packets that do not begin a flow. Independent of everything compiled.

import type { Packet } from "../backends/packet.ts";
import type { Flow } from "../model/flow.ts";
import { isLinkScope, keepsLinkWorking } from "../model/link-scope.ts";
import { DIRECTIONS, type Direction } from "../model/policy.ts";
import { type EvaluateOptions, evaluate } from "../semantics/evaluate.ts";
import { isClosedBy } from "../semantics/judge-unknown.ts";
import { isRestricted } from "../semantics/judging-policies.ts";
import type { Verdict } from "../semantics/verdict.ts";
import type { ClusterView, SelectablePod } from "../state/view.ts";

export interface Expected {
  readonly verdict: "accept" | "drop";
  /** The evaluator's answer, where it was asked. */
  readonly meaning: Verdict | undefined;
  /** In one sentence, for people. */
  readonly because: string;
}

export interface JudgingNode {
  readonly name: string;
  /** Whether it has a pod that any policy restricts. */
  readonly isolates: boolean;
}

/** Cost: linear in its pods times all policies. */
export function judgingNode(view: ClusterView, name: string): JudgingNode {
  const pods = [...view.selectablePods()].filter(({ pod }) => pod.nodeName === name);
  return { name, isolates: pods.some((pod) => isIsolated(view, pod)) };
}

/** The verdict that the rules of the node have to give. `view` may be without policies that have no say in the flow. */
export function expectedVerdict(
  view: ClusterView,
  { name: nodeName, isolates }: JudgingNode,
  packet: Packet,
  flow: Flow,
  options: EvaluateOptions,
): Expected {
  if (packet.state === "established" || packet.state === "related")
    return accept("replies and related packets of allowed flows pass");
  if (packet.sourceIsLocal) return accept("what a node sends to its own pods is never blocked");
  const source = localPod(nodeName, view.ownerOf(flow.source));
  const destination = packet.hook === "input" ? undefined : localPod(nodeName, view.ownerOf(flow.destination));
  const closed = closedDrop(view, nodeName, packet, flow, options);
  if (closed !== undefined) return closed;
  if (isolates && packet.hook !== "input" && isLinkScope(flow) && !keepsLinkWorking(flow)) {
    const because = "it does not leave its link, so it could reach any pod of this node, and one is isolated";
    return { verdict: "drop", meaning: undefined, because };
  }
  const asked = { egress: source, ingress: destination };
  if (isMidstream(packet) && packet.hook !== "input") return midstream(view, asked);
  // What leaves a pod and comes back to it has come through a service; the input hook sees what is for the node itself.
  const meaning = evaluate(view, { ...flow, throughService: true, toOwnNode: packet.hook === "input" }, options);
  const denied = (["egress", "ingress"] as const).filter(
    (direction) => asked[direction] !== undefined && !meaning[direction].allow,
  );
  if (denied.length === 0) return { verdict: "accept", meaning, because: "no half that this node decides denies it" };
  return { verdict: "drop", meaning, because: `${denied.join(" and ")} denied` };
}

/**
 * The drop of a packet whose source or destination this node closes (strict start), also in mid-connection. Only what is forwarded is
 * closed: packets to the node itself are not.
 */
function closedDrop(
  view: ClusterView,
  nodeName: string,
  packet: Packet,
  flow: Flow,
  options: EvaluateOptions,
): Expected | undefined {
  if (options.unknownLocalPods === "allow" || packet.hook === "input") return undefined;
  const halves = DIRECTIONS.filter((direction) => {
    const address = direction === "egress" ? flow.source : flow.destination;
    return isClosedBy(view, nodeName, address);
  });
  if (halves.length === 0) return undefined;
  const meaning = evaluate(view, flow, options);
  const denied = halves.filter((direction) => !meaning[direction].allow);
  return denied.length === 0 ? undefined : { verdict: "drop", meaning, because: `${denied.join(" and ")} denied` };
}

function isIsolated(view: ClusterView, pod: SelectablePod): boolean {
  return DIRECTIONS.some((direction) => isRestricted(view, direction, pod));
}

function accept(because: string): Expected {
  return { verdict: "accept", meaning: undefined, because };
}

function localPod(nodeName: string, pod: SelectablePod | undefined): SelectablePod | undefined {
  return pod?.pod.nodeName === nodeName ? pod : undefined;
}

/** TCP that is not the first packet of a connection, of a connection that nobody knows. */
function isMidstream(packet: Packet): boolean {
  if (packet.protocol !== 6) return false;
  return (
    !packet.tcpFlags.has("syn") ||
    packet.tcpFlags.has("ack") ||
    packet.tcpFlags.has("rst") ||
    packet.tcpFlags.has("fin")
  );
}

/** Cut connections of isolated pods must not come back (docs/data-plane.md "Connections that were cut"). */
function midstream(view: ClusterView, asked: { readonly [D in Direction]: SelectablePod | undefined }): Expected {
  const isolated = [asked.egress, asked.ingress].find((pod) => pod !== undefined && isIsolated(view, pod));
  if (isolated === undefined) return accept("no isolated pod of this node takes part");
  return {
    verdict: "drop",
    meaning: undefined,
    because: `${isolated.key} is isolated and the connection is not known`,
  };
}
