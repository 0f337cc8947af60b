// Which variant of iptables other software on this node uses: the decision, from what was seen. `io/choose-variant.ts` looks.

import { PREFIX } from "./names.ts";
import { VARIANTS, type Variant } from "./xtables-version.ts";

/** What a variant holds, of both families. */
export interface HeldRules {
  /** Rules of other software, in all tables. */
  readonly foreignRules: number;
  /** A chain by which kubelet shows which variant it uses; undefined: there is none. */
  readonly kubeletChain: string | undefined;
  /** Whether chains of ours are there. */
  readonly hasOurs: boolean;
}

export const NO_RULES: HeldRules = { foreignRules: 0, kubeletChain: undefined, hasOurs: false };

/** Reads what iptables-save wrote of all tables of one family. */
export function heldRules(saved: string): HeldRules {
  let table = "";
  let foreignRules = 0;
  let kubeletChain: string | undefined;
  let hasOurs = false;
  for (const line of saved.split("\n")) {
    if (line.startsWith("*")) table = line.slice(1);
    else if (line.startsWith(`:${PREFIX}`)) hasOurs = true;
    else if (line.startsWith(":") && table === "mangle") kubeletChain ??= KUBELET_CHAIN.exec(line)?.[1];
    else if (line.startsWith("-A ") && !OUR_RULE.test(line)) foreignRules += 1;
  }
  return { foreignRules, kubeletChain, hasOurs };
}

/** In a chain of ours, or our jump to one. */
const OUR_RULE = new RegExp(`^-A (?:${PREFIX}|.* -[jg] ${PREFIX})`);

/**
 * Made by kubelet with the node's own iptables (kubernetes, pkg/kubelet/kubelet_network_linux.go): the first since 1.24, so that others
 * see which variant it is, the second since 1.17. kubernetes-sigs/iptables-wrappers, which decides for kube-proxy in its image, looks
 * for the same two, in nft first.
 */
const KUBELET_CHAIN = /^:(KUBE-IPTABLES-HINT|KUBE-KUBELET-CANARY) /;

export function united(families: readonly HeldRules[]): HeldRules {
  return {
    foreignRules: families.reduce((sum, { foreignRules }) => sum + foreignRules, 0),
    kubeletChain: families.find(({ kubeletChain }) => kubeletChain !== undefined)?.kubeletChain,
    hasOurs: families.some(({ hasOurs }) => hasOurs),
  };
}

export interface SeenVariants {
  /** What the variants that can be used here hold; undefined: program or kernel lack it. */
  readonly held: Readonly<Record<Variant, HeldRules | undefined>>;
  /** What the plain `iptables` is; undefined: there is none. */
  readonly plain: Variant | undefined;
}

export interface VariantDecision {
  readonly variant: Variant;
  /** `kubelet uses it (chain KUBE-IPTABLES-HINT)`. */
  readonly reason: string;
  readonly warnings: readonly string[];
}

/**
 * Packets pass both variants, legacy first: our rules stand before those of other software only in one and the same. So we use the one
 * that is in use. In this order: the wish; kubelet's chains, as iptables-wrappers has it; the one with more rules of other software,
 * as iptables-wrappers had it before 3.0; what plain `iptables` is; nft, which is all that iptables-wrappers has at the end.
 * undefined: neither can be used, or not the one that is wished.
 */
export function decideVariant(wish: Variant | undefined, { held, plain }: SeenVariants): VariantDecision | undefined {
  const usable = VARIANTS.filter((variant) => held[variant] !== undefined);
  const chosen = choose(wish, usable, held, plain);
  return chosen === undefined ? undefined : { ...chosen, warnings: mixed(chosen.variant, held) };
}

function choose(
  wish: Variant | undefined,
  usable: readonly Variant[],
  held: SeenVariants["held"],
  plain: Variant | undefined,
): Pick<VariantDecision, "variant" | "reason"> | undefined {
  if (wish !== undefined) return usable.includes(wish) ? { variant: wish, reason: "it was asked for" } : undefined;
  const kubelets = usable.find((variant) => held[variant]?.kubeletChain !== undefined);
  if (kubelets !== undefined)
    return { variant: kubelets, reason: `kubelet uses it (chain ${held[kubelets]?.kubeletChain})` };
  const rules = (variant: Variant) => held[variant]?.foreignRules ?? 0;
  const [more, less] = rules("legacy") > rules("nft") ? (["legacy", "nft"] as const) : (["nft", "legacy"] as const);
  if (rules(more) > rules(less))
    return { variant: more, reason: `other software has ${rules(more)} rules there, and ${rules(less)} in ${less}` };
  if (plain !== undefined && usable.includes(plain)) return { variant: plain, reason: "the program iptables is of it" };
  const [only] = usable;
  return only === undefined
    ? undefined
    : { variant: only, reason: usable.length > 1 ? "it is the newer one" : "there is no other" };
}

function mixed(chosen: Variant, held: SeenVariants["held"]): readonly string[] {
  const count = (variant: Variant) => `${variant}: ${held[variant]?.foreignRules}`;
  if (VARIANTS.some((variant) => (held[variant]?.foreignRules ?? 0) === 0)) return [];
  return [
    `both variants of iptables hold rules of other software on this node (${VARIANTS.map(count).join(", ")}): packets pass both, nftpol uses ${chosen} alone`,
  ];
}
