// `nftpol version`.

import { jsonDocument } from "../json-output.ts";
import { textOption, type VerbRun } from "../verb.ts";
import { programVersion } from "../version.ts";

export const run: VerbRun = async (_args, options, context) => {
  const version = programVersion();
  const platform = `${process.platform}-${process.arch}`;
  if (textOption(options, "output") === "json") {
    context.stdout(jsonDocument("Version", { version, node: process.version, platform }));
  } else {
    context.stdout(`nftpol ${version} (Node.js ${process.version}, ${platform})\n`);
  }
  return 0;
};
