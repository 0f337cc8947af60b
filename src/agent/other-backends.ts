// Rules of an earlier run with another backend (or the other variant of iptables) would go on judging, by policies of then. They are
// removed as soon as the new ones are in force, not before: in between both judge, and what either denies is denied.

import type { Applied, Backend } from "../backends/backend.ts";
import { BackendError } from "../backends/backend.ts";
import { IptablesKernelRules } from "../backends/iptables/io/iptables-kernel-rules.ts";
import type { Variant } from "../backends/iptables/xtables-version.ts";
import { NftKernelTable } from "../backends/nft/io/nft-kernel-table.ts";
import { DEFAULT_NFT } from "../backends/nft/io/nft-process.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../program/program.ts";
import type { Log } from "./log.ts";
import type { OpenedBackend } from "./open-backend.ts";

/** The backend, which after its first install calls `removeOthers` once. What that says is not the install's. */
export function replacingOthers(backend: Backend, removeOthers: () => Promise<void>): Backend {
  let isFirst = true;
  return {
    probe: () => backend.probe(),
    install: async (program): Promise<Applied> => {
      const applied = await backend.install(program);
      if (isFirst) await removeOthers();
      isFirst = false;
      return applied;
    },
    apply: (delta, onInForce) => backend.apply(delta, onInForce),
    verify: () => backend.verify(),
    changedByOthers: () => backend.changedByOthers(),
    dropped: () => backend.dropped(),
    size: () => backend.size(),
    cleanUp: () => backend.cleanUp(),
    close: () => backend.close(),
  };
}

/** Removes what is ours and not this backend's, and says so in the log; failing is said, too. */
export async function removeOtherRules(
  { name, variant }: Pick<OpenedBackend, "name" | "variant">,
  log: Log,
): Promise<void> {
  if (name === "iptables") await removeNft(log);
  await removeIptables(variant, log);
}

async function removeNft(log: Log): Promise<void> {
  const kernel = new NftKernelTable({ program: DEFAULT_NFT, options: DEFAULT_PROGRAM_OPTIONS, writer: "child" });
  await tryTo("the nft table of an earlier run", log, () => kernel.remove());
  await kernel.close();
}

/** Of both variants but the one that is in use. */
async function removeIptables(inUse: Variant | undefined, log: Log): Promise<void> {
  try {
    const { holdOurs } = await new IptablesKernelRules({ watchEveryMs: 0 }).variants();
    for (const variant of holdOurs) {
      if (variant === inUse) continue;
      const rules = new IptablesKernelRules({ variant, watchEveryMs: 0 });
      // Both variants look up the same sets.
      await tryTo(`rules of iptables (${variant}) of an earlier run`, log, () =>
        inUse === undefined ? rules.remove() : rules.removeRules(),
      );
      if (inUse !== undefined) await rules.removeUnusedSets();
    }
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    if (error.kind !== "not-installed")
      log.warn({ err: error }, "rules of an earlier run with iptables cannot be looked for");
  }
}

async function tryTo(what: string, log: Log, remove: () => Promise<boolean>): Promise<void> {
  try {
    if (await remove()) log.info({ what }, "removed");
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    // Without the program nothing of it can be there that we could remove.
    if (error.kind !== "not-installed" && error.kind !== "unsupported")
      log.error({ err: error, what }, "cannot be removed: what it denies stays denied");
  }
}
