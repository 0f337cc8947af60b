// What the agent asks of a data plane: bring the kernel to the program and keep it there. One node, one table.
// Owns the contract only; nft's side of it is `nft/nft-backend.ts`.

import type { NodeProgram, ProgramDelta } from "../program/program.ts";

/**
 * All but `dropped`, `changedByOthers` and `size` must not overlap: await one before the next; overlapping throws. None of them touches
 * anything but our own table.
 */
export interface Backend {
  /** Whether this node can enforce, and with what. Throws BackendError (its hint says what to do) where it cannot. */
  probe(): Promise<BackendFacts>;

  /**
   * The first call after `probe`, and again as long as it failed: makes the kernel equal to the program, in one transaction, by
   * the difference to what is there (a table of an earlier run is adopted: what did not change is not touched). The program
   * is read before the first await.
   * Throws BackendError; the kernel is then as before, and the next `install` or `apply` tries again.
   */
  install(program: NodeProgram): Promise<Applied>;

  /**
   * Takes the delta into the desired state (before the first await: live sets may move on then) and brings the kernel there, in
   * one transaction. Throws BackendError when that failed: the kernel then has the rules from before, whole; the desired state
   * stays advanced, and the next `apply` (an empty delta will do) repairs: it reads the kernel back and applies the
   * difference, or, if that is refused too, replaces the whole table in one transaction. After "broken" it is not known whether the kernel has the old rules or the new ones; it never has
   * a part of them. Cost: proportional to the delta, unless it repairs.
   */
  apply(delta: ProgramDelta): Promise<Applied>;

  /**
   * Reads the kernel back, and repairs in one transaction what is not as desired. Throws BackendError, RepairError where the repair
   * failed; the next `apply` then repairs.
   * Cost: the whole table.
   */
  verify(): Promise<Drift>;

  /**
   * Whether somebody else has changed our table since the last call, as far as it is noticed: true is a reason to verify, false
   * proves nothing. Cost: a microsecond.
   */
  changedByOthers(): boolean;

  /**
   * Packets dropped since the counters were made (a replaced table has new ones); undefined: our table is not there, or not ours any
   * more, a reason to verify. Throws BackendError.
   */
  dropped(): Promise<DropCounts | undefined>;

  /** Rules and set elements that the kernel should hold now; all 0 before the first `install`. */
  size(): ProgramSize;

  /** Removes our table and nothing else; false where there was none. Throws BackendError. */
  cleanUp(): Promise<boolean>;

  /** Ends helper processes. Rules stay. */
  close(): Promise<void>;
}

export interface BackendFacts {
  /** `nftables v1.1.3 (Commodore Bullmoose #4)`. */
  readonly version: string;
  /** How transactions get to the kernel: `nft -i`, `nft -f`. */
  readonly writer: string;
  /** What works, but less well than it could; each a sentence. */
  readonly warnings: readonly string[];
}

export interface Applied {
  /**
   * `unchanged`: there was nothing to do. `adopted` (perhaps without any operation), `repaired`: by difference to what was read
   * back. `created`, `replaced`: the whole table, where there was none or another.
   */
  readonly how: "unchanged" | "delta" | "adopted" | "repaired" | "created" | "replaced";
  readonly operations: number;
  /** Set elements that these add and delete. */
  readonly elements: number;
  /** With `replaced`: why the difference, which was tried first, was refused; undefined: it was not tried. */
  readonly refusal?: BackendError | undefined;
}

export interface Drift {
  /** What in our table was not as desired, a sentence each: `set pods_… lacks 2 elements`; empty: none. */
  readonly differences: readonly string[];
  /** What was done about it; undefined: nothing differed. */
  readonly repair: Applied | undefined;
}

/** Packets, by why they were dropped. */
export interface DropCounts {
  readonly ingress: number;
  readonly egress: number;
  /** TCP in the middle of a connection that is not known (any more). */
  readonly midstream: number;
  /** From or to an address in this node's pod CIDRs that no known pod has; 0 with `unknownLocalPods: "allow"`. */
  readonly unknown: number;
}

export interface ProgramSize {
  readonly sets: number;
  readonly elements: number;
  readonly chains: number;
  readonly rules: number;
}

export type BackendErrorKind =
  /** The program (nft) is missing. */
  | "not-installed"
  /** CAP_NET_ADMIN is missing. */
  | "not-permitted"
  /** Kernel or program lack what we need. */
  | "unsupported"
  /** The transaction was refused: nothing that packets meet has changed. */
  | "refused"
  /** The program died, hung or talked nonsense: whether the transaction was applied is not known. */
  | "broken";

/** The one error of the boundary to the kernel. The message is one sentence for people; `hint` says what to do. */
export class BackendError extends Error {
  readonly kind: BackendErrorKind;
  readonly hint: string | undefined;
  /** What the program printed, for the log. */
  readonly output: string;

  constructor(
    kind: BackendErrorKind,
    message: string,
    details: { hint?: string | undefined; output?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause });
    this.name = "BackendError";
    this.kind = kind;
    this.hint = details.hint;
    this.output = details.output ?? "";
  }
}

/** Our table was not as desired, and the repair failed (`cause`). */
export class RepairError extends BackendError {
  /** As in `Drift`. */
  readonly differences: readonly string[];

  constructor(differences: readonly string[], cause: BackendError) {
    const { kind, message, hint, output } = cause;
    super(kind, `somebody changed our table, and the repair failed: ${message}`, { hint, output, cause });
    this.name = "RepairError";
    this.differences = differences;
  }
}
