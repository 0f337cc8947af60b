// Owns `npm run bench`: every bench/*.bench.ts in a process of its own, one after the other, so that none disturbs
// another. `npm run bench -- graph` runs those whose name contains "graph".
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const wanted = process.argv.slice(2);
const all = globSync("bench/**/*.bench.ts", { cwd: root }).sort();
const chosen = all.filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)));
if (chosen.length === 0) console.error(`bench: nothing to run; there are ${all.join(", ") || "no files"}`);
for (const file of chosen) {
  console.log(`\n── ${file}`);
  const result = spawnSync(process.execPath, ["--expose-gc", file], { cwd: root, stdio: "inherit" });
  if (result.status !== 0) process.exitCode = 1;
}
