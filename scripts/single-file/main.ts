// Where the single file starts: CommonJS, and in no module's place. What the launcher does for others is done here.

import { runProcess } from "../../src/cli/process.ts";
import { CALLED_AS } from "../../src/cli/program-name.ts";

/** As Node.js ends a module whose top level never comes to an end. */
const UNFINISHED = 13;

let hasEnded = false;
process.once("beforeExit", () => {
  if (!hasEnded) process.exitCode = UNFINISHED;
});

// kubectl starts its plugins by their file's name.
process.env[CALLED_AS] = process.argv0.slice(process.argv0.lastIndexOf("/") + 1);
void runProcess().then((code) => {
  hasEnded = true;
  process.exitCode = code;
});
