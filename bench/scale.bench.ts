// The whole agent as a process, with a kernel of its own, behind an API server with up to 150,000 pods, 10,000 policies and 5,000 nodes: from
// start to rules in force, memory then and later, CPU of one pod's change, and a simulated day of changes. Needs root. Settings: scale/settings.ts.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withNetns } from "../test/support/netns.ts";
import { beginMeasurement, publish } from "./document.ts";
import { measureChurn } from "./scale/churn.ts";
import type { ClusterSize } from "./scale/cluster.ts";
import type { ScaleFigures } from "./scale/figures.ts";
import { type AgentStart, type FirstSync, measureFirstSync, type Place } from "./scale/first-sync.ts";
import { type Flood, measureFlood } from "./scale/flood.ts";
import { installInto } from "./scale/installation.ts";
import { type EventCosts, measurePodEvents } from "./scale/pod-events.ts";
import { scaleTables } from "./scale/report.ts";
import { scalePlots } from "./scale/report-plots.ts";
import { settingsFrom } from "./scale/settings.ts";

const INSIDE = "--in-namespace";

async function main(): Promise<void> {
  const settings = settingsFrom(process.env);
  const folder = mkdtempSync(join(tmpdir(), "nftpol-bench-"));
  try {
    const place: Place = { folder, installation: installInto(folder) };
    const endMeasurement = beginMeasurement();
    const { localPods, nodes, policies, events, floodEvents, rounds, hours } = settings;
    const clusterOf = (remotePods: number): ClusterSize => ({ remotePods, localPods, nodes, policies });
    const sizes = [0, ...settings.pods];
    const largest = sizes.at(-1) as number;
    const starts = new Map<number, AgentStart[]>(sizes.map((pods) => [pods, []]));
    let syncs: FirstSync[] = [];
    let eventCosts: EventCosts | undefined;
    let flood: Flood | undefined;
    for (let round = 1; round <= rounds; round++) {
      const isLast = round === rounds;
      syncs = [];
      for (const pods of sizes) {
        say(`round ${round}: ${pods} pods`);
        const settled = isLast ? settings : { ...settings, settleSeconds: 0 };
        const sync = await measureFirstSync(settled, place, clusterOf(pods), async (started) => {
          if (!isLast || pods !== largest) return;
          if (events > 0) eventCosts = await measurePodEvents(settings, started);
          if (floodEvents > 0) flood = await measureFlood(floodEvents, started);
        });
        starts.get(pods)?.push(sync.start);
        syncs.push(sync);
      }
    }
    say(`${largest} pods without policies`);
    const withoutPolicies = await measureFirstSync({ ...settings, settleSeconds: 10 }, place, {
      ...clusterOf(largest),
      policies: 0,
    });
    say(`${hours} hours`);
    const churn = hours === 0 ? undefined : await measureChurn(settings, place);
    const figures: ScaleFigures = { syncs, starts, withoutPolicies, events: eventCosts, flood, churn };
    const { pods, nodeFlags, ...chosen } = settings;
    publish({
      bench: "scale",
      machine: endMeasurement(),
      settings: { ...chosen, pods: pods.join(","), nodeFlags: nodeFlags ?? "as in bin/nftpol" },
      tables: scaleTables(figures),
      plots: scalePlots(figures),
      figures: { ...figures, starts: Object.fromEntries(starts) },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function say(what: string): void {
  process.stderr.write(`scale: ${what}\n`);
}

/** Runs itself in the namespace, so that no launcher stands between it and the agent. */
async function mainInNamespace(): Promise<void> {
  await withNetns(async ({ name }) => {
    const argv = ["netns", "exec", name, process.execPath, import.meta.filename, INSIDE];
    const inside = spawn("ip", argv, { stdio: ["ignore", "inherit", "inherit"] });
    const [code] = await once(inside, "exit");
    process.exitCode = code ?? 1;
  });
}

await (process.argv.includes(INSIDE) ? main() : mainInNamespace());
