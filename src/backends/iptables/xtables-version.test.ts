// What is read from `iptables --version`.

import { expect, it } from "vitest";
import { parseXtablesVersion } from "./xtables-version.ts";

it.each([
  ["iptables v1.8.9 (nf_tables)\n", { variant: "nft", restoreWaits: true, isImmature: false }],
  ["ip6tables v1.8.9 (legacy)\n", { variant: "legacy", restoreWaits: true, isImmature: false }],
  ["iptables v1.8.3 (nf_tables)\n", { variant: "nft", restoreWaits: true, isImmature: true }],
  ["iptables v1.8.3 (legacy)\n", { variant: "legacy", restoreWaits: true, isImmature: false }],
  ["iptables v1.6.2\n", { variant: "legacy", restoreWaits: true, isImmature: false }],
  ["iptables v1.6.1\n", { variant: "legacy", restoreWaits: false, isImmature: false }],
  ["iptables v1.8\n", { variant: "legacy", restoreWaits: true, isImmature: false }],
  ["iptables v1.10.0 (nf_tables)\n", { variant: "nft", restoreWaits: true, isImmature: false }],
])("%j", (output, facts) => {
  expect(parseXtablesVersion(output)).toEqual({ text: output.trim(), ...facts });
});

it("what is no version of iptables is none", () => {
  expect(parseXtablesVersion("nftables v1.0.6 (Lester Gooch #5)\n")).toBeUndefined();
  expect(parseXtablesVersion("")).toBeUndefined();
});
