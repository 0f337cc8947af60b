// The first list of a reflector: many pods of 6 KB from another process, over each kind of list and connection, each
// measured in a process of its own, with the memory options of the agent's image. Prints JSON: medians.
// NFTPOL_BENCH_PODS and NFTPOL_BENCH_ROUNDS choose other numbers.

import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, release, tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const PODS = Number(process.env.NFTPOL_BENCH_PODS ?? 50_000);
const ROUNDS = Number(process.env.NFTPOL_BENCH_ROUNDS ?? 3);
const MODES = ["streaming", "list", "gzip"] as const;
const FIGURES = ["seconds", "cpuSeconds", "longestBlockMs", "peakMegabytes", "liveMegabytes"] as const;
type Sample = Readonly<Record<(typeof FIGURES)[number], number>>;

const folder = mkdtempSync(join(tmpdir(), "nftpol-bench-"));
const server = spawn(process.execPath, [join(import.meta.dirname, "pod-server.ts"), String(PODS)], {
  stdio: ["ignore", "pipe", "inherit"],
});

interface Ports {
  readonly http: number;
  readonly https: number;
  readonly authority: string;
  readonly podBytes: number;
}

async function readPorts(): Promise<Ports> {
  for await (const line of createInterface({ input: server.stdout })) return JSON.parse(line) as Ports;
  throw new Error("the server has ended");
}

function writeKubeconfig(ports: Ports, scheme: "http" | "https", mode: string): string {
  const authority = Buffer.from(ports.authority).toString("base64");
  const cluster = {
    server: `${scheme}://127.0.0.1:${ports[scheme]}/${mode}`,
    ...(scheme === "https" ? { "certificate-authority-data": authority } : {}),
  };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "bench",
    clusters: [{ name: "bench", cluster }],
    contexts: [{ name: "bench", context: { cluster: "bench" } }],
  };
  const path = join(folder, `${scheme}-${mode}`);
  writeFileSync(path, JSON.stringify(config));
  return path;
}

function measure(kubeconfig: string): Sample {
  const program = join(import.meta.dirname, "pod-reflector.ts");
  const text = execFileSync(process.execPath, ["--expose-gc", "--max-semi-space-size=8", program, kubeconfig], {
    encoding: "utf8",
  });
  const sample = JSON.parse(text) as Sample & { readonly pods: number };
  if (sample.pods !== PODS) throw new Error(`${sample.pods} of ${PODS} pods came`);
  return sample;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] as number;
}

try {
  const ports = await readPorts();
  const cases = (["http", "https"] as const).flatMap((scheme) =>
    MODES.map((mode) => ({ name: `${scheme} ${mode}`, kubeconfig: writeKubeconfig(ports, scheme, mode) })),
  );
  const samples = new Map<string, Sample[]>(cases.map(({ name }) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, kubeconfig } of cases) samples.get(name)?.push(measure(kubeconfig));
  }
  const results = Object.fromEntries(
    [...samples].map(([name, list]) => [
      name,
      Object.fromEntries(FIGURES.map((figure) => [figure, Number(median(list.map((s) => s[figure])).toFixed(2))])),
    ]),
  );
  const machine = { node: process.version, kernel: release(), cpus: cpus().length, cpu: cpus()[0]?.model };
  console.log(
    JSON.stringify({ bench: "reflector", pods: PODS, podBytes: ports.podBytes, ...machine, results }, null, 2),
  );
} finally {
  server.kill();
  rmSync(folder, { recursive: true, force: true });
}
