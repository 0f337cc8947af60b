import { describe, expect, it } from "vitest";
import { parseTraffic, type TrafficQuestion } from "../traffic-text.ts";
import { cellState, cellText, familiesDiffer, shortCellText } from "./cell-text.ts";
import type { Cell, FamilyVerdicts } from "./compute.ts";

const PORTS = ["80/TCP", "443/TCP", "53/UDP", "ICMP"].map((text) => parseTraffic(text) as TrafficQuestion);

/** `1` allows, `e` is denied by egress, `i` by ingress. */
function family(number: 4 | 6, word: string): FamilyVerdicts {
  return {
    family: number,
    egress: [...word].map((letter) => letter !== "e"),
    ingress: [...word].map((letter) => letter !== "i"),
  };
}

function cell(four: string, six?: string): Cell {
  const families = six === undefined ? [family(4, four)] : [family(4, four), family(6, six)];
  return { kind: "judged", families };
}

describe("a cell", () => {
  it.each([
    ["all ports", cell("1111"), "all", "all", "all"],
    ["no port, whichever half denies", cell("eiei"), "-", "-", "none"],
    ["some ports, numbers of a protocol together", cell("11i1"), "80,443/TCP ICMP", "3 of 4", "some"],
    ["both families alike", cell("1ee1", "1ii1"), "80/TCP ICMP", "2 of 4", "some"],
    ["one family more", cell("11ee", "1eee"), "80/TCP IPv4:443/TCP", "1-2 of 4", "some"],
    ["one family only", cell("1111", "eeee"), "IPv4:all", "0-4 of 4", "some"],
    ["each family its own", cell("1eee", "e1ee"), "IPv4:80/TCP IPv6:443/TCP", "0-2 of 4", "some"],
    ["a pod itself", { kind: "self" }, "·", "·", "self"],
    ["nothing asked", { kind: "unasked" }, "", "", "unasked"],
  ] as const)("says %s", (_name, each, long, short, state) => {
    expect(cellText(each, PORTS)).toBe(long);
    expect(shortCellText(each, PORTS, 4)).toBe(short);
    expect(shortCellText(each, PORTS, long.length)).toBe(long);
    expect(cellState(each, PORTS)).toBe(state);
    expect(familiesDiffer(each, PORTS)).toBe(/IPv/.test(long));
  });
});
