// Which of the policies that select a pod make its classes: those that have a say, where any of them can deny something.

import { ANY, comparePolicies, type Direction, type Policy, TIERS } from "../model/policy.ts";
import type { ProgramOptions } from "../program/program.ts";

/** In the order in which they are asked. */
export function orderPolicies<T extends { readonly policy: Policy }>(selecting: readonly T[]): T[] {
  return [...selecting].sort(
    ({ policy: a }, { policy: b }) => TIERS.indexOf(a.tier) - TIERS.indexOf(b.tier) || comparePolicies(a, b),
  );
}

/** What judges a pod in one direction; empty where nothing can be denied. `selecting` in order; so is the answer. */
export function judgingIn<T extends { readonly policy: Policy }>(
  selecting: readonly T[],
  direction: Direction,
): readonly T[] {
  const judging = reachable(selecting.filter(({ policy }) => judges(policy, direction)));
  return judging.some(({ policy }) => denies(policy, direction)) ? judging : [];
}

/**
 * What judges the packets of a pod to its own node. NetworkPolicy never blocks these unless that is asked for, and where it isolates the
 * pod, that is its final word: the Baseline tier is not asked.
 */
export function judgingTowardsOwnNode<T extends { readonly policy: Policy }>(
  selecting: readonly T[],
  { podToOwnNode }: Pick<ProgramOptions, "podToOwnNode">,
): readonly T[] {
  const judging = reachable(selecting.filter(({ policy }) => judges(policy, "egress")));
  const asked = podToOwnNode === "enforce" ? judging : judging.filter(({ policy }) => policy.tier !== "namespace");
  return asked.some(({ policy }) => deniesNodes(policy)) ? asked : [];
}

function judges(policy: Policy, direction: Direction): boolean {
  return policy.tier === "namespace" ? policy.isolates[direction] : policy.rules[direction].length > 0;
}

/** Behind the namespace tier nothing is asked. */
function reachable<T extends { readonly policy: Policy }>(judging: readonly T[]): readonly T[] {
  const isolated = judging.some(({ policy }) => policy.tier === "namespace");
  return isolated ? judging.filter(({ policy }) => policy.tier !== "baseline") : judging;
}

function denies(policy: Policy, direction: Direction): boolean {
  if (policy.tier === "namespace") return policy.isolates[direction];
  return policy.rules[direction].some(({ action }) => action === "deny");
}

/** Whether it can deny an address that is no pod's: peers that are pods never match a node. */
function deniesNodes(policy: Policy): boolean {
  if (policy.tier === "namespace") return true;
  return policy.rules.egress.some(
    ({ action, peers }) => action === "deny" && (peers === ANY || peers.some(({ kind }) => kind !== "pods")),
  );
}
