// What stands in a cell, short enough to read and never untrue: `all`, `-`, `80,443/TCP 53/UDP`, `5 of 12`.

import type { Family } from "../../net/address.ts";
import { formatQuestion, type TrafficQuestion } from "../traffic-text.ts";
import type { Cell, FamilyVerdicts } from "./compute.ts";

export type CellState = "all" | "some" | "none" | "self" | "unasked";

export const SELF_TEXT = "·";
export const NONE_TEXT = "-";
export const ALL_TEXT = "all";

/** Ports allowed in all families that the pair has in common, and those allowed in one of them only. */
interface CellPorts {
  readonly everywhere: readonly TrafficQuestion[];
  readonly onlyIn: readonly { readonly family: Family; readonly ports: readonly TrafficQuestion[] }[];
}

/** `some` as soon as one port is allowed in one family. */
export function cellState(cell: Cell, ports: readonly TrafficQuestion[]): CellState {
  if (cell.kind !== "judged") return cell.kind;
  const { everywhere, onlyIn } = cellPorts(cell.families, ports);
  if (everywhere.length === ports.length) return "all";
  return everywhere.length === 0 && onlyIn.every((each) => each.ports.length === 0) ? "none" : "some";
}

/** The whole text; what is allowed in one family only stands behind its name: `80/TCP IPv4:443/TCP`. */
export function cellText(cell: Cell, ports: readonly TrafficQuestion[]): string {
  if (cell.kind !== "judged") return cell.kind === "self" ? SELF_TEXT : "";
  const { everywhere, onlyIn } = cellPorts(cell.families, ports);
  const tokens = everywhere.length === 0 ? [] : [portsText(everywhere, ports.length)];
  for (const { family, ports: some } of onlyIn) {
    if (some.length > 0) tokens.push(`IPv${family}:${portsText(some, ports.length)}`);
  }
  return tokens.length === 0 ? NONE_TEXT : tokens.join(" ");
}

/** The whole text where it fits, else how many ports: `5 of 12`; `3-5 of 12` where two of them are for one family only. */
export function shortCellText(cell: Cell, ports: readonly TrafficQuestion[], maxWidth: number): string {
  const text = cellText(cell, ports);
  if (text.length <= maxWidth || cell.kind !== "judged") return text;
  const { everywhere, onlyIn } = cellPorts(cell.families, ports);
  const somewhere = new Set([...everywhere, ...onlyIn.flatMap((each) => each.ports)]).size;
  const count = somewhere === everywhere.length ? `${somewhere}` : `${everywhere.length}-${somewhere}`;
  return `${count} of ${ports.length}`;
}

/** Ports of one protocol together: `80,443/TCP 53/UDP ICMP`. The order is kept. */
export function compactPorts(ports: readonly TrafficQuestion[]): string {
  const numbers = new Map<string, number[]>();
  const rest: string[] = [];
  for (const port of ports) {
    if (port.kind !== "ports") rest.push(formatQuestion(port));
    else numbers.set(port.protocol, [...(numbers.get(port.protocol) ?? []), port.port]);
  }
  return [...[...numbers].map(([protocol, list]) => `${list.join(",")}/${protocol}`), ...rest].join(" ");
}

function portsText(some: readonly TrafficQuestion[], total: number): string {
  return some.length === total ? ALL_TEXT : compactPorts(some);
}

function cellPorts(families: readonly FamilyVerdicts[], ports: readonly TrafficQuestion[]): CellPorts {
  const isAllowed = ({ egress, ingress }: FamilyVerdicts, index: number) =>
    egress[index] === true && ingress[index] === true;
  const inAll = ports.map((_, index) => families.every((verdicts) => isAllowed(verdicts, index)));
  return {
    everywhere: ports.filter((_, index) => inAll[index]),
    onlyIn: families.map((verdicts) => ({
      family: verdicts.family,
      ports: ports.filter((_, index) => !inAll[index] && isAllowed(verdicts, index)),
    })),
  };
}

/** Whether any text that `cellText` gives for the matrix's cells names a family. */
export function familiesDiffer(cell: Cell, ports: readonly TrafficQuestion[]): boolean {
  return cell.kind === "judged" && cellPorts(cell.families, ports).onlyIn.some((each) => each.ports.length > 0);
}
