// The part of a pod's spec that policies see: container ports, host network, node. Shared by pods and pod templates.

import type { ContainerPort, PortProtocol } from "../model/cluster.ts";
import type { Labels } from "../model/labels.ts";
import { closestWord } from "./closest-word.ts";
import { describeValue, type Field } from "./field-reader.ts";
import { isPortNumber } from "./names.ts";
import { readLabels } from "./object-meta.ts";

export interface PodSpec {
  readonly ports: readonly ContainerPort[];
  readonly hostNetwork: boolean;
  readonly nodeName: string | undefined;
  readonly nodeSelector: Labels;
}

const PROTOCOLS: readonly PortProtocol[] = ["TCP", "UDP", "SCTP"];

export function readPodSpec(spec: Field): PodSpec {
  const ports: ContainerPort[] = [];
  for (const container of spec.list("containers")) readPorts(container.asMapping(), ports);
  for (const item of spec.list("initContainers")) {
    const container = item.asMapping();
    if (container.string("restartPolicy") === "Always") readPorts(container, ports);
  }
  const nodeName = spec.string("nodeName");
  return {
    ports,
    hostNetwork: spec.boolean("hostNetwork") ?? false,
    nodeName: nodeName === "" ? undefined : nodeName,
    nodeSelector: readLabels(spec.mapping("nodeSelector")),
  };
}

function readPorts(container: Field, ports: ContainerPort[]): void {
  for (const item of container.list("ports")) {
    const entry = item.asMapping();
    const protocol = readProtocol(entry);
    const name = entry.string("name") ?? "";
    const port = entry.integer("containerPort");
    if (port === undefined) {
      if (entry.present && !entry.member("containerPort").present) {
        entry
          .member("containerPort")
          .error({ code: "missing-field", message: "a container port needs a containerPort" });
      }
      continue;
    }
    if (!isPortNumber(port)) {
      entry.member("containerPort").error({ code: "port-out-of-range", message: `port ${port} is not in 1..65535` });
    } else if (protocol !== undefined) {
      ports.push({ name, protocol, port });
    }
  }
}

/** `protocol` of a port; TCP where it is absent; undefined (reported) for others than TCP, UDP and SCTP. */
export function readProtocol(entry: Field): PortProtocol | undefined {
  const field = entry.member("protocol");
  if (!field.present) return "TCP";
  const protocol = PROTOCOLS.find((known) => known === field.value);
  if (protocol !== undefined) return protocol;
  if (field.asString() === undefined) return undefined;
  const meant = closestWord(String(field.value), PROTOCOLS);
  field.error({
    code: "unknown-protocol",
    message: `protocol must be TCP, UDP or SCTP, not ${describeValue(field.value)}`,
    ...(meant === undefined ? {} : { hint: `did you mean ${meant}?` }),
  });
  return undefined;
}
