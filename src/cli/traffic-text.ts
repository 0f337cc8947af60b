// The words for ports on the command line and in expectation files: `80/TCP`, `80`, `53/UDP`, `ICMP`, `proto/47`.

import type { PortProtocol } from "../model/cluster.ts";
import { ECHO_REQUEST, ICMP, ICMPV6, PROTOCOL_NUMBER, type Traffic } from "../model/flow.ts";
import type { Family } from "../net/address.ts";

export const TRAFFIC_FORMS = "80/TCP, 80 (TCP), 53/UDP, 9/SCTP, ICMP, proto/47";

/** What was asked about; ICMP is an echo request, of the protocol that belongs to the family. */
export type TrafficQuestion = { readonly kind: "icmp" } | Extract<Traffic, { kind: "ports" | "other" }>;

/** The question, or undefined when the text is none of the forms. Case of protocols does not matter. */
export function parseTraffic(text: string): TrafficQuestion | undefined {
  const word = text.trim().toUpperCase();
  if (word === "ICMP" || word === "ICMPV6") return { kind: "icmp" };
  const other = /^PROTO\/(\d{1,3})$/.exec(word);
  if (other !== null) return otherProtocol(Number(other[1]));
  const ports = /^(\d{1,5})(?:\/(TCP|UDP|SCTP))?$/.exec(word);
  if (ports === null) return undefined;
  const port = Number(ports[1]);
  return port > 65535 ? undefined : { kind: "ports", protocol: (ports[2] ?? "TCP") as PortProtocol, port };
}

/** TCP, UDP and SCTP have ports and must be asked with one. */
function otherProtocol(protocol: number): TrafficQuestion | undefined {
  if (protocol > 255 || Object.values(PROTOCOL_NUMBER).includes(protocol)) return undefined;
  return protocol === ICMP || protocol === ICMPV6 ? { kind: "icmp" } : { kind: "other", protocol };
}

export function trafficOf(question: TrafficQuestion, family: Family): Traffic {
  if (question.kind !== "icmp") return question;
  const protocol = family === 4 ? ICMP : ICMPV6;
  return { kind: "icmp", protocol, type: ECHO_REQUEST[protocol] };
}

/** `80/TCP`, `ICMP`, `proto/47`. */
export function formatQuestion(question: TrafficQuestion): string {
  if (question.kind === "icmp") return "ICMP";
  return question.kind === "ports" ? `${question.port}/${question.protocol}` : `proto/${question.protocol}`;
}
