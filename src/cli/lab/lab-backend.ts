// What the agents of a lab write: of `--backend` and `--iptables-variant`.

import { readXtablesVersion } from "../../backends/iptables/io/xtables-programs.ts";
import type { LabBackend } from "../../lab/node-rules-difference.ts";
import { CommandError, type OptionValues, textOption } from "../verb.ts";
import { isInstalled, refuseWithout } from "./surroundings.ts";

/**
 * A lab's namespaces have no other software: `auto` is nft where it is installed, and of iptables the variant that the program iptables
 * is. Throws CommandError where what is asked for is not installed.
 */
export async function labBackend(options: OptionValues): Promise<LabBackend> {
  const backend = textOption(options, "backend");
  const variant = textOption(options, "iptablesVariant");
  const takesNft =
    backend === "nft" || (backend === "auto" && variant === "auto" && (isInstalled("nft") || !isInstalled("iptables")));
  if (takesNft && variant !== "auto")
    throw new CommandError(2, "--iptables-variant means nothing with --backend=nft", "leave one of the two out");
  refuseWithout(takesNft ? "nft" : "ipset");
  if (takesNft) return { name: "nft" };
  if (variant === "nft" || variant === "legacy") {
    refuseWithout(`iptables-${variant}`);
    return { name: "iptables", variant };
  }
  refuseWithout("iptables");
  return { name: "iptables", variant: (await readXtablesVersion("iptables"))?.variant ?? "legacy" };
}
