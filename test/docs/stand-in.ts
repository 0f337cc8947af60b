// Takes the place of kubectl, docker and the like on the PATH of the pages' commands: finds the table's entry, checks, notes that it
// was used, prints. `node stand-in.ts USED-FILE PROGRAM ARGUMENT…`.

import { spawnSync } from "node:child_process";
import { appendFileSync, readFileSync } from "node:fs";
import { callOf } from "./call.ts";
import { nameOf, standInFor } from "./stand-ins.ts";

const [usedFile = "", program = "", ...args] = process.argv.slice(2);

function fail(problem: string): never {
  process.stderr.write(`${[program, ...args].join(" ")}: ${problem}\n`);
  process.exit(70);
}

const call = (() => {
  try {
    return callOf(program, args, () => readFileSync(0, "utf8"));
  } catch (error) {
    return fail(String(error));
  }
})();
const entry =
  standInFor(program, call.words) ??
  fail("is not in the table of test/docs/stand-ins.ts, and is no program that may run");
appendFileSync(usedFile, `${nameOf(entry)}\n`);
const problems = entry.check(call);
if (problems.length > 0) fail(problems.join("; "));
if (entry.output !== undefined) process.stdout.write(entry.output(call));
const [inner = "", ...rest] = call.inside;
if (program === "kubectl" && inner === "nftpol") {
  process.exitCode = spawnSync(inner, rest, { stdio: "inherit" }).status ?? 71;
}
