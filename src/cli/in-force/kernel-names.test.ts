import { expect, it } from "vitest";
import { chainsInListing } from "./kernel-names.ts";

it("chains are read from what nft lists, with their tables", () => {
  const listing = `table ip nat {
\tchain PREROUTING {
\t\ttype nat hook prerouting priority dstnat; policy accept;
\t}
}
table ip filter {
\tchain FORWARD {
\t\ttype filter hook forward priority filter; policy accept;
\t}
\tchain NFTPOL-FORWARD {
\t}
}
`;
  expect(chainsInListing(listing, "ip")).toEqual([
    { table: { family: "ip", name: "nat" }, name: "PREROUTING" },
    { table: { family: "ip", name: "filter" }, name: "FORWARD" },
    { table: { family: "ip", name: "filter" }, name: "NFTPOL-FORWARD" },
  ]);
});
