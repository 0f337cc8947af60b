// What help calls this program: as a plugin of kubectl it is started with `kubectl nftpol`.

import { COMMANDS } from "./command-table.ts";

const PLUGIN = "kubectl-nftpol";
const PLUGIN_NAME = "kubectl nftpol";

/** Where the name is that the launcher was started by; the single file finds it by itself. */
export const CALLED_AS = "NFTPOL_CALLED_AS";

const verbs = COMMANDS.map((command) => command.name).join("|");
/** Not what is to be typed elsewhere: `kubectl exec … -- nftpol status`. */
const COMMAND = new RegExp(`(?<!-- |kubectl )\\bnftpol (?=(?:VERB|help|--help|${verbs})\\b)`, "g");

/** Help and hints, with commands as they must be typed after being called like this. */
export function asCalled(text: string, environment: Readonly<Record<string, string | undefined>>): string {
  return environment[CALLED_AS] === PLUGIN ? text.replaceAll(COMMAND, `${PLUGIN_NAME} `) : text;
}
