// The demo's stage with real packets: a lab whose policies change.

import { listTable } from "../../../backends/nft/io/table-listing.ts";
import { TABLE } from "../../../backends/nft/ruleset.ts";
import { type Lab, probeEnd } from "../../../lab/lab.ts";
import { LONG_PATIENCE, type Probe, type ProbeEnd } from "../../../lab/measure.ts";
import { protocolNumber } from "../../../model/flow.ts";
import { countOf } from "../../terminal-text.ts";
import type { LabInput } from "../lab-input.ts";
import type { DemoEnd, DemoFlow } from "./flows.ts";
import { showOpenConnections } from "./open-connections.ts";
import { type DemoStage, meantAnswers } from "./stage.ts";

/** The first state that it sees is the one with which the lab was started. */
export function liveStage(lab: Lab): DemoStage {
  let current: LabInput | undefined;
  return {
    isLive: true,
    async see(state, flows) {
      const startedAt = performance.now();
      const isFirst = current === undefined;
      if (!isFirst && state !== current) await lab.change(state.cluster, state.store);
      current = state;
      const settledAt = performance.now();
      const before = lab.measurement.packets;
      const answers = await measure(lab, state, flows);
      const packets = countOf(lab.measurement.packets - before, "packet");
      const took = seconds(performance.now() - settledAt);
      const how = isFirst
        ? `measured with ${packets} in ${took}`
        : `in force after ${seconds(settledAt - startedAt)}, measured in ${took}`;
      return { answers, how };
    },
    async tighten(state, pair, screen) {
      if (current === undefined) throw new Error("nothing is in force yet");
      const contradictions = await showOpenConnections(lab, current, state, pair, screen);
      current = state;
      return contradictions;
    },
    async ruleset(_state, node) {
      // It starts nft at once: in this namespace.
      const found = await lab.network.inside(lab.network.node(node), () => listTable(TABLE));
      if (found === undefined) throw new Error(`there is no table on ${node}`);
      return found.ruleset;
    },
  };
}

/** What should get through and did not is asked again with patience: packets may be lost. */
async function measure({ network, measurement }: Lab, state: LabInput, flows: readonly DemoFlow[]): Promise<boolean[]> {
  const end = (each: DemoEnd): ProbeEnd => {
    const found = probeEnd(network, each.name, 4);
    if (found === undefined) throw new Error(`${each.name} is not in the lab`);
    return found;
  };
  const probes = flows.map(({ from, to, traffic }): Probe => {
    return { from: end(from), to: end(to), protocol: protocolNumber(traffic), port: traffic.port };
  });
  const answers = await measurement.arrive(probes);
  const meant = meantAnswers(state, flows);
  const doubtful = [...flows.keys()].filter((index) => meant[index] && !answers[index]);
  const again = await measurement.arrive(
    doubtful.map((index) => probes[index] as Probe),
    LONG_PATIENCE,
  );
  for (const [position, index] of doubtful.entries()) answers[index] = again[position] === true;
  return answers;
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
