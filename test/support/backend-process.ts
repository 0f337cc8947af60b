// A process that applies transactions without end, for tests to kill: a policy that lets a crowd in comes and goes. Says a line for
// each. Arguments: nft, writer, folder for batches.
import type { WriterChoice } from "../../src/backends/nft/io/nft-kernel-table.ts";
import { openNftBackend } from "../../src/backends/nft/open-backend.ts";
import { allowingPolicy, crowd, graphOf, SUITE_OPTIONS, webAndClients } from "./policy-cluster.ts";
import { eventOf, removalOf } from "./random-cluster.ts";

const [nftBinary, writer, batchFolder] = process.argv.slice(2);
const backend = openNftBackend({ options: SUITE_OPTIONS, nftBinary, writer: writer as WriterChoice, batchFolder });
const graph = graphOf(...webAndClients, ...crowd(3000));
const policy = allowingPolicy("crowd", "web", "crowd", 9090);
await backend.install(graph.program());
for (let round = 0; ; round++) {
  process.stdout.write(`${round}\n`);
  graph.apply(round % 2 === 0 ? eventOf(policy) : removalOf(policy));
  await backend.apply(graph.flush());
}
