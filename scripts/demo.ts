// Owns `npm run demo`: `nftpol lab demo`, as people start it, with the terminal as its own.

import { spawn } from "node:child_process";
import { constants } from "node:os";
import { resolve } from "node:path";

const demo = spawn(resolve(import.meta.dirname, "../bin/nftpol"), ["lab", "demo"], { stdio: "inherit" });
// A terminal sends Ctrl-C to both: the demo cleans up first.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => demo.kill("SIGTERM"));
demo.on("error", (error) => {
  console.error(`demo: ${error.message}`);
  process.exitCode = 3;
});
demo.on("close", (code, signal) => {
  process.exitCode = code ?? 128 + constants.signals[signal ?? "SIGKILL"];
});
