// Our rules and sets, where they take effect: what the backend asks of the kernel. Two implementations: `io/iptables-kernel-rules.ts`
// (the programs) and `memory-kernel-rules.ts` (tests and dry runs).

import type { BackendFacts } from "../backend.ts";
import type { DropReason } from "./names.ts";
import type { FoundRules } from "./read-back.ts";
import type { Stage } from "./stages.ts";

/** All throw BackendError. `read`, `write` and `remove` must not overlap. */
export interface KernelRules {
  /** Whether this kernel and these programs can hold our rules. Leaves nothing behind. */
  probe(): Promise<BackendFacts>;

  /** Cost: everything in the table `filter` and all sets of the node. */
  read(): Promise<FoundRules>;

  /**
   * In order. "refused": nothing that packets meet has changed; "broken": some stages are done, or it is not known. Sets that could
   * not be destroyed, now or before, are no failure: they are returned, and their names are taken.
   */
  write(stages: readonly Stage[]): Promise<readonly string[]>;

  /** Packets dropped, by reason, of both families; undefined: our chains are not there. */
  dropped(): Promise<ReadonlyMap<DropReason, number> | undefined>;

  /** Removes all that is ours; false where there was nothing. */
  remove(): Promise<boolean>;

  /** Whether somebody else has changed what is ours since the last call, as far as it is noticed: false proves nothing. At any time. */
  changedByOthers(): boolean;

  /** Ends what watches. Rules stay. */
  close(): Promise<void>;
}
