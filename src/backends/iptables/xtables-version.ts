// What `iptables --version` says: the version, and which of the two variants the program is.

/** `nft`: rules of iptables kept as nftables; `legacy`: in the kernel's own iptables. */
export type Variant = "nft" | "legacy";
export const VARIANTS: readonly Variant[] = ["nft", "legacy"];

export interface XtablesVersion {
  /** `iptables v1.8.9 (nf_tables)`. */
  readonly text: string;
  readonly variant: Variant;
  /** Its restore can wait for the lock that programs of iptables-legacy take (`-w`); older ones do not even take it. */
  readonly restoreWaits: boolean;
  /** Before 1.8.4 the variant nft has bugs for which kubernetes-sigs/iptables-wrappers refuses it. */
  readonly isImmature: boolean;
}

/** undefined: this is no iptables. The variant is named since 1.8; before there was but one. */
export function parseXtablesVersion(output: string): XtablesVersion | undefined {
  const [text, digits = "", variant] =
    /^ip6?tables\S* v(\d+(?:\.\d+)*)(?: \((nf_tables|legacy)\))?/m.exec(output) ?? [];
  if (text === undefined) return undefined;
  const numbers = digits.split(".").map(Number);
  return {
    text,
    variant: variant === "nf_tables" ? "nft" : "legacy",
    restoreWaits: !isOlder(numbers, FIRST_WITH_WAIT),
    isImmature: variant === "nf_tables" && isOlder(numbers, FIRST_MATURE_NFT),
  };
}

const FIRST_WITH_WAIT = [1, 6, 2];
const FIRST_MATURE_NFT = [1, 8, 4];

function isOlder(version: readonly number[], than: readonly number[]): boolean {
  for (const [index, part] of than.entries()) {
    const own = version[index] ?? 0;
    if (own !== part) return own < part;
  }
  return false;
}
