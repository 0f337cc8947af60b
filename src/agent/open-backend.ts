// Which data plane this node gets, and the backend for it. Wires the backends; which one is right for a node is decided here.

import { type Backend, BackendError, type BackendFacts } from "../backends/backend.ts";
import { IptablesKernelRules } from "../backends/iptables/io/iptables-kernel-rules.ts";
import { IptablesBackend } from "../backends/iptables/iptables-backend.ts";
import { MemoryKernelRules } from "../backends/iptables/memory-kernel-rules.ts";
import type { Variant } from "../backends/iptables/xtables-version.ts";
import type { ElementSocket } from "../backends/nft/element-changes.ts";
import { NftKernelTable } from "../backends/nft/io/nft-kernel-table.ts";
import { DEFAULT_NFT } from "../backends/nft/io/nft-process.ts";
import type { KernelTable } from "../backends/nft/kernel-table.ts";
import { MemoryKernelTable } from "../backends/nft/memory-kernel-table.ts";
import { NftBackend } from "../backends/nft/nft-backend.ts";
import { TABLE } from "../backends/nft/ruleset.ts";
import { WatchedKernelTable } from "../backends/nft/watched-kernel-table.ts";
import { NetlinkError } from "../netlink/netlink-error.ts";
import { loadSetElements } from "../netlink/set-elements.ts";
import { loadTableEvents } from "../netlink/table-events.ts";
import type { ProgramOptions } from "../program/program.ts";
import type { Log } from "./log.ts";

export type BackendName = "nft" | "iptables";

export interface BackendChoice {
  /** `auto`: nft where it works, else iptables. */
  readonly backend: BackendName | "auto";
  /** undefined: the one that other software on this node uses. */
  readonly iptablesVariant: Variant | undefined;
  readonly nftWriter: "auto" | "session" | "child";
  /** `auto`: elements of sets are changed without nft where that works. */
  readonly netlink: "auto" | "off";
  readonly program: ProgramOptions;
  /** The kernel is read once, and then a copy of it is written. */
  readonly dryRun: boolean;
}

export interface OpenedBackend {
  readonly name: BackendName;
  readonly backend: Backend;
  readonly facts: BackendFacts;
  /** Of iptables: the one that it writes. */
  readonly variant: Variant | undefined;
}

/** Probed, with its warnings logged. Throws BackendError where this node can have none that was asked for. */
export async function openBackend(choice: BackendChoice, log: Log): Promise<OpenedBackend> {
  if (choice.backend === "iptables") return openIptables(choice, log);
  try {
    return await openNft(choice, log);
  } catch (error) {
    if (choice.backend === "nft" || !(error instanceof BackendError) || !cannotUseNft(error)) throw error;
    log.info({ reason: error.message }, "nft cannot be used on this node: iptables is tried");
    return await openIptables(choice, log).catch((other: unknown) => {
      if (!(other instanceof BackendError)) throw other;
      throw neither(error, other);
    });
  }
}

/** Rights that are missing for nft are missing for iptables, too. */
function cannotUseNft({ kind }: BackendError): boolean {
  return kind === "not-installed" || kind === "unsupported";
}

function neither(nft: BackendError, iptables: BackendError): BackendError {
  return new BackendError("unsupported", `neither nft nor iptables can be used: ${nft.message}; ${iptables.message}`, {
    hint: [nft.hint, iptables.hint].filter((hint) => hint !== undefined).join("; or "),
    cause: iptables,
  });
}

async function openNft({ program, nftWriter, netlink, dryRun }: BackendChoice, log: Log): Promise<OpenedBackend> {
  const elements = netlink === "off" ? undefined : await elementSocket(log);
  const kernel = new NftKernelTable({ program: DEFAULT_NFT, options: program, writer: nftWriter, elements });
  try {
    const facts = await kernel.probe();
    for (const warning of facts.warnings) log.warn({ warning }, "nft works, but");
    if (!dryRun) return { name: "nft", backend: new NftBackend(await watched(kernel, log)), facts, variant: undefined };
    const found = await kernel.read();
    await kernel.close();
    const copy = new MemoryKernelTable(found.kind === "table" ? found.ruleset : undefined);
    return { name: "nft", backend: new NftBackend(copy, dryRunHooks(log)), facts, variant: undefined };
  } catch (error) {
    await kernel.close();
    throw error;
  }
}

async function openIptables({ program, iptablesVariant, dryRun }: BackendChoice, log: Log): Promise<OpenedBackend> {
  const kernel = new IptablesKernelRules({ options: program, variant: iptablesVariant });
  try {
    const facts = await kernel.probe();
    const { variant } = await kernel.variants();
    for (const warning of facts.warnings) log.warn({ warning }, "iptables works, but");
    if (!dryRun) return { name: "iptables", backend: new IptablesBackend(kernel), facts, variant };
    const copy = new MemoryKernelRules(await kernel.read());
    await kernel.close();
    return { name: "iptables", backend: new IptablesBackend(copy, dryRunHooks(log)), facts, variant };
  } catch (error) {
    await kernel.close();
    throw error;
  }
}

function dryRunHooks(log: Log) {
  return { onTransaction: (transaction: string) => log.info({ transaction }, "would be written") };
}

async function elementSocket(log: Log): Promise<ElementSocket | undefined> {
  try {
    return (await loadSetElements())();
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    log.info({ err: error }, "changes of set elements go through nft");
    return undefined;
  }
}

/** Without what the kernel tells, others' changes are repaired all the same, at the next verification. */
async function watched(kernel: KernelTable, log: Log): Promise<KernelTable> {
  try {
    return new WatchedKernelTable(kernel, (await loadTableEvents())(TABLE));
  } catch (error) {
    if (!(error instanceof NetlinkError)) throw error;
    log.warn({ err: error }, "others' changes of our table are noticed at verifications only");
    return kernel;
  }
}
