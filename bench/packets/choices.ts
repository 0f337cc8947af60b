// Which backends and axes are measured: what the environment says. Owns its words and defaults.

import { type BackendName, type BenchBackend, PEER_BACKENDS } from "./backend.ts";
import { GRID_ROWS } from "./grid-rows.ts";
import { IPTABLES } from "./iptables-rules.ts";
import { NFT } from "./nft-rules.ts";
import { PEER_SHAPES } from "./peer-shapes/peer-shapes.ts";
import type { Variant } from "./variant.ts";
import { AXES, VARIANTS } from "./variants.ts";

export const BACKENDS: readonly BenchBackend[] = [NFT, ...IPTABLES, ...PEER_SHAPES];

export interface Choices {
  readonly backends: readonly BenchBackend[];
  readonly variants: readonly Variant[];
}

/** Ours that most nodes run, beside the others. */
const DEFAULT_BACKENDS: readonly BackendName[] = ["nft", ...PEER_BACKENDS];
/** The rest is about our own rules alone. */
const DEFAULT_AXES: readonly string[] = ["floor", ...new Set(GRID_ROWS.map(({ axis }) => axis))];

/** NFTPOL_BENCH_BACKENDS and NFTPOL_BENCH_AXES: names with commas between them, or `all`. Throws for a name that there is not. */
export function chosen(env: Readonly<Record<string, string | undefined>>): Choices {
  const known = BACKENDS.map(({ name }) => name);
  const names = namesIn(env.NFTPOL_BENCH_BACKENDS, "backend", known) ?? DEFAULT_BACKENDS;
  const axes = namesIn(env.NFTPOL_BENCH_AXES, "axis", AXES) ?? DEFAULT_AXES;
  const has = (name: BackendName | undefined) => name === undefined || names.includes(name);
  return {
    backends: BACKENDS.filter(({ name }) => names.includes(name)),
    variants: VARIANTS.filter(({ axis, floorOf }) => axes.includes(axis) && has(floorOf)),
  };
}

function namesIn<Name extends string>(text = "", what: string, known: readonly Name[]): readonly Name[] | undefined {
  if (text.trim() === "all") return known;
  const words = text.split(",").flatMap((word) => (word.trim() === "" ? [] : [word.trim()]));
  const names = words.map((word) => {
    const name = known.find((each) => each === word);
    if (name === undefined) throw new Error(`no ${what} ${word}: there are ${known.join(", ")}`);
    return name;
  });
  return names.length === 0 ? undefined : names;
}
