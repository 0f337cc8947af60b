// Connections of a random run: they begin where the rules let them. Of those that are cut, each must be denied by some state that
// the agent went by at that time; and none may be left that is denied now.

import { networkInterfaces } from "node:os";
import { type Flow, PROTOCOL_NUMBER } from "../../src/model/flow.ts";
import type { TrackedConnection } from "../../src/netlink/connection-tracker.ts";
import { MemoryConnectionTracker } from "../../src/netlink/memory-connection-tracker.ts";
import type { ClusterStore } from "../../src/state/store.ts";
import type { Scenario } from "../support/agent-harness.ts";
import { THIS_NODE } from "../support/running-agent.ts";
import { until } from "../support/until.ts";
import type { VersionWindow } from "./agent-knowledge.ts";
import { flowText, isAllowed, passesTable, statesIn } from "./never-more-open.ts";
import { connection } from "./packets.ts";
import type { RandomSource } from "./random-source.ts";
import { sampledFlows } from "./sampled-flows.ts";
import type { ServerHistory } from "./server-history.ts";

/** Tells what is deleted. */
export class WatchedTracker extends MemoryConnectionTracker {
  onDelete: (connections: readonly TrackedConnection[]) => void = () => {};

  override delete(connections: readonly TrackedConnection[]): Promise<number> {
    this.onDelete(connections);
    return super.delete(connections);
  }
}

export class OpenConnections {
  begun = 0;
  cut = 0;
  readonly #scenario: Scenario;
  readonly #tracker: WatchedTracker;
  readonly #history: ServerHistory;
  readonly #window: () => VersionWindow;
  readonly #wronglyCut: string[] = [];

  /** `window`: what the agent goes by now. */
  constructor(scenario: Scenario, tracker: WatchedTracker, history: ServerHistory, window: () => VersionWindow) {
    this.#scenario = scenario;
    this.#tracker = tracker;
    this.#history = history;
    this.#window = window;
    tracker.onDelete = (connections) => this.#checkCut(connections);
  }

  /** One, if the rules let it. */
  begin(random: RandomSource): void {
    const ruleset = this.#scenario.table.ruleset();
    const flow = random.pick(sampledFlows(random));
    const { source, destination, traffic } = flow;
    if (traffic.kind !== "ports" || isOfThisHost(source) || isOfThisHost(destination)) return;
    if (ruleset !== undefined && !passesTable(ruleset, flow)) return;
    const { port, protocol } = traffic;
    this.#tracker.add({ ...connection(source, destination, port), protocol: PROTOCOL_NUMBER[protocol] });
    this.begun++;
  }

  /** When the server's state is in force. Throws when one was cut wrongly, or when one that is denied is still there in the end. */
  async check(deadlineMs: number): Promise<void> {
    if (this.#wronglyCut.length > 0) throw new Error(this.#wronglyCut.join("\n"));
    const state = this.#history.stateAt(this.#history.newest());
    const denied = () => {
      const flows = this.#tracker.open().map(flowOf);
      return flows.filter((flow) => !this.#mayGoOn(state, flow));
    };
    try {
      await until("connections that are denied are cut", () => denied().length === 0, deadlineMs);
    } catch (error) {
      throw new Error(`these connections go on: ${denied().map(flowText).join(", ")}`, { cause: error });
    }
  }

  #checkCut(connections: readonly TrackedConnection[]): void {
    const states = statesIn(this.#history, this.#window());
    this.cut += connections.length;
    for (const flow of connections.map(flowOf)) {
      if (states.every((state) => this.#mayGoOn(state, flow)))
        this.#wronglyCut.push(`${flowText(flow)} was cut, and every state of that time allows it`);
    }
  }

  /** Of addresses that nobody knows any more nothing is cut: no policy says anything about them. */
  #mayGoOn(state: ClusterStore, flow: Flow): boolean {
    return isAllowed(state, THIS_NODE, { ...this.#scenario.program, unknownLocalPods: "allow" }, flow);
  }
}

function flowOf({ original, reply, protocol }: TrackedConnection): Flow {
  const name = (["TCP", "UDP", "SCTP"] as const).find((each) => PROTOCOL_NUMBER[each] === protocol);
  if (name === undefined) throw new Error(`a connection of protocol ${protocol}`);
  const traffic = { kind: "ports", protocol: name, port: reply.sourcePort, sourcePort: original.sourcePort } as const;
  return { source: original.source, destination: reply.source, traffic };
}

/** What this machine sends to itself is never judged: its addresses cannot play a pod's. */
function isOfThisHost(address: string): boolean {
  return Object.values(networkInterfaces()).some((each) => each?.some((own) => own.address === address));
}
