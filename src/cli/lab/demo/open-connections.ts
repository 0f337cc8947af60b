// Two TCP connections of one pod, open while a policy is tightened: one is to stop, the other to go on. What is said is what was seen.

import { type Lab, probeEnd } from "../../../lab/lab.ts";
import { PodConnection } from "../../../lab/pod-connection.ts";
import { startPodServers } from "../../../lab/pod-servers.ts";
import type { LabInput } from "../lab-input.ts";
import type { DemoFlow } from "./flows.ts";
import type { DemoScreen } from "./screen.ts";
import type { OpenPair } from "./stage.ts";

/** For answers that should come; they come at once. */
const PATIENCE_MS = 10_000;
const ASK_MS = 100;
const PAUSE_MS = 5;
/** TCP has sent a request again twice by then: whose answer did not come has none. */
const SILENCE_MS = 800;
/** A connection that is answered so long after the rules changed is not cut. */
const CUT_WITHIN_MS = 15_000;

/** Returns what contradicts the story. */
export async function showOpenConnections(
  lab: Lab,
  before: LabInput,
  after: LabInput,
  { cut, kept }: OpenPair,
  screen: DemoScreen,
): Promise<readonly string[]> {
  const servers = await startPodServers(lab.network, before.store);
  const connections = new Connections(lab);
  try {
    screen.text(`Before that, ${cut.from.name} opens two connections and asks on both:`);
    const cutOne = await connections.open(cut, PATIENCE_MS);
    const keptOne = await connections.open(kept, PATIENCE_MS);
    const answers = [await cutOne?.ask(PATIENCE_MS), await keptOne?.ask(PATIENCE_MS)];
    for (const [index, flow] of [cut, kept].entries()) show(screen, "open", flow, heard(answers[index]));
    if (cutOne === undefined || keptOne === undefined || answers.includes(undefined)) {
      return ["before the change both connections should be answered, and they are not"];
    }
    const heardOfAgents = lab.agents.map(({ log }) => log.length);
    const changed = watchChange(() => lab.change(after.cluster, after.store));
    const lastAnswerMs = await lastAnswer(cutOne, changed);
    screen.line();
    screen.text("To rules alone, what is open may go on. The agent looks for what is no longer allowed, and cuts it.");
    screen.text(`The line goes; ${milliseconds(await changed.inForce)} later the new rules are in force.`);
    showAgentsWords(screen, lab, heardOfAgents);
    screen.line();
    return [
      ...judgeCut(screen, cut, lastAnswerMs),
      ...judgeKept(screen, kept, await keptOne.ask(PATIENCE_MS)),
      ...judgeNew(screen, cut, (await connections.open(cut, SILENCE_MS)) !== undefined),
    ];
  } finally {
    connections.close();
    servers.close();
  }
}

class Connections {
  readonly #lab: Lab;
  readonly #open: PodConnection[] = [];

  constructor(lab: Lab) {
    this.#lab = lab;
  }

  /** undefined: not possible within the time. */
  async open({ from, to, traffic }: DemoFlow, patienceMs: number): Promise<PodConnection | undefined> {
    const { network } = this.#lab;
    const source = probeEnd(network, from.name, 4);
    if (source === undefined) throw new Error(`${from.name} is not in the lab`);
    const connection = await PodConnection.open(network, source, to.address, traffic.port, patienceMs);
    if (connection !== undefined) this.#open.push(connection);
    return connection;
  }

  close(): void {
    for (const connection of this.#open) connection.close();
  }
}

interface WatchedChange {
  readonly startedAt: number;
  /** After how many ms. */
  readonly inForce: Promise<number>;
  isOver(): boolean;
}

function watchChange(change: () => Promise<void>): WatchedChange {
  const startedAt = performance.now();
  let isOver = false;
  const inForce = change()
    .finally(() => {
      isOver = true;
    })
    .then(() => performance.now() - startedAt);
  // Awaited later, when the connections have been watched.
  inForce.catch(() => {});
  return { startedAt, inForce, isOver: () => isOver };
}

/** Asks until nothing answers any more. ms after the change; undefined: it was answered to the end. */
async function lastAnswer(connection: PodConnection, change: WatchedChange): Promise<number | undefined> {
  let lastMs = 0;
  for (;;) {
    const answer = await connection.ask(ASK_MS);
    const nowMs = performance.now() - change.startedAt;
    if (answer !== undefined) {
      lastMs = nowMs;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
    if (change.isOver() && nowMs - lastMs >= SILENCE_MS) return lastMs;
    if (nowMs >= CUT_WITHIN_MS) return undefined;
  }
}

/** What they have logged since about connections. */
function showAgentsWords(screen: DemoScreen, { agents }: Lab, since: readonly number[]): void {
  for (const [index, { nodeName, log }] of agents.entries()) {
    const line = log.slice(since[index]).find(({ cut }) => typeof cut === "number" && cut > 0);
    if (line !== undefined)
      screen.text(`The agent of ${nodeName} says: "${line.msg}" (${line.cut} of ${line.examined} examined).`);
  }
}

function judgeCut(screen: DemoScreen, flow: DemoFlow, lastAnswerMs: number | undefined): string[] {
  if (lastAnswerMs === undefined) {
    show(screen, "open", flow, "still answered");
    return [`the connection ${words(flow)} should be cut, and it is still answered`];
  }
  show(screen, "cut", flow, `last answer ${milliseconds(lastAnswerMs)} after the change, silent since`);
  return [];
}

function judgeKept(screen: DemoScreen, flow: DemoFlow, answer: string | undefined): string[] {
  if (answer === undefined) {
    show(screen, "cut", flow, "no answer");
    return [`the connection ${words(flow)} should go on, and it is not answered`];
  }
  show(screen, "open", flow, "the same connection goes on");
  return [];
}

function judgeNew(screen: DemoScreen, flow: DemoFlow, isOpen: boolean): string[] {
  if (isOpen) return [`a new connection ${words(flow)} should not be possible, and it is`];
  show(screen, "cut", flow, `a new connection: nothing within ${milliseconds(SILENCE_MS)}`);
  return [];
}

function show(screen: DemoScreen, mark: "open" | "cut", flow: DemoFlow, text: string): void {
  const paint = mark === "open" ? screen.colours.green : screen.colours.red;
  screen.item(`${mark.padEnd(4)}  ${words(flow).padEnd(19)}`, text, paint);
}

function words({ from, to, traffic }: DemoFlow): string {
  return `${from.label} → ${to.label}:${traffic.port}`;
}

function heard(answer: string | undefined): string {
  return answer === undefined ? "no answer" : `"${answer}"`;
}

function milliseconds(ms: number): string {
  return `${Math.round(ms)} ms`;
}
