// A lab's network namespaces as other helpers of the tests take them.

import { type Netns, runProgram } from "./netns.ts";

/** A namespace that is there already, and that its lab removes. */
export function labNetns(name: string): Netns {
  return { name, run: (argv, options) => runProgram(["ip", "netns", "exec", name, ...argv], options) };
}

/** What the program printed. Rejects when it fails. */
export async function mustRun(name: string, argv: readonly string[], input = ""): Promise<string> {
  const { code, stdout, stderr } = await labNetns(name).run(argv, { input });
  if (code !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
  return stdout;
}
