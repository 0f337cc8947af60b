// Transactions that change elements of sets and nothing else, in the kernel's own form. By far the most: a pod that comes, goes or is
// relabelled. Owns which transactions these are; who carries them to the kernel is asked through `ElementSocket`.

import { type PackedKeys, packKeys } from "./element-bytes.ts";
import type { Verdict } from "./ruleset.ts";
import type { Operation, Transaction } from "./transaction.ts";

export interface ElementChange extends PackedKeys {
  readonly kind: "add" | "delete";
  readonly set: string;
  /** Of elements that are added to a map, one for each. */
  readonly verdicts: readonly Verdict[] | undefined;
}

/** Element changes without nft: `src/netlink/set-elements.ts`. */
export interface ElementSocket {
  /** Whether the kernel takes element changes from here; undefined: it does, else why not. Changes nothing. */
  refusal(): Promise<string | undefined>;

  /** One atomic batch for sets of the inet table of that name, in order. Calls must not overlap. Never rejects but for bugs. */
  write(table: string, changes: readonly ElementChange[]): Promise<ElementAnswer>;

  close(): void;
}

export type ElementAnswer =
  /** In force. */
  | { readonly kind: "written" }
  /** The kernel has not seen it: some other way may be taken. */
  | { readonly kind: "not-sent"; readonly reason: string }
  /** Nothing of it was applied. */
  | {
      readonly kind: "refused";
      readonly reason: string;
      /** `EPERM`; undefined: the kernel gave no number. */
      readonly code: string | undefined;
      readonly set: string | undefined;
    }
  /** It is not known what the kernel did. */
  | { readonly kind: "unknown"; readonly reason: string };

/** In the order of the operations; undefined: there is something among them that is nft's to say. */
export function elementChanges({ operations }: Transaction): readonly ElementChange[] | undefined {
  const changes: ElementChange[] = [];
  for (const operation of operations) {
    const change = changeOf(operation);
    if (change === undefined) return undefined;
    changes.push(change);
  }
  return changes;
}

function changeOf(operation: Operation): ElementChange | undefined {
  if (operation.kind === "delete-elements") {
    const { set, key, elements } = operation;
    const packed = packKeys(key, elements);
    return packed && { kind: "delete", set, ...packed, verdicts: undefined };
  }
  if (operation.kind !== "add-elements") return undefined;
  const { set, key, elements } = operation;
  const packed = packKeys(
    key,
    elements.map((element) => element.key),
  );
  const verdicts = elements.flatMap(({ verdict }) => verdict ?? []);
  if (verdicts.length === 0) return packed && { kind: "add", set, ...packed, verdicts: undefined };
  if (verdicts.length !== elements.length) throw new Error(`some elements of ${set} have a verdict, and others none`);
  return packed && { kind: "add", set, ...packed, verdicts };
}
