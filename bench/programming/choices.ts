// Which clusters are measured, how often, and with which writers: what the environment says. Owns its words and defaults.

import type { ClusterSize } from "./cluster.ts";

/** How changes of elements get to the kernel: the agent's `--netlink auto`, or `--netlink off`. */
export type Writer = "netlink" | "session";

export interface Run {
  readonly size: ClusterSize;
  readonly writer: Writer;
  readonly rounds: number;
  /** The nft program, of the agent and of the floor. */
  readonly nft: string;
}

/** What the targets are about. */
export const TARGET_SIZE: ClusterSize = { pods: 10_000, policies: 1_000 };

const DEFAULT_SIZES = "1k/100,1k/1k,1k/10k,10k/100,10k/1k,10k/10k";
const DEFAULT_ROUNDS = 20;
/** For a 99th percentile that means something. */
const TIMES_AT_TARGET = 5;

/**
 * NFTPOL_BENCH_SIZES: `pods/policies` with commas between them; NFTPOL_BENCH_ROUNDS: at each of them, five times as many at that of the
 * targets; NFTPOL_BENCH_NFT: another nft program; NFTPOL_BENCH_NETLINK=off leaves out the netlink writer. The cluster of the targets is measured with both writers. Throws
 * for what cannot be understood.
 */
export function chosenRuns(env: Readonly<Record<string, string | undefined>>): readonly Run[] {
  const rounds = Number(env.NFTPOL_BENCH_ROUNDS ?? DEFAULT_ROUNDS);
  if (!Number.isInteger(rounds) || rounds < 1) throw new Error(`NFTPOL_BENCH_ROUNDS is no number of rounds: ${rounds}`);
  const preferred: Writer = env.NFTPOL_BENCH_NETLINK === "off" ? "session" : "netlink";
  const nft = env.NFTPOL_BENCH_NFT ?? "nft";
  return (env.NFTPOL_BENCH_SIZES ?? DEFAULT_SIZES).split(",").flatMap((text) => {
    const size = parseSize(text.trim());
    const isTarget = sameSize(size, TARGET_SIZE);
    const writers: readonly Writer[] = isTarget && preferred === "netlink" ? ["netlink", "session"] : [preferred];
    return writers.map((writer) => ({ size, writer, rounds: rounds * (isTarget ? TIMES_AT_TARGET : 1), nft }));
  });
}

export function sameSize(a: ClusterSize, b: ClusterSize): boolean {
  return a.pods === b.pods && a.policies === b.policies;
}

/** `10k/1k`. */
export function sizeName({ pods, policies }: ClusterSize): string {
  return `${shortNumber(pods)}/${shortNumber(policies)}`;
}

function shortNumber(value: number): string {
  return value >= 1_000 && value % 1_000 === 0 ? `${value / 1_000}k` : String(value);
}

function parseSize(text: string): ClusterSize {
  const [, pods, policies] = /^(\d+k?)\/(\d+k?)$/.exec(text) ?? [];
  if (pods === undefined || policies === undefined) throw new Error(`no size: "${text}"; one is written 10k/1k`);
  return { pods: parseNumber(pods), policies: parseNumber(policies) };
}

function parseNumber(text: string): number {
  return text.endsWith("k") ? 1_000 * Number(text.slice(0, -1)) : Number(text);
}
