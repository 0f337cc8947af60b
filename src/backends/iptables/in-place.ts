// Which changes of elements may be made in the sets that packets are looked up in, and in which order. Decides only.
//
// ipset has no transactions: between two changes packets meet the first without the second. That is done only where every packet
// finds, at each moment, the verdict from before or the one from after; else the caller makes the sets anew and changes the rules
// that look them up, which is one step (docs/data-plane.md, "Changes with iptables", has the argument).

import type { ElementsChange } from "./stages.ts";

/** Elements of one set that come and go. */
export interface SetChange {
  readonly set: string;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly meaning: SetMeaning;
}

export type SetMeaning =
  /** Peers that rules allow: an element more opens. */
  | { readonly kind: "allow" }
  /** Peers that rules deny: an element more closes. */
  | { readonly kind: "deny" }
  /** Peers of several kinds of rules, or that are passed on. */
  | { readonly kind: "unclear" }
  /** Strict start: an address that is known is open as far as policies go. */
  | { readonly kind: "known" }
  /** Addresses that any class judges: their TCP in mid-connection is closed. */
  | { readonly kind: "isolated" }
  /** The way to the class of an address. `last`: it alone decides whether the address is judged, and is added last and removed first. */
  | { readonly kind: "dispatch"; readonly group: string; readonly last: boolean };

/** The steps, each a stage of its own; undefined: not in place. `isLocal`: whether the address is judged, before or after. */
export function inPlace(
  changes: readonly SetChange[],
  isLocal: (address: string) => boolean,
): readonly (readonly ElementsChange[])[] | undefined {
  if (changes.some(({ meaning }) => meaning.kind === "unclear") || hasMoves(changes)) return undefined;
  const opening = stepsOf(changes, "opens");
  const closing = stepsOf(changes, "closes");
  if (opening.length === 0 || closing.length === 0) return [[...closing, ...opening]];
  if (onlyRemotePeers(changes, "allow", isLocal)) return [opening, closing];
  if (onlyRemotePeers(changes, "deny", isLocal)) return [closing, opening];
  return isOnePod(changes) ? [closing, opening] : undefined;
}

type Effect = "opens" | "closes";

function effectOfAdding({ kind }: SetMeaning): Effect {
  return kind === "allow" || kind === "known" ? "opens" : "closes";
}

function stepsOf(changes: readonly SetChange[], effect: Effect): ElementsChange[] {
  const steps: { readonly step: ElementsChange; readonly rank: number }[] = [];
  for (const { set, added, removed, meaning } of changes) {
    const action = effectOfAdding(meaning) === effect ? "add" : "del";
    const elements = action === "add" ? added : removed;
    if (elements.length === 0) continue;
    const isLast = meaning.kind === "dispatch" && meaning.last;
    steps.push({ step: { set, action, elements }, rank: (action === "add") === isLast ? 1 : 0 });
  }
  return steps.sort((a, b) => a.rank - b.rank).map(({ step }) => step);
}

/** An address that goes from one class to another changes several sets, of which each is wrong for a moment. */
function hasMoves(changes: readonly SetChange[]): boolean {
  const judged = new Map<string, SetChange>();
  for (const change of changes)
    if (change.meaning.kind === "dispatch" && change.meaning.last) judged.set(change.meaning.group, change);
  return changes.some(({ meaning, added, removed }) => {
    if (meaning.kind !== "dispatch" || meaning.last) return false;
    const root = judged.get(meaning.group);
    const comes = new Set(root?.added);
    const goes = new Set(root?.removed);
    return added.some((address) => !comes.has(address)) || removed.some((address) => !goes.has(address));
  });
}

/**
 * Then each packet is judged in one direction by something that changes, and its rules ask "is it in any of these": with both the
 * old elements and the new ones a packet is matched exactly if it was before or will be.
 */
function onlyRemotePeers(
  changes: readonly SetChange[],
  kind: "allow" | "deny",
  isLocal: (address: string) => boolean,
): boolean {
  return changes.every(
    ({ meaning, added, removed }) =>
      meaning.kind === kind && ![...added, ...removed].some((element) => isLocal(addressOf(element))),
  );
}

/**
 * One address comes, with all that concerns it, or goes: nothing of it is exchanged for something else. What it sends to itself through a
 * service may be dropped in between by an Admin policy that allows it to itself: nobody else's packets meet both changes.
 */
function isOnePod(changes: readonly SetChange[]): boolean {
  const addresses = new Set(changes.flatMap(({ added, removed }) => [...added, ...removed].map(addressOf)));
  const comes = changes.every(({ removed }) => removed.length === 0);
  const goes = changes.every(({ added }) => added.length === 0);
  const isPlain = changes.every(({ meaning }) => meaning.kind !== "deny");
  return addresses.size === 1 && isPlain && (comes || goes);
}

function addressOf(element: string): string {
  const comma = element.indexOf(",");
  return comma < 0 ? element : element.slice(0, comma);
}
