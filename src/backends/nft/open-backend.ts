// Puts the nft backend together: over the kernel, or over memory for tests and dry runs.

import type { ProgramOptions } from "../../program/program.ts";
import type { ElementSocket } from "./element-changes.ts";
import { findBatchFolder } from "./io/batch-file.ts";
import { NftKernelTable, type WriterChoice } from "./io/nft-kernel-table.ts";
import { DEFAULT_NFT } from "./io/nft-process.ts";
import { MemoryKernelTable } from "./memory-kernel-table.ts";
import { NftBackend, type NftBackendHooks } from "./nft-backend.ts";

export interface NftBackendSettings extends NftBackendHooks {
  /** Those of the programs that will be installed: `probe` tries what they need. */
  readonly options: ProgramOptions;
  /** Name or path of nft; `nft` in PATH without it. */
  readonly nftBinary?: string | undefined;
  /** `auto` without it. */
  readonly writer?: WriterChoice | undefined;
  /** Where batches lie while nft reads them; in memory if possible without it. */
  readonly batchFolder?: string | undefined;
  /** Takes changes of elements; the writer takes them without it. */
  readonly elements?: ElementSocket | undefined;
  /** How long one run of nft, or one answer, may take; 30 s without it. */
  readonly timeoutMs?: number | undefined;
}

/** Our table in the kernel of this network namespace. Starts nothing before the first call. */
export function openNftBackend(settings: NftBackendSettings): NftBackend {
  const { options, nftBinary = DEFAULT_NFT.binary, writer = "auto", timeoutMs = DEFAULT_NFT.timeoutMs } = settings;
  const { batchFolder = findBatchFolder(), elements } = settings;
  const program = { binary: nftBinary, timeoutMs };
  return new NftBackend(new NftKernelTable({ program, options, writer, batchFolder, elements }), settings);
}

/** The same over a table in memory, which starts without one. The kernel is not touched. */
export function openMemoryBackend(hooks: NftBackendHooks = {}, table = new MemoryKernelTable()): NftBackend {
  return new NftBackend(table, hooks);
}
