// The demo's stage with real packets: a lab whose policies change.

import { listTable } from "../../../backends/nft/io/table-listing.ts";
import { TABLE } from "../../../backends/nft/ruleset.ts";
import { type Lab, probeEnd } from "../../../lab/lab.ts";
import type { Probe, ProbeEnd } from "../../../lab/measure.ts";
import { protocolNumber } from "../../../model/flow.ts";
import { formatSeconds } from "../../duration.ts";
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
      const took = formatSeconds(performance.now() - settledAt);
      const how = isFirst
        ? `measured with ${packets} in ${took}`
        : `in force after ${formatSeconds(settledAt - startedAt)}, measured in ${took}`;
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

async function measure({ network, measurement }: Lab, state: LabInput, flows: readonly DemoFlow[]): Promise<boolean[]> {
  const end = (each: DemoEnd): ProbeEnd => {
    const found = probeEnd(network, each.name, 4);
    if (found === undefined) throw new Error(`${each.name} is not in the lab`);
    return found;
  };
  const probes = flows.map(({ from, to, traffic }): Probe => {
    return { from: end(from), to: end(to), protocol: protocolNumber(traffic), port: traffic.port };
  });
  return await measurement.arriveAsMeant(probes, meantAnswers(state, flows));
}
