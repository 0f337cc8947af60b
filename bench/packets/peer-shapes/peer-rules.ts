// Rules in other engines' shapes, ready to be loaded again and again. Owns what the node is asked before, and what counts; the programs
// that load are in peer-tools.ts.

import type { Packet } from "../../../src/backends/packet.ts";
import { type BenchRules, type MetRules, type RuleCounter, type RunInNode, rulesAsked, timesOf } from "../backend.ts";
import type { Ends } from "../variant.ts";
import type { EndLinks } from "./calico-dispatch.ts";
import type { PeerRule, PeerRuleset } from "./peer-ruleset.ts";
import type { PeerTool } from "./peer-tools.ts";
import { tracePeerRules } from "./trace-peer.ts";

/** Links' names are all that may differ between what it makes. */
export type RulesetOf = (links: EndLinks) => PeerRuleset;

/** Before the node was asked. */
const ASSUMED_LINKS: EndLinks = { client: "pod0", server: "pod1" };

export class PeerRules implements BenchRules {
  readonly counters: readonly RuleCounter[];
  readonly #ends: Ends;
  readonly #tool: PeerTool;
  readonly #rulesetOf: RulesetOf;
  readonly #traced: PeerRuleset;
  /** What was loaded last. */
  #made: { readonly links: EndLinks; readonly ruleset: PeerRuleset };

  constructor(ends: Ends, tool: PeerTool, rulesetOf: RulesetOf) {
    this.#ends = ends;
    this.#tool = tool;
    this.#rulesetOf = rulesetOf;
    this.#traced = rulesetOf(ASSUMED_LINKS);
    this.#made = { links: ASSUMED_LINKS, ruleset: this.#traced };
    this.counters = [...this.#traced.chains].flatMap(([chain, rules]) =>
      rules.flatMap((rule, index) =>
        isLimited(rule) ? [] : [{ name: tool.counterOf(chain, index), isLookUp: false }],
      ),
    );
  }

  async load(run: RunInNode, { counted } = { counted: false }): Promise<void> {
    const { client, server } = this.#ends;
    const links = { client: await linkTo(client, run), server: await linkTo(server, run) };
    if (links.client !== this.#made.links.client || links.server !== this.#made.links.server)
      this.#made = { links, ruleset: this.#rulesetOf(links) };
    await this.#tool.load(this.#made.ruleset, run, counted);
  }

  trace(packet: Packet): MetRules {
    const { verdict, steps } = tracePeerRules(this.#traced, packet);
    return {
      verdict,
      counters: timesOf(steps.map(({ chain, ruleIndex }) => this.#tool.counterOf(chain, ruleIndex))),
      comments: steps.flatMap(({ rule }) => rule.origin ?? []),
      rulesAsked: rulesAsked(steps),
    };
  }

  takeCounters(run: RunInNode): Promise<ReadonlyMap<string, number>> {
    return this.#tool.takeCounters(
      this.#traced.family,
      run,
      this.counters.map(({ name }) => name),
    );
  }
}

/** What it takes is less than what it is asked for. */
function isLimited({ matches }: PeerRule): boolean {
  return matches.some(({ kind }) => kind === "limit");
}

async function linkTo(address: string, run: RunInNode): Promise<string> {
  const routes = JSON.parse(await run(["ip", "-j", "route", "get", address])) as readonly { readonly dev: string }[];
  const [route] = routes;
  if (route === undefined) throw new Error(`no route to ${address}`);
  return route.dev;
}
