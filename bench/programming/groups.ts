// Kinds of changes that are one for the reader: what a target, a plot or a line about stages is about.

import type { ChangeKind } from "./changes.ts";

export interface Group {
  readonly name: string;
  readonly kinds: readonly ChangeKind[];
}

export const REMOTE_POD: Group = {
  name: "remote pod",
  kinds: ["remote pod added", "remote pod relabelled", "remote pod removed"],
};
export const LOCAL_POD: Group = {
  name: "local pod",
  kinds: ["local pod added", "local pod relabelled", "local pod removed"],
};
export const NAMESPACE: Group = { name: "namespace of 1,000 pods", kinds: ["namespace of 1,000 pods relabelled"] };
export const POLICY: Group = { name: "policy", kinds: ["policy added", "policy changed", "policy removed"] };
export const WIDE_POLICY: Group = {
  name: "policy with many peers",
  kinds: ["policy with many peers added", "policy with many peers changed", "policy with many peers removed"],
};
