// One entry of `ports` of a rule of policy.networking.k8s.io/v1alpha1, with its CRDs' validation.

import type { PortMatch } from "../model/policy.ts";
import { portRange, readNamedPort, readPortNumber, readRangeEnds } from "./cluster-ports.ts";
import { readExactlyOne } from "./exactly-one.ts";
import type { Field } from "./field-reader.ts";
import { readProtocol } from "./pod-spec.ts";

const FIELDS = ["portNumber", "portRange", "namedPort"] as const;

/** undefined (reported) when the entry is invalid; none for a range that ends before it starts. */
export function readAdminPort(item: Field): readonly PortMatch[] | undefined {
  const errorsBefore = item.findings.errorCount;
  const apart = "make each an entry of its own: start it with '-'";
  const one = readExactlyOne(item, { what: "an entry of ports", fields: FIELDS, apart });
  const matches = one && readField(one.key, one.field);
  return item.findings.errorCount === errorsBefore ? matches : undefined;
}

function readField(key: (typeof FIELDS)[number], field: Field): readonly PortMatch[] | undefined {
  switch (key) {
    case "portNumber":
      return readNumber(field.asMapping());
    case "portRange":
      return readRange(field.asMapping());
    case "namedPort": {
      const match = readNamedPort(field);
      return match && [match];
    }
  }
}

/** The CRDs take any text for a protocol, but the API knows three: of another one nobody can say what it should match. */
function readNumber(entry: Field): readonly PortMatch[] | undefined {
  entry.refuseUnknownFields(["protocol", "port"]);
  const protocol = readProtocol(entry);
  const port = readPortNumber(entry, "port");
  return protocol === undefined || port === undefined ? undefined : [portRange(protocol, port, port)];
}

/** The order of the ends stands in the API's documentation only: equal ends are one port, an end before the start has none between. */
function readRange(range: Field): readonly PortMatch[] | undefined {
  range.refuseUnknownFields(["protocol", "start", "end"]);
  const protocol = readProtocol(range);
  const ends = readRangeEnds(range);
  if (protocol === undefined || ends === undefined) return undefined;
  const { first, last } = ends;
  if (first < last) return [portRange(protocol, first, last)];
  if (first === last) {
    range.warning({
      code: "range-of-one",
      message: `the range from ${first} to ${last} is one port`,
      hint: `write portNumber: {protocol: ${protocol}, port: ${first}}`,
    });
    return [portRange(protocol, first, last)];
  }
  range.warning({
    code: "range-without-ports",
    message: `the range ends at ${last}, before it starts at ${first}: it matches nothing`,
    hint: `for these ports write start: ${last} and end: ${first}`,
  });
  return [];
}
