import { expect, it } from "vitest";
import { countersInText } from "./nft-counters.ts";

const PRINTED = `table inet nftpol {
	counter met_forward_0 {
		packets 16 bytes 448
	}
}
table inet nftpol {
	counter met_filter-cali-FORWARD_1 {
		packets 0 bytes 0
	}
}
`;

it("counters are found by their names in what nft prints", () => {
  expect([...countersInText(PRINTED)]).toEqual([
    ["met_forward_0", 16],
    ["met_filter-cali-FORWARD_1", 0],
  ]);
});
