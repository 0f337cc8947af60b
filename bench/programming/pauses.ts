// The commit alone, by how long nothing has happened before it: one element added or deleted through the netlink writer's socket and
// through a bare `nft -i`, in a table with as many sets as that of the targets. A kernel and a program that have not run for some milliseconds
// are not in the processor's caches any more: what a change costs right after another one is the work, the rest is the machine. A process
// of its own, in a network namespace. Arguments: its name, that of another one for nft, and the nft program. Prints JSON.

import { elementChanges } from "../../src/backends/nft/element-changes.ts";
import type { Operation, SetKey } from "../../src/backends/nft/transaction.ts";
import { renderTransaction } from "../../src/backends/nft/transaction.ts";
import { loadSetElements } from "../../src/netlink/set-elements.ts";
import { mustRun } from "../../test/support/lab-netns.ts";
import { quantile } from "../packets/statistics.ts";
import { BareNft } from "./bare-nft.ts";

export interface PauseFigures {
  readonly pauseMs: number;
  /** Milliseconds: from elements to the kernel's answer. */
  readonly netlink: { readonly p50: number; readonly p99: number };
  readonly bareNft: { readonly p50: number; readonly p99: number };
}

const PAUSES_MS = [0, 1, 5, 20];
/** The two ways take turns; a turn's first changes are not timed: they come after the other's. */
const TURNS = 6;
const CHANGES = 60;
const UNTIMED = 10;
const SETS = 160;
const KEY: SetKey = { fields: ["ip saddr"], interval: false };
const TABLE = [
  "table inet nftpol {",
  ...Array.from({ length: SETS }, (_, index) => `set s${index} { typeof ip saddr; size 1024; }`),
  "chain forward { type filter hook forward priority -5; ip saddr @s0 accept; }",
  "}",
].join("\n");

function change(index: number): Operation {
  const set = `s${index % SETS}`;
  return Math.floor(index / SETS) % 2 === 0
    ? { kind: "add-elements", set, key: KEY, elements: [{ key: "203.0.113.7", verdict: undefined }] }
    : { kind: "delete-elements", set, key: KEY, elements: ["203.0.113.7"] };
}

/** Milliseconds of the change with that number. */
type Way = (number: number) => Promise<number>;

async function main(own: string, other: string, nft: string): Promise<void> {
  await mustRun(own, [nft, "-f", "-"], TABLE);
  const socket = (await loadSetElements())();
  const bare = await BareNft.start(other, nft);
  await bare.include(TABLE);
  const netlink: Way = async (number) => {
    const begin = performance.now();
    const changes = elementChanges({ table: "nftpol", operations: [change(number)] }) ?? [];
    const answer = await socket.write("nftpol", changes);
    if (answer.kind !== "written") throw new Error(`the kernel did not take it: ${answer.reason}`);
    return performance.now() - begin;
  };
  const bareNft: Way = (number) => bare.include(renderTransaction({ table: "nftpol", operations: [change(number)] }));
  const figures: PauseFigures[] = [];
  let first = 0;
  for (const pauseMs of PAUSES_MS) {
    const times = { netlink: [] as number[], bareNft: [] as number[] };
    for (let turn = 0; turn < TURNS; turn++, first += UNTIMED + CHANGES) {
      times.netlink.push(...(await takeTurn(netlink, first, pauseMs)));
      times.bareNft.push(...(await takeTurn(bareNft, first, pauseMs)));
    }
    figures.push({ pauseMs, netlink: summary(times.netlink), bareNft: summary(times.bareNft) });
  }
  socket.close();
  await bare.close();
  console.log(JSON.stringify(figures));
}

async function takeTurn(way: Way, first: number, pauseMs: number): Promise<number[]> {
  const times: number[] = [];
  for (let number = first; number < first + UNTIMED + CHANGES; number++) {
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
    times.push(await way(number));
  }
  return times.slice(UNTIMED);
}

function summary(times: readonly number[]): { readonly p50: number; readonly p99: number } {
  return { p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

const [own = "", other = "", nft = "nft"] = process.argv.slice(2);
await main(own, other, nft);
