// `nftpol version`: the program, where it came from, and what it found beside it.

import { jsonDocument } from "../json-output.ts";
import { systemProgramVersions } from "../system-programs.ts";
import { flagOption, textOption, type VerbRun } from "../verb.ts";
import { programDelivery, programRevision, programVersion } from "../version.ts";

export const run: VerbRun = async (_args, options, context) => {
  const version = programVersion();
  const platform = `${process.platform}-${process.arch}`;
  const asJson = textOption(options, "output") === "json";
  const line = `nftpol ${version} (Node.js ${process.version}, ${platform})\n`;
  if (flagOption(options, "short") && !asJson) {
    context.stdout(line);
    return 0;
  }
  const [revision, delivery, programs] = [programRevision(), programDelivery(), await systemProgramVersions()];
  if (asJson) {
    const body = { version, revision, delivery, node: process.version, platform, programs };
    context.stdout(jsonDocument("Version", body));
  } else {
    const found = Object.entries(programs).map(([name, text]) => [name, text ?? "not found"] as const);
    const rows = [["revision", revision], ["delivered as", delivery], ...found] as const;
    context.stdout(line + rows.map(([name, text]) => `${name.padEnd(14)}${text}\n`).join(""));
  }
  return 0;
};
