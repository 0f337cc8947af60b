// A process that applies changes to iptables without end, for tests to kill: a policy that lets a crowd in comes and goes. Begins when it
// is told to, and says a line for each change. Arguments: variant, folder of the programs, /proc/net of their namespace.
import { once } from "node:events";
import { join } from "node:path";
import { IpsetProgram } from "../../src/backends/iptables/io/ipset-program.ts";
import { IptablesKernelRules } from "../../src/backends/iptables/io/iptables-kernel-rules.ts";
import { DEFAULT_XTABLES } from "../../src/backends/iptables/io/xtables-programs.ts";
import { IptablesBackend } from "../../src/backends/iptables/iptables-backend.ts";
import type { Variant } from "../../src/backends/iptables/xtables-version.ts";
import { allowingPolicy, crowd, graphOf, SUITE_OPTIONS, webAndClients } from "./policy-cluster.ts";
import { eventOf, removalOf } from "./random-cluster.ts";

const [variant, folder = "", procNet = ""] = process.argv.slice(2);
const kernel = new IptablesKernelRules({
  options: SUITE_OPTIONS,
  variant: variant as Variant,
  xtables: { ...DEFAULT_XTABLES, folder },
  ipset: new IpsetProgram({ binary: join(folder, "ipset"), timeoutMs: 30_000 }),
  procNet,
});
const backend = new IptablesBackend(kernel);
const graph = graphOf(...webAndClients, ...crowd(500));
const policy = allowingPolicy("crowd", "web", "crowd", 9090);
await once(process.stdin, "data");
await backend.install(graph.program());
for (let round = 0; ; round++) {
  process.stdout.write(`${round}\n`);
  graph.apply(round % 2 === 0 ? eventOf(policy) : removalOf(policy));
  await backend.apply(graph.flush());
}
