// What a matrix is asked about, from the options of the verbs that make one.

import pc from "picocolors";
import { type Address, FAMILIES, type Family, parseAddress } from "../../net/address.ts";
import type { ClusterStore } from "../../state/store.ts";
import { countOf } from "../terminal-text.ts";
import { formatQuestion, parseTraffic, TRAFFIC_FORMS, type TrafficQuestion } from "../traffic-text.ts";
import { CommandError, listOption, type OptionValues, textOption, type VerbContext } from "../verb.ts";
import type { CellState } from "./cell-text.ts";
import { defaultPorts, sortPorts } from "./ports.ts";

/** Of `--port`; empty: nothing is asked for. Throws CommandError. */
export function askedPorts(options: OptionValues): TrafficQuestion[] {
  const ports = listOption(options, "port")
    .flatMap((text) => text.split(","))
    .map((text) => {
      const port = parseTraffic(text);
      if (port === undefined)
        throw new CommandError(2, `--port ${JSON.stringify(text)} is no port`, `write ${TRAFFIC_FORMS}`);
      return port;
    });
  return sortPorts(ports);
}

/** Of `--ip`. Throws CommandError. */
export function askedAddresses(options: OptionValues): Address[] {
  return listOption(options, "ip")
    .flatMap((text) => text.split(","))
    .map((text) => {
      const parsed = parseAddress(text.trim());
      if (parsed !== undefined) return parsed.address;
      throw new CommandError(
        2,
        `--ip ${JSON.stringify(text)} is no IP address`,
        "for example --ip 203.0.113.7; no CIDR, no name",
      );
    });
}

/** Of `-n`. Throws CommandError for one that nothing is in. */
export function askedNamespace(store: ClusterStore, options: OptionValues): string | undefined {
  const name = textOption(options, "namespace");
  if (name === undefined || [...store.namespaceNames()].includes(name)) return name;
  const known = [...store.namespaceNames()].sort().join(", ");
  throw new CommandError(
    2,
    `there is no namespace ${JSON.stringify(name)}`,
    known === "" ? undefined : `there are: ${known}`,
  );
}

/** Of `--family`; both without it. */
export function askedFamilies(options: OptionValues): readonly Family[] {
  const wanted = textOption(options, "family");
  return wanted === undefined ? FAMILIES : FAMILIES.filter((family) => `IPv${family}` === wanted);
}

/** What to ask about when nobody says; what is left out or guessed is said. */
export function occurringPorts(store: ClusterStore, context: VerbContext): readonly TrafficQuestion[] {
  const { ports, leftOut, guessed } = defaultPorts(store);
  if (guessed) {
    const text = formatQuestion(ports[0] as TrafficQuestion);
    context.stderr(`note: no pod and no policy names a port, so this asks about ${text}; choose with --port\n`);
  }
  if (leftOut > 0) {
    context.stderr(
      `note: the ${ports.length} ports that occur most; ${countOf(leftOut, "other")} left out, choose with --port\n`,
    );
  }
  return ports;
}

/** Green what is open, red what is closed. */
export function painter(colour: boolean): (text: string, state: CellState) => string {
  const { green, yellow, red, dim } = pc.createColors(colour);
  const paint = { all: green, some: yellow, none: red, self: dim, unasked: dim };
  return (text, state) => paint[state](text);
}
