import { describe, expect, it } from "vitest";
import { chosenRuns, sizeName } from "./choices.ts";

describe("what is measured", () => {
  it("is every cluster with the netlink writer, and that of the targets with both, five times as often", () => {
    const runs = chosenRuns({ NFTPOL_BENCH_ROUNDS: "5" });
    expect(runs.map(({ size, writer, rounds }) => `${sizeName(size)} ${writer} ${rounds}`)).toEqual([
      "1k/100 netlink 5",
      "1k/1k netlink 5",
      "1k/10k netlink 5",
      "10k/100 netlink 5",
      "10k/1k netlink 25",
      "10k/1k session 25",
      "10k/10k netlink 5",
    ]);
  });

  it("can be chosen", () => {
    const env = {
      NFTPOL_BENCH_SIZES: "10k/1k, 1500/100",
      NFTPOL_BENCH_NETLINK: "off",
      NFTPOL_BENCH_ROUNDS: "1",
      NFTPOL_BENCH_NFT: "/opt/nft",
    };
    expect(chosenRuns(env)).toEqual([
      { size: { pods: 10_000, policies: 1_000 }, writer: "session", rounds: 5, nft: "/opt/nft" },
      { size: { pods: 1_500, policies: 100 }, writer: "session", rounds: 1, nft: "/opt/nft" },
    ]);
  });

  it.each([
    [{ NFTPOL_BENCH_SIZES: "10k" }, 'no size: "10k"'],
    [{ NFTPOL_BENCH_ROUNDS: "many" }, "no number of rounds"],
  ])("is refused where it cannot be understood: %o", (env, message) => {
    expect(() => chosenRuns(env)).toThrow(message);
  });
});
