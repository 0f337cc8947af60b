import { describe, expect, it } from "vitest";
import { PEER_BACKENDS } from "./backend.ts";
import { BACKENDS, chosen } from "./choices.ts";
import { GRID_ROWS } from "./grid-rows.ts";
import { AXES } from "./variants.ts";

const DEFAULT_AXES = ["floor", ...new Set(GRID_ROWS.map(({ axis }) => axis))];
const DEFAULT_BACKENDS = ["nft", ...PEER_BACKENDS];

const chosenBy = (env: Record<string, string>) => {
  const { backends, variants } = chosen(env);
  return { backends: backends.map(({ name }) => name), axes: [...new Set(variants.map(({ axis }) => axis))] };
};

describe("what is measured", () => {
  it.each([
    {
      name: "nft and other engines' shapes on the grid by default",
      env: {},
      backends: DEFAULT_BACKENDS,
      axes: DEFAULT_AXES,
    },
    {
      name: "the same for empty words",
      env: { NFTPOL_BENCH_BACKENDS: "", NFTPOL_BENCH_AXES: " " },
      backends: DEFAULT_BACKENDS,
      axes: DEFAULT_AXES,
    },
    {
      name: "named backends, in the same order always",
      env: { NFTPOL_BENCH_BACKENDS: "iptables-legacy, nft" },
      backends: ["nft", "iptables-legacy"],
      axes: DEFAULT_AXES,
    },
    {
      name: "everything",
      env: { NFTPOL_BENCH_BACKENDS: "all", NFTPOL_BENCH_AXES: "all" },
      backends: BACKENDS.map(({ name }) => name),
      axes: AXES,
    },
    {
      name: "named axes",
      env: { NFTPOL_BENCH_AXES: "local pods,ports" },
      backends: DEFAULT_BACKENDS,
      axes: ["ports", "local pods"],
    },
  ])("is $name", ({ env, backends, axes }) => {
    expect(chosenBy(env)).toEqual({ backends, axes });
  });

  it.each([
    {
      env: { NFTPOL_BENCH_BACKENDS: "iptables" },
      message: /^no backend iptables: there are nft, iptables-nft, iptables-legacy, /,
    },
    { env: { NFTPOL_BENCH_AXES: "pods" }, message: /^no axis pods: there are floor, / },
  ])("is refused where there is no such thing: $message", ({ env, message }) => {
    expect(() => chosenBy(env)).toThrow(message);
  });

  it("has no row beside a floor that is not measured", () => {
    const floorsOf = (backends: string) =>
      chosen({ NFTPOL_BENCH_BACKENDS: backends }).variants.flatMap(({ floorOf }) => floorOf ?? []);
    expect(floorsOf("iptables-nft")).toEqual([]);
    expect(floorsOf("iptables-nft,nft")).toEqual(["nft"]);
  });
});
