// Whole processes: `render` for one node of a large cluster from YAML and from JSON, and `--help`, each beside the
// bare runtime in the same round. Prints JSON: seconds (median, min, max) and peak memory of each.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { dump } from "js-yaml";
import { LARGE, LOCAL_NODE, largeCluster } from "./large-cluster.ts";

const ROUNDS = 7;
const root = resolve(import.meta.dirname, "..");
const nftpol = join(root, "bin/nftpol");
const folder = mkdtempSync(join(tmpdir(), "nftpol-bench-"));
const objects = largeCluster();
writeFileSync(join(folder, "cluster.yaml"), objects.map((object) => dump(object)).join("---\n"));
writeFileSync(join(folder, "cluster.json"), JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }));

const commands: Readonly<Record<string, readonly string[]>> = {
  "runtime alone": [process.execPath, "-e", "0"],
  "nftpol --help": [nftpol, "--help"],
  "render, YAML": [nftpol, "render", "-f", join(folder, "cluster.yaml"), "--node", LOCAL_NODE],
  "render, JSON": [nftpol, "render", "-f", join(folder, "cluster.json"), "--node", LOCAL_NODE],
};

interface Sample {
  readonly seconds: number;
  readonly peakMegabytes: number;
}

/** The shell's own child accounting through /proc is not there for finished children: the runtime reports its own peak. */
function measure(argv: readonly string[]): Sample {
  const startedAt = performance.now();
  const result = spawnSync(argv[0] as string, argv.slice(1), {
    stdio: ["ignore", "ignore", "pipe"],
    env: { ...process.env, NODE_OPTIONS: `--require ${join(folder, "peak.cjs")}` },
  });
  const seconds = (performance.now() - startedAt) / 1000;
  if (result.status !== 0) throw new Error(`${argv.join(" ")}: ${result.stderr}`);
  const peak = /peak-kilobytes (\d+)/.exec(result.stderr.toString())?.[1];
  return { seconds, peakMegabytes: Number(peak ?? Number.NaN) / 1024 };
}

writeFileSync(
  join(folder, "peak.cjs"),
  `process.on("exit", () => require("fs").writeSync(2, "peak-kilobytes " + process.resourceUsage().maxRSS + "\\n"));`,
);

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] as number;
}

try {
  execFileSync(process.execPath, ["scripts/build.ts"], { cwd: root, stdio: "ignore" });
  const samples = new Map<string, Sample[]>(Object.keys(commands).map((name) => [name, []]));
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [name, argv] of Object.entries(commands)) {
      const sample = measure(argv);
      if (round > 0) samples.get(name)?.push(sample);
    }
  }
  const baseline = median((samples.get("runtime alone") ?? []).map((sample) => sample.seconds));
  const results = [...samples].map(([name, list]) => {
    const seconds = list.map((sample) => sample.seconds);
    const peak = Math.max(...list.map((sample) => sample.peakMegabytes));
    return {
      name,
      seconds: { median: median(seconds), min: Math.min(...seconds), max: Math.max(...seconds) },
      timesRuntime: median(seconds) / baseline,
      peakMegabytes: Math.round(peak),
    };
  });
  console.log(
    JSON.stringify(
      {
        bench: "render",
        cluster: LARGE,
        rounds: ROUNDS,
        node: process.version,
        kernel: release(),
        cpus: cpus().length,
        results,
      },
      undefined,
      2,
    ),
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
