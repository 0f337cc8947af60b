// Owns `npm run demo`: the shop of policies-examples, first open, then with its policies: who reaches whom, one flow
// explained, the rules proven, the rules themselves. Everything is computed; nothing is loaded into a kernel.

import { spawnSync } from "node:child_process";
import { resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");
const shop = "policies-examples/shop";

interface Scene {
  readonly title: string;
  readonly argv: readonly string[];
  /** Only so many lines of the output; the rest is counted. */
  readonly lines?: number;
}

const scenes: readonly Scene[] = [
  {
    title: "The shop without policies: everybody reaches everybody",
    argv: ["matrix", "-f", `${shop}/00-cluster.yaml`, "--port", "5432/TCP", "-n", "shop"],
  },
  {
    title: "The same with its policies: only the api reaches the database",
    argv: ["matrix", "-f", shop, "--port", "5432/TCP", "-n", "shop"],
  },
  {
    title: "Why may the frontend not reach the database?",
    argv: ["explain", "shop/frontend", "shop/db", "5432/TCP", "-f", shop],
  },
  { title: "Do the nftables rules mean exactly what the policies say?", argv: ["prove", "-f", shop] },
  { title: "All examples against what their authors expect", argv: ["test", "policies-examples"] },
  { title: "The rules themselves, ready for nft -f -", argv: ["render", "-f", shop], lines: 24 },
];

for (const { title, argv, lines } of scenes) {
  console.log(`\n━━ ${title}\n   $ nftpol ${argv.join(" ")}\n`);
  const result = spawnSync("bin/nftpol", argv, { cwd: root, encoding: "utf8" });
  if (result.error !== undefined || result.status !== 0) {
    console.error(result.error?.message ?? result.stderr);
    process.exit(result.status ?? 3);
  }
  const all = result.stdout.trimEnd().split("\n");
  console.log(all.slice(0, lines).join("\n"));
  if (lines !== undefined && all.length > lines) console.log(`… and ${all.length - lines} more lines`);
}
console.log(
  "\nNext: write your own policies, then  bin/nftpol matrix -f your-folder/  (bin/nftpol --help shows the rest).",
);
