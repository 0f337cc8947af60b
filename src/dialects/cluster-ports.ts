// Port numbers, ranges and names as the tier APIs have them in both versions. Owns the checks; where they stand is each version's.

import type { PortProtocol } from "../model/cluster.ts";
import { ANY, type PortMatch } from "../model/policy.ts";
import type { Field } from "./field-reader.ts";
import { isPortNumber, MAX_PORT, portNameFault } from "./names.ts";

/** The port that must be in the member; undefined (reported) when it is not. */
export function readPortNumber(entry: Field, key: string): number | undefined {
  const field = entry.member(key);
  if (!field.present) {
    if (entry.present) field.error({ code: "missing-field", message: `${key} is missing` });
    return undefined;
  }
  const port = entry.integer(key);
  if (port === undefined || isPortNumber(port)) return port;
  field.error({ code: "port-out-of-range", message: `port ${port} is not in 1..${MAX_PORT}` });
  return undefined;
}

/** `start` and `end`; undefined (reported) when one of them is no port. */
export function readRangeEnds(range: Field): { readonly first: number; readonly last: number } | undefined {
  const first = readPortNumber(range, "start");
  const last = readPortNumber(range, "end");
  return first === undefined || last === undefined ? undefined : { first, last };
}

export function portRange(protocol: PortProtocol, first: number, last: number): PortMatch {
  return { kind: "range", protocol, first, last };
}

/**
 * A port of the destination pod by its name, of whatever protocol. The CRDs accept any text: one that no container port can have matches
 * none of them, but the empty one is how unnamed ports are called, and says nothing.
 */
export function readNamedPort(field: Field): PortMatch | undefined {
  const name = field.asString();
  if (name === undefined) return undefined;
  if (name === "") {
    field.error({ code: "invalid-port-name", message: "the name of the port is empty" });
    return undefined;
  }
  const fault = portNameFault(name);
  if (fault !== undefined) {
    field.warning({
      code: "port-name-without-port",
      message: `no container port can be named ${JSON.stringify(name)}, so this matches nothing: a name ${fault}`,
    });
  }
  return { kind: "named", protocol: ANY, name };
}
