// Owns the decision whether suites that need a real kernel run here. Without root, nft or namespaces they are
// skipped out loud; in CI they may not be skipped at all.
import { describe } from "vitest";
import { findProgram, isCi } from "../../scripts/system-tools.ts";
import { canUseNetns } from "./netns.ts";

/** Why tests with a real kernel, and with these programs beside nft, cannot run here; undefined when they can. */
export function whyNoKernel(programs: readonly string[] = []): string | undefined {
  const missing = ["nft", ...programs].find((program) => findProgram(program) === undefined);
  return missing === undefined ? canUseNetns() : `the program ${missing} is missing`;
}

/** `describe` for suites that load rules into a kernel, with nft and these programs. */
export function describeKernel(name: string, body: () => void, programs: readonly string[] = []): void {
  const reason = whyNoKernel(programs);
  if (reason === undefined) {
    describe(name, body);
    return;
  }
  if (isCi()) throw new Error(`${name}: cannot be left out in CI, but ${reason}`);
  process.stderr.write(`NOT RUN: ${name}: ${reason}\n`);
  describe.skip(`${name} (not run: ${reason})`, body);
}
