// Options of the verb `lab` that one of its actions has no use for: refused, so that nobody believes they did something.

import { parseFlags } from "../command-spec.ts";
import { COMMANDS } from "../command-table.ts";
import { CommandError, type OptionValues } from "../verb.ts";

const DEMO = "the demo has its own shop, nodes and questions; nftpol lab run has these options";

/** By their long names; what an action refuses by itself, with more to say, is not here. */
const UNUSED: Readonly<Record<string, { readonly options: readonly string[]; readonly hint: string }>> = {
  demo: {
    options: [
      ...["recursive", "port", "ip", "family", "namespace", "nodes", "topology", "dual-stack", "expect", "by-pod"],
      ...["pod-to-own-node", "service-proxy", "unknown-local-pods", "backend", "iptables-variant"],
    ],
    hint: DEMO,
  },
  shell: { options: ["family", "by-pod"], hint: "nftpol lab run has it" },
};

/** Throws CommandError for the first one that was given; its default counts as not given. */
export function refuseUnusedOptions(action: string, options: OptionValues): void {
  const unused = UNUSED[action];
  const spec = COMMANDS.find(({ name }) => name === "lab");
  if (unused === undefined || spec === undefined) return;
  for (const option of spec.options) {
    const long = parseFlags(option.flags).long.slice(2);
    const value = options[long.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase())];
    if (!unused.options.includes(long) || value === undefined || value === option.default) continue;
    throw new CommandError(2, `lab ${action} has no --${long}`, unused.hint);
  }
}
