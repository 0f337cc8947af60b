// The way to a pod's chain by the node's end of its link, in Calico's shape (calico.ts has the facts). Owns names of links, the tree
// for iptables, and the map for nft.

import { type Address, addressFamily } from "../../../src/net/address.ts";
import type { Ends } from "../variant.ts";
import { HASHED } from "./calico-policies.ts";
import { DROP, goto, type LinkMap, type Match, type PeerRule, rule } from "./peer-ruleset.ts";

type End = "client" | "server";

/** Names of the node's links to the two ends. */
export type EndLinks = Readonly<Record<End, string>>;

export interface PodLink {
  /** Among the links: chains are named by it, not by the link, so that they have one name in every node. */
  readonly index: number;
  readonly address: Address;
  readonly name: string;
  /** The beginning of its name that it shares with the others of its bin. */
  readonly stem: string;
}

export interface Dispatch {
  readonly chains: ReadonlyMap<string, readonly PeerRule[]>;
  readonly maps: readonly LinkMap[];
}

/** All links of pods begin so: the two ends' as the lab names them. */
export const LINK_PREFIX = "pod";

/** The engine's links have names of random hexadecimal digits. */
const BINS = 16;
const BIN_OF: Readonly<Record<End, number>> = { client: 7, server: 8 };

/**
 * In the order of their rules. Pods that are only addresses have links that there are not, evenly spread over the bins. The two ends
 * have the average way: each is in the middle of a bin in the middle.
 */
export function podLinks(localPods: readonly Address[], ends: Ends, links: EndLinks): PodLink[] {
  const family = addressFamily(ends.server);
  const others = localPods.filter((pod) => pod !== ends.client && pod !== ends.server && addressFamily(pod) === family);
  return Array.from({ length: BINS }, (_, bin) => {
    const own = others.filter((_, index) => index % BINS === bin);
    const end = (["client", "server"] as const).find((each) => BIN_OF[each] === bin);
    const stem = end === undefined ? `${LINK_PREFIX}x${bin.toString(16)}` : links[end];
    const made = own.map((address, index) => ({ address, name: `${stem}x${index}`, stem }));
    return end === undefined ? made : made.toSpliced(own.length >> 1, 0, { address: ends[end], name: stem, stem });
  })
    .flat()
    .map((link, index) => ({ index, ...link }));
}

const UNKNOWN_LINK = rule([], DROP, { comments: HASHED.comments + 1 });

/** `chainOf`: where a pod's packets go. */
export function dispatchByTree(
  way: "in" | "out",
  name: string,
  pods: readonly PodLink[],
  chainOf: (pod: PodLink) => string,
): Dispatch {
  const toPod = (pod: PodLink) => rule([linkMatch(way, pod.name, false)], goto(chainOf(pod)), HASHED);
  const chains = new Map<string, readonly PeerRule[]>();
  const bins = [...Map.groupBy(pods, ({ stem }) => stem)].map(([stem, members], bin) => {
    const [only] = members;
    if (members.length === 1 && only !== undefined) return toPod(only);
    const chain = `${name}-${bin.toString(16)}`;
    chains.set(chain, [...members.map(toPod), UNKNOWN_LINK]);
    return rule([linkMatch(way, stem, true)], goto(chain), HASHED);
  });
  return { chains: chains.set(name, [...bins, UNKNOWN_LINK]), maps: [] };
}

export function dispatchByMap(
  way: "in" | "out",
  name: string,
  pods: readonly PodLink[],
  chainOf: (pod: PodLink) => string,
): Dispatch {
  const map = { name, chains: new Map(pods.map((pod) => [pod.name, chainOf(pod)])) };
  const ask = rule([], { kind: "goto by link", way, map: name }, { isCounted: false });
  return { chains: new Map([[name, [ask, UNKNOWN_LINK]]]), maps: [map] };
}

function linkMatch(way: "in" | "out", name: string, isPrefix: boolean): Match {
  return { kind: "link", way, name, isPrefix };
}
