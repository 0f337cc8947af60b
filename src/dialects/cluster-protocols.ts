// One entry of `protocols` of a rule of policy.networking.k8s.io/v1alpha2, with its CRD's validation.

import type { PortProtocol } from "../model/cluster.ts";
import type { PortMatch } from "../model/policy.ts";
import { portRange, readNamedPort, readPortNumber, readRangeEnds } from "./cluster-ports.ts";
import { readExactlyOne } from "./exactly-one.ts";
import type { Field } from "./field-reader.ts";

const PROTOCOLS = { tcp: "TCP", udp: "UDP", sctp: "SCTP" } as const satisfies Record<string, PortProtocol>;
const FIELDS = ["tcp", "udp", "sctp", "destinationNamedPort"] as const;
const APART = "make each an entry of its own: start it with '-'";

/** undefined (reported) when the entry is invalid. */
export function readProtocolEntry(item: Field): readonly PortMatch[] | undefined {
  const errorsBefore = item.findings.errorCount;
  const hints = { namedPort: "did you mean destinationNamedPort?" };
  const one = readExactlyOne(item, { what: "an entry of protocols", fields: FIELDS, hints, apart: APART });
  if (one === undefined) return undefined;
  const match =
    one.key === "destinationNamedPort"
      ? readNamedPort(one.field)
      : readDestinationPort(one.field.asMapping(), PROTOCOLS[one.key], one.key);
  return match === undefined || item.findings.errorCount !== errorsBefore ? undefined : [match];
}

function readDestinationPort(entry: Field, protocol: PortProtocol, key: string): PortMatch | undefined {
  entry.refuseUnknownFields(["destinationPort"]);
  const port = entry.member("destinationPort");
  if (!port.present) {
    const hint = "for all ports write range: {start: 1, end: 65535}";
    if (entry.present) port.error({ code: "missing-field", message: `${key} needs a destinationPort`, hint });
    return undefined;
  }
  const one = readExactlyOne(port, { what: "a destinationPort", fields: ["number", "range"], apart: APART });
  if (one === undefined) return undefined;
  if (one.key === "number") {
    const number = readPortNumber(port, "number");
    return number === undefined ? undefined : portRange(protocol, number, number);
  }
  return readRange(one.field.asMapping(), protocol);
}

function readRange(range: Field, protocol: PortProtocol): PortMatch | undefined {
  range.refuseUnknownFields(["start", "end"]);
  const ends = readRangeEnds(range);
  if (ends === undefined) return undefined;
  const { first, last } = ends;
  if (first < last) return portRange(protocol, first, last);
  range.error({
    code: "range-not-ascending",
    message: `the range starts at ${first} and must end above that, not at ${last}`,
    ...(first === last ? { hint: `write number: ${first}` } : {}),
  });
  return undefined;
}
