// Writes test/packets/earlier-tables/ anew: what agents of earlier versions make of cluster.yaml, as this machine's programs list it.
// To be run as root, by hand, when a version is added: `node test/support/write-earlier-tables.ts`.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { EARLIER_TABLES, type EarlierTable, FOLDER, MANIFESTS_ARGS } from "./earlier-tables.ts";
import { programOf } from "./earlier-version.ts";
import { withNetns } from "./netns.ts";
import { PacketAgent } from "./packet-agent.ts";

async function listingOf({ by, version, listing }: EarlierTable): Promise<string> {
  return await withNetns(async (node) => {
    const agent = new PacketAgent(node, [...MANIFESTS_ARGS, ...by]);
    agent.changeVersion(programOf(version));
    await agent.start();
    await agent.end("SIGTERM");
    const texts: string[] = [];
    for (const argv of listing) {
      const { code, stdout, stderr } = await node.run(argv);
      if (code !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
      texts.push(`# ${argv.join(" ")}\n${stdout.replace(/^#.*\n/gm, "")}`);
    }
    return texts.join("");
  });
}

for (const table of EARLIER_TABLES) {
  writeFileSync(join(FOLDER, table.file), `# Version ${table.version.commit}.\n${await listingOf(table)}`);
}
