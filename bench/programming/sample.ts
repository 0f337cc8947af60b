// What is kept of one change, and of all changes of one run.

import type { ChangeKind } from "./changes.ts";
import type { Run } from "./choices.ts";
import type { CpuTime } from "./cpu-time.ts";
import type { Stages } from "./stopwatch.ts";

/** Milliseconds. */
export interface Sample {
  readonly kind: ChangeKind;
  readonly stages: Stages;
  /** From the API server's write to the bytes' arrival. */
  readonly travelMs: number;
  /** From before it was sent until some milliseconds after the commit; undefined: one of the agent's nft ended meanwhile. */
  readonly cpu: CpuTime | undefined;
  /** What the agent made of it until the commit: two where new chains or sets are to be whole before anything leads to them. */
  readonly transactions: number;
  /** After the commit. */
  readonly cleanUps: number;
  /** Added and deleted. */
  readonly elements: number;
  /** Making the text of what was written until the commit. */
  readonly textMs: number;
  /** The same text through a bare `nft -i`, or through a child of its own. */
  readonly bareMs: number | undefined;
  readonly childMs: number | undefined;
}

export interface RunResult extends Run {
  /** As the agent names its writer. */
  readonly writerName: string;
  readonly table: { readonly sets: number; readonly elements: number; readonly chains: number; readonly rules: number };
  readonly firstSyncMs: number;
  /** The whole table through the bare `nft -i`. */
  readonly bareTableMs: number;
  /** The whole table, listed by nft and read. */
  readonly readBackMs: number;
  /** The whole program compiled anew, compared with the old one, and the difference as text: what a change would cost otherwise. */
  readonly compileAnewMs: number;
  readonly samples: readonly Sample[];
  /** What the same time takes without a change. */
  readonly idleCpu: readonly CpuTime[];
}
