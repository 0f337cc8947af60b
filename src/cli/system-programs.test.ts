import { expect, it } from "vitest";
import { versionIn } from "./system-programs.ts";

it.each([
  ["nftables v1.0.6 (Lester Gooch #5)\n", "1.0.6"],
  ["iptables v1.8.9 (nf_tables)\n", "1.8.9 (nf_tables)"],
  ["iptables v1.8.11 (legacy)\n", "1.8.11 (legacy)"],
  ["iptables v1.6.2\n", "1.6.2"],
  ["ipset v7.17, protocol version: 7\n", "7.17"],
  ["hello\n", undefined],
  ["", undefined],
])("%j says %s", (output, version) => {
  expect(versionIn(output)).toBe(version);
});
