// The demo's story, scene by scene. What it says of flows it has seen on the stage; where that contradicts what the policies mean, it
// says so and ends.

import { nftRules } from "../../../backends/nft/provable-rules.ts";
import { proveNode } from "../../../prove/prove.ts";
import { explainFlows } from "../../explain/explanation.ts";
import { explainHalf } from "../../explain/half-words.ts";
import { countOf } from "../../terminal-text.ts";
import type { ExitCode } from "../../verb.ts";
import type { LabInput } from "../lab-input.ts";
import { type DemoFlow, listFlows } from "./flows.ts";
import { type Answers, type Change, changesOf, reachTable } from "./reach.ts";
import { showTable } from "./reach-text.ts";
import type { DemoScreen } from "./screen.ts";
import { type DemoShop, POLICY_FILES } from "./shop.ts";
import { type DemoStage, meantAnswers, PROGRAM, type Sight } from "./stage.ts";

/** What was seen is not what the story tells. */
class Contradiction extends Error {
  readonly details: readonly string[];

  constructor(details: readonly string[]) {
    super();
    this.details = details;
  }
}

/** 1: something was seen that should not be. */
export async function tellStory(shop: DemoShop, stage: DemoStage, screen: DemoScreen): Promise<ExitCode> {
  try {
    await new Story(shop, stage, screen).tell();
    return 0;
  } catch (error) {
    if (!(error instanceof Contradiction)) throw error;
    screen.line();
    for (const detail of error.details) screen.item("WRONG", detail, screen.colours.red);
    screen.text("This is not what the policies mean: a bug in nftpol, or a fault of this machine. Please report it.");
    return 1;
  }
}

class Story {
  readonly #shop: DemoShop;
  readonly #stage: DemoStage;
  readonly #screen: DemoScreen;
  #flows: readonly DemoFlow[] = [];
  #answers: Answers = [];

  constructor(shop: DemoShop, stage: DemoStage, screen: DemoScreen) {
    this.#shop = shop;
    this.#stage = stage;
    this.#screen = screen;
  }

  async tell(): Promise<void> {
    await this.#openCluster();
    for (const index of POLICY_FILES.keys()) await this.#policy(index);
    await this.#closedCluster();
    const tightened = await this.#tighten();
    await this.#explain(tightened);
    await this.#prove(tightened);
  }

  async #openCluster(): Promise<void> {
    await this.#screen.heading("No policies: who reaches whom");
    const state = await this.#shop.state([]);
    this.#flows = listFlows(state.store);
    const { how } = await this.#see(state);
    showTable(this.#screen, reachTable(this.#flows, this.#answers));
    this.#screen.line();
    this.#screen.text(`${this.#openCount()}; ${how}.`);
  }

  async #policy(index: number): Promise<void> {
    const file = POLICY_FILES[index];
    if (file === undefined) return;
    await this.#screen.heading(`Policy file ${index + 1} of ${POLICY_FILES.length}: ${file}`);
    this.#screen.text(this.#shop.words(file));
    const before = this.#answers;
    const { how } = await this.#see(await this.#shop.state(POLICY_FILES.slice(0, index + 1)));
    this.#showChanges(changesOf(this.#flows, before, this.#answers));
    const closed = this.#flows.filter((_, flow) => before[flow] && !this.#answers[flow]).length;
    const opened = this.#flows.filter((_, flow) => !before[flow] && this.#answers[flow]).length;
    const counts = [...(closed > 0 ? [`${closed} closed`] : []), ...(opened > 0 ? [`${opened} opened`] : [])];
    this.#screen.text(`${[...counts, this.#openCount()].join(", ")}; ${how}.`);
  }

  #showChanges(changes: readonly Change[]): void {
    const { green, red } = this.#screen.colours;
    for (const { kind, from, to } of changes) {
      this.#screen.item(kind, `${from.join(", ")} → ${to.join(", ")}`, kind === "closed" ? red : green);
    }
  }

  async #closedCluster(): Promise<void> {
    await this.#screen.heading("All policies: who reaches whom now, by port");
    showTable(this.#screen, reachTable(this.#flows, this.#answers));
    this.#screen.line();
    this.#screen.text(`${this.#openCount()}.`);
  }

  async #tighten(): Promise<LabInput> {
    await this.#screen.heading("A policy is tightened while connections are open");
    const pair = { cut: this.#flow("api", "search", 9200), kept: this.#flow("api", "payments", 8443) };
    this.#screen.text("Say the search was broken into: the api shall not talk to it any more. One line goes:");
    this.#screen.line();
    this.#showRemovedLine();
    this.#screen.line();
    const state = await this.#shop.tightenedState();
    const contradictions = await this.#stage.tighten(state, pair, this.#screen);
    if (contradictions.length > 0) throw new Contradiction(contradictions);
    const before = this.#answers;
    await this.#see(state);
    this.#screen.line();
    this.#showChanges(changesOf(this.#flows, before, this.#answers));
    return state;
  }

  #showRemovedLine(): void {
    const { file, firstNumber, lines } = this.#shop.removedLine();
    this.#screen.line(`  ${file}`);
    for (const [index, { text, isRemoved }] of lines.entries()) {
      const line = `${isRemoved ? "-" : " "} ${String(firstNumber + index).padStart(4)}  ${text}`;
      this.#screen.line(isRemoved ? this.#screen.colours.red(line) : line);
    }
  }

  async #explain(state: LabInput): Promise<void> {
    const { from, to, traffic } = this.#flow("api", "search", 9200);
    const port = `${traffic.port}/${traffic.protocol}`;
    await this.#screen.heading(`Why? nftpol explain ${from.name} ${to.name} ${port}`);
    const ends = {
      from: { name: from.name, kind: "pod" as const, addresses: [from.address] },
      to: { name: to.name, kind: "pod" as const, addresses: [to.address] },
    };
    const [explanation] = explainFlows(state.store, ends, traffic, PROGRAM, 4);
    if (explanation === undefined) throw new Error("a flow without an explanation");
    const { red, green } = this.#screen.colours;
    for (const direction of ["egress", "ingress"] as const) {
      const half = explanation.verdict[direction];
      const word = half.allow ? "allow" : "deny";
      this.#screen.item(word.padEnd(5), `${direction} of ${half.subject ?? ""}`, half.allow ? green : red);
      const details = explainHalf(state.store, direction, half, explanation.flow, { everyRule: false });
      for (const detail of details) {
        const indent = /^ */.exec(detail)?.[0].length ?? 0;
        this.#screen.item(" ".repeat(5 + indent), detail.trimStart());
      }
    }
  }

  async #prove(state: LabInput): Promise<void> {
    const { isLive } = this.#stage;
    await this.#screen.heading(
      isLive ? "And packets that nobody sent? nftpol prove --live" : "Do rules mean the same? nftpol prove",
    );
    for (const { name } of state.plan.nodes) {
      const rules = nftRules(await this.#stage.ruleset(state, name));
      const proof = proveNode(state.store, name, rules, PROGRAM);
      if (proof.outcome !== "equal") throw new Contradiction([`the rules of ${name} are not proven: ${proof.outcome}`]);
      const which = isLive ? "the table in its kernel" : "its table";
      this.#screen.item(
        name,
        `${which} = the policies, for every packet: ${proof.packetClasses.toLocaleString("en-US")} packet classes compared`,
      );
    }
  }

  #flow(from: string, to: string, port: number): DemoFlow {
    const found = this.#flows.find((flow) => {
      return flow.from.label === from && flow.to.label === to && flow.traffic.port === port;
    });
    if (found === undefined) throw new Error(`there is no flow ${from} -> ${to}:${port}`);
    return found;
  }

  /** Puts the state in force. Throws Contradiction where its flows are not as its policies mean. */
  async #see(state: LabInput): Promise<Sight> {
    const sight = await this.#stage.see(state, this.#flows);
    const meant = meantAnswers(state, this.#flows);
    const wrong = this.#flows.flatMap(({ from, to, traffic }, index) => {
      if (meant[index] === sight.answers[index]) return [];
      const should = meant[index] ? "should get through, and does not" : "should be stopped, and gets through";
      return [`${from.name} → ${to.name}:${traffic.port}/${traffic.protocol} ${should}`];
    });
    if (wrong.length > 0) throw new Contradiction(wrong.slice(0, 5));
    this.#answers = sight.answers;
    return sight;
  }

  #openCount(): string {
    return `${this.#answers.filter(Boolean).length} of ${countOf(this.#flows.length, "flow")} open`;
  }
}
