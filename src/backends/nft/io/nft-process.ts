// Runs the nft program once. Owns how it is started and what is said where it cannot be, or hangs; what it says itself is read by
// `nft-output.ts`.

import { BackendError } from "../../backend.ts";
import { type ChildOutcome, type ChildProgram, startError as childStartError, runChild } from "../../child-process.ts";
import { errorFromOutput, errorFromSignal } from "../nft-output.ts";

export type NftProgram = ChildProgram;
export type NftOutcome = ChildOutcome;

/** Long enough for the largest tables on a busy node; who hangs longer is ended. */
export const DEFAULT_NFT: NftProgram = { binary: "nft", timeoutMs: 30_000 };

/**
 * Runs nft in the current network namespace, `input` on its standard input. A failing nft is an outcome (`failureOf`); BackendError:
 * it could not be started ("not-installed", "broken"), or hung and was ended ("broken").
 */
export function runNft(program: NftProgram, argv: readonly string[], input = ""): Promise<NftOutcome> {
  return runChild(program, argv, input, {
    startError: (cause) => startError(program.binary, cause),
    hungError: (said) => hungError(program.timeoutMs, said),
  });
}

/** What went wrong in a run that did not end with code 0. */
export function failureOf({ signal, stderr }: NftOutcome): BackendError {
  return signal === undefined ? errorFromOutput(stderr) : errorFromSignal(signal, stderr);
}

export function startError(binary: string, cause: NodeJS.ErrnoException): BackendError {
  return childStartError(binary, "nftables", cause);
}

export function hungError(timeoutMs: number, output: string): BackendError {
  return new BackendError("broken", `nft did not answer within ${timeoutMs / 1000} s and was ended`, {
    output,
    hint: "look for a process that holds the kernel's nftables lock, or for a node without CPU time",
  });
}
