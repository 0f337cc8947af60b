// One entry of `ports` of a NetworkPolicy rule, with the API server's validation (ValidateNetworkPolicyPort).

import type { PortProtocol } from "../model/cluster.ts";
import type { PortMatch } from "../model/policy.ts";
import { describeValue, type Field } from "./field-reader.ts";
import { isPortNumber, MAX_PORT, portNameFault } from "./names.ts";
import { readProtocol } from "./pod-spec.ts";

/** undefined (reported) when the entry is invalid. */
export function readPort(item: Field): PortMatch | undefined {
  const errorsBefore = item.findings.errorCount;
  const entry = item.asMapping();
  if (!item.present) {
    item.warning({
      code: "null-item",
      message: "an empty port entry means every TCP port",
      hint: "write protocol: TCP",
    });
  }
  entry.refuseUnknownFields(["protocol", "port", "endPort"]);
  const protocol = readProtocol(entry);
  const port = entry.member("port");
  const endPort = entry.integer("endPort");
  if (entry.member("endPort").present && !port.present) {
    entry.member("endPort").error({
      code: "endport-without-port",
      message: "endPort is only allowed together with port",
      hint: "add the first port of the range as port",
    });
  }
  const match = protocol === undefined ? undefined : matchPort(entry, port, protocol, endPort);
  return item.findings.errorCount === errorsBefore ? match : undefined;
}

function matchPort(
  entry: Field,
  port: Field,
  protocol: PortProtocol,
  endPort: number | undefined,
): PortMatch | undefined {
  if (!port.present) return { kind: "range", protocol, first: 0, last: MAX_PORT };
  if (typeof port.value === "string") return matchNamedPort(entry, port, port.value, protocol, endPort);
  if (typeof port.value !== "number" || !Number.isInteger(port.value)) {
    port.error({
      code: "wrong-type",
      message: `port must be a whole number or the name of a container port, not ${describeValue(port.value)}`,
    });
    return undefined;
  }
  const first = port.value;
  if (!isPortNumber(first)) {
    port.error({ code: "port-out-of-range", message: `port ${first} is not in 1..${MAX_PORT}` });
    return undefined;
  }
  const last = endPort ?? first;
  const end = entry.member("endPort");
  if (!isPortNumber(last)) {
    end.error({ code: "port-out-of-range", message: `endPort ${last} is not in 1..${MAX_PORT}` });
  } else if (last < first) {
    end.error({
      code: "endport-below-port",
      message: `endPort ${last} is below port ${first}`,
      hint: "endPort is the last port of the range, inclusive",
    });
  }
  return { kind: "range", protocol, first, last };
}

function matchNamedPort(
  entry: Field,
  port: Field,
  name: string,
  protocol: PortProtocol,
  endPort: number | undefined,
): PortMatch | undefined {
  if (/^\d+$/.test(name)) {
    port.error({
      code: "port-quoted-number",
      message: `a quoted port is a port name, and ${JSON.stringify(name)} is not a valid name: it must have at least one letter`,
      hint: `unquote it: ${Number(name)}`,
    });
    return undefined;
  }
  if (endPort !== undefined) {
    entry.member("endPort").error({
      code: "endport-with-named-port",
      message: `endPort needs a numeric port, but port is the name ${JSON.stringify(name)}`,
    });
  }
  const fault = portNameFault(name);
  if (fault !== undefined) {
    port.error({ code: "invalid-port-name", message: `port name ${JSON.stringify(name)} ${fault}` });
    return undefined;
  }
  return { kind: "named", protocol, name };
}
