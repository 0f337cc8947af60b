// What iptables-save -c says of our drops.

import { expect, it } from "vitest";
import { readDropCounts } from "./drop-counts.ts";

const CHAINS = ["INGRESS", "EGRESS", "MIDSTREAM", "UNKNOWN"].map((reason) => `:NFTPOL-DROP-${reason} - [0:0]`);
const text = (...lines: readonly string[]) => ["*filter", ":FORWARD ACCEPT [9:900]", ...lines, "COMMIT", ""].join("\n");

it("packets are counted by the rules that drop", () => {
  const rules = [
    "[3:180] -A NFTPOL-DROP-INGRESS -j DROP",
    "[12345678901:720] -A NFTPOL-DROP-EGRESS -j DROP",
    "[0:0] -A NFTPOL-DROP-MIDSTREAM -j DROP",
    "[7:7] -A NFTPOL-DROP-UNKNOWN -j DROP",
  ];
  expect(readDropCounts(text(...CHAINS, ...rules))).toEqual(
    new Map([
      ["ingress", 3],
      ["egress", 12345678901],
      ["midstream", 0],
      ["unknown", 7],
    ]),
  );
});

it("others' rules, and rules that only lead there, count nothing", () => {
  const rules = [
    "[3:180] -A NFTPOL-DROP-INGRESS -s 10.0.0.0/8 -j DROP",
    "[4:180] -A NFTPOL-FORWARD -g NFTPOL-DROP-INGRESS",
    '[5:180] -A OTHER -m comment --comment "-A NFTPOL-DROP-INGRESS -j DROP" -j DROP',
    "[6:180] -A NFTPOL-DROP-INGRESS-2 -j DROP",
  ];
  expect(readDropCounts(text(...CHAINS, ":NFTPOL-DROP-INGRESS-2 - [0:0]", ...rules))?.get("ingress")).toBe(0);
});

it.each([
  ["nothing of ours is there", []],
  ["a chain of them is not there", CHAINS.slice(1)],
  ["only chains with longer names are there", CHAINS.map((line) => line.replace(" ", "-2 "))],
])("it is not known where %s", (_, lines) => {
  expect(readDropCounts(text(...lines))).toBeUndefined();
});
