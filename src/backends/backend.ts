// What the agent asks of a data plane: bring the kernel to the program and keep it there, for one node.
// Owns the contract only; its sides are `nft/nft-backend.ts` and `iptables/iptables-backend.ts`.

import type { NodeProgram, ProgramDelta } from "../program/program.ts";

/**
 * "Our rules" are all that is ours in the kernel: a table of nft, or chains and sets of iptables.
 *
 * How whole a change is depends on the backend. With nft packets meet the old rules or the new ones. With iptables each packet gets the
 * verdict of one of the two, but there is no moment in which all rules change: first those of IPv4 do, then those of IPv6, of each
 * family in one step; and elements of sets that change in place do so one after the other (`iptables/in-place.ts` says when, and names
 * the one exception). So after "broken" one family may have new rules and the other old ones, and some of those elements may have
 * changed. Sets that nothing looks up are left behind for a while: new ones of a change that failed, and old ones that the kernel does
 * not let go. The next difference takes them away.
 *
 * All but `dropped`, `changedByOthers` and `size` must not overlap: await one before the next; overlapping throws. None of them touches
 * anything but our rules.
 */
export interface Backend {
  /** Whether this node can enforce, and with what. Throws BackendError (its hint says what to do) where it cannot. */
  probe(): Promise<BackendFacts>;

  /**
   * The first call after `probe`, and again as long as it failed: makes our rules equal to the program, by the difference to what is
   * there (rules of an earlier run are adopted: what did not change is not touched). The program is read before the first await.
   * Throws BackendError; the next `install` or `apply` tries again.
   */
  install(program: NodeProgram): Promise<Applied>;

  /**
   * Takes the delta into the desired state (before the first await: live sets may move on then) and brings the kernel there. Throws
   * BackendError when that failed. The desired state stays advanced, and the next `apply` (an empty delta will do) repairs: it reads the
   * kernel back and applies the difference, or, if that is refused too, makes all our rules anew. "refused": packets meet the rules from
   * before. "broken": it is not known whether they meet the old ones or the new ones, and they meet nothing else.
   * `onInForce` is called when packets meet the new rules, if that is before everything is done: what nothing leads to any more may be taken
   * away after it. Should that fail, the call throws all the same, "broken".
   * Cost: proportional to the delta, unless it repairs.
   */
  apply(delta: ProgramDelta, onInForce?: () => void): Promise<Applied>;

  /**
   * Reads the kernel back, and repairs what is not as desired. Throws BackendError, RepairError where the repair failed; the next
   * `apply` then repairs.
   * Cost: all our rules.
   */
  verify(): Promise<Drift>;

  /**
   * Whether somebody else has changed our rules since the last call, as far as it is noticed: true is a reason to verify, false
   * proves nothing. iptables notices only what happens to the jumps to our chains, some time later. Cost: a microsecond.
   */
  changedByOthers(): boolean;

  /**
   * Packets dropped since the counters were made (replaced rules have new ones); undefined: our rules are not there, or not ours any
   * more, a reason to verify. Throws BackendError.
   */
  dropped(): Promise<DropCounts | undefined>;

  /** Rules and set elements that the kernel should hold now; all 0 before the first `install`. */
  size(): ProgramSize;

  /** Removes our rules and nothing else; false where there were none. Throws BackendError. */
  cleanUp(): Promise<boolean>;

  /** Ends helper processes. Rules stay. */
  close(): Promise<void>;
}

export interface BackendFacts {
  /** `nftables v1.1.3 (Commodore Bullmoose #4)`. */
  readonly version: string;
  /** How transactions get to the kernel: `netlink, nft -i`, `nft -f`. */
  readonly writer: string;
  /** What works, but less well than it could; each a sentence. */
  readonly warnings: readonly string[];
}

export interface Applied {
  /**
   * `unchanged`: there was nothing to do. `adopted` (perhaps without any operation), `repaired`: by difference to what was read
   * back. `created`, `replaced`: all our rules, where there were none or others.
   */
  readonly how: "unchanged" | "delta" | "adopted" | "repaired" | "created" | "replaced";
  readonly operations: number;
  /** Set elements that these add and delete. */
  readonly elements: number;
  /** With `replaced`: why the difference, which was tried first, was refused; undefined: it was not tried. */
  readonly refusal?: BackendError | undefined;
}

export interface Drift {
  /** What of our rules was not as desired, a sentence each: `set pods_… lacks 2 elements`; empty: none. */
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
  /** The program (nft, iptables, ipset) is missing. */
  | "not-installed"
  /** CAP_NET_ADMIN is missing. */
  | "not-permitted"
  /** Kernel or program lack what we need. */
  | "unsupported"
  /** The change was refused: nothing that packets meet has changed. */
  | "refused"
  /** The program died, hung or talked nonsense, or only a part of the change was refused: what was applied is not known. */
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

/** Our rules were not as desired, and the repair failed (`cause`). */
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
