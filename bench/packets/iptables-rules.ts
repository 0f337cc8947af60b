// Rules of the iptables backend in either variant, its floor, and the linear dispatch that its tree of sets stands against. Owns how
// they are loaded and taken away again, and what the kernel's counters of rules say. IPv4 only, but for the
// floor: other engines' rules stand beside it, too.

import { chain, DROP, goto, inConstantBlock, jump, RETURN, rule } from "../../src/backends/iptables/build.ts";
import { compileRuleset } from "../../src/backends/iptables/compile.ts";
import {
  classChain,
  type DispatchKind,
  dispatchChain,
  FORWARD_CHAIN,
  judgedSet,
} from "../../src/backends/iptables/names.ts";
import { type Chain, type IptablesRuleset, setsOfRule } from "../../src/backends/iptables/ruleset.ts";
import { restoreText, setsText } from "../../src/backends/iptables/text.ts";
import { tracePacket } from "../../src/backends/iptables/trace.ts";
import { VARIANTS } from "../../src/backends/iptables/xtables-version.ts";
import type { Packet } from "../../src/backends/packet.ts";
import { addressFamily } from "../../src/net/address.ts";
import type { NodeProgram } from "../../src/program/program.ts";
import {
  type BackendName,
  type BenchBackend,
  type BenchRules,
  type MetRules,
  type RuleCounter,
  type RunInNode,
  rulesAsked,
  timesOf,
} from "./backend.ts";
import { type BenchPolicies, programOf } from "./bench-cluster.ts";
import type { Ends, Outcome } from "./variant.ts";

export type XtablesName = Extract<BackendName, `iptables-${string}`>;

export const IPTABLES: readonly BenchBackend[] = VARIANTS.map((variant) => {
  const name: XtablesName = `iptables-${variant}`;
  return {
    name,
    programs: [`${name}-restore`, `${name}-save`, "ipset"],
    floor: (outcome) => floorRules(name, outcome),
    compile: (policies, ends) => rulesOf(name, compileRuleset, policies, ends),
    compileLinear: (policies, ends) => rulesOf(name, linearRuleset, policies, ends),
  };
});

/** undefined: not measured over IPv6. */
function rulesOf(
  name: XtablesName,
  compile: (program: NodeProgram) => IptablesRuleset,
  policies: BenchPolicies,
  ends: Ends,
): BenchRules | undefined {
  return addressFamily(ends.server) === 4 ? new IptablesRules(name, compile(programOf(policies, ends))) : undefined;
}

/** Our rules as data know no ACCEPT; for the tracer, RETURN is the same in a built-in chain: what its policy does. */
function floorRules(name: XtablesName, outcome: Outcome): BenchRules {
  const known = rule([{ kind: "connection-state", states: ["RELATED", "ESTABLISHED"] }], RETURN);
  const forward = chain("FORWARD", outcome !== "denied" ? [known] : [known, rule([], DROP)]);
  const drop = outcome !== "denied" ? "" : "-A FORWARD -j DROP\n";
  return new IptablesRules(
    name,
    { chains: { 4: new Map([[forward.name, forward]]), 6: new Map() }, sets: new Map() },
    `*filter\n-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT\n${drop}COMMIT\n`,
  );
}

/** As kube-router's rules are shaped: every packet that is not known asks `-d POD -g CLASS` of one pod after the other. */
function linearRuleset(program: NodeProgram): IptablesRuleset {
  const ruleset = compileRuleset(program);
  const chains = new Map(ruleset.chains[4]);
  for (const kind of ["egress", "ingress"] as const) {
    for (const name of chains.keys()) if (isDispatch(name, kind)) chains.delete(name);
    chains.set(dispatchChain(kind), linearDispatch(kind, program));
  }
  const forward = chains.get(FORWARD_CHAIN) as Chain;
  chains.set(FORWARD_CHAIN, chain(FORWARD_CHAIN, forward.rules.map(withoutJudged)));
  return { chains: { 4: chains, 6: new Map() }, sets: ruleset.sets };
}

function isDispatch(name: string, kind: DispatchKind): boolean {
  const root = dispatchChain(kind);
  return name === root || name.startsWith(`${root}-`);
}

function linearDispatch(kind: "egress" | "ingress", { dispatch }: NodeProgram): Chain {
  const judged = [...dispatch].flatMap(([address, entry]) => {
    const id = entry[kind];
    return id === undefined ? [] : [{ address, id }];
  });
  const sorted = judged.sort((a, b) => (a.id < b.id ? -1 : a.id > b.id ? 1 : 0));
  const side = kind === "egress" ? "src" : "dst";
  const rules = sorted.map(({ address, id }) => rule([inConstantBlock(side, `${address}/32`)], goto(classChain(id))));
  return chain(dispatchChain(kind), rules);
}

/** Nobody is told apart beforehand. */
function withoutJudged(each: Chain["rules"][number]): Chain["rules"][number] {
  for (const kind of ["egress", "ingress"] as const)
    if (setsOfRule(each).includes(judgedSet(kind, 4))) return rule([], jump(dispatchChain(kind)));
  return each;
}

/** Nothing else works in these namespaces, and the lock file of iptables is the host's. */
const WITHOUT_LOCK = ["env", "XTABLES_LOCKFILE=/dev/null"];
const EMPTY_FILTER = "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n";
/** The kernel lets a set go a moment after the rules that looked it up. */
const DESTROY_TRIES = 50;

export class IptablesRules implements BenchRules {
  readonly ruleset: IptablesRuleset;
  readonly counters: readonly RuleCounter[];
  readonly #name: XtablesName;
  readonly #sets: string;
  readonly #rules: string;
  readonly #ipv6Rules: string | undefined;

  /** `text`: for iptables-restore, of both families; default: as the backend writes the rules for IPv4. */
  constructor(name: XtablesName, ruleset: IptablesRuleset, text?: string) {
    this.#name = name;
    this.ruleset = ruleset;
    this.#sets = setsText([...ruleset.sets.values()].filter(({ family }) => family === 4));
    this.#rules = text ?? restoreText(ruleset.chains[4].values(), 4);
    this.#ipv6Rules = text;
    this.counters = [...ruleset.chains[4].values()].flatMap((own) =>
      own.rules.map((_, index) => ({ name: counterOf(own.name, index), isLookUp: false })),
    );
  }

  /** Each rule has a counter always. */
  async load(run: RunInNode): Promise<void> {
    // The rules before may have been of the other family, and of another shape.
    for (const restore of [`${this.#name}-restore`, ipv6Restore(this.#name)])
      await run([...WITHOUT_LOCK, restore], EMPTY_FILTER);
    await destroySets(run);
    if (this.#sets !== "") await run(["ipset", "restore"], this.#sets);
    await run([...WITHOUT_LOCK, `${this.#name}-restore`, "--noflush"], this.#rules);
    if (this.#ipv6Rules !== undefined) await run([...WITHOUT_LOCK, ipv6Restore(this.#name)], this.#ipv6Rules);
  }

  trace(packet: Packet): MetRules {
    const { verdict, steps } = tracePacket(this.ruleset, packet);
    return {
      verdict,
      counters: timesOf(steps.map((step) => counterOf(step.chain, step.ruleIndex))),
      comments: steps.flatMap((step) => step.rule.comment ?? []),
      rulesAsked: rulesAsked(steps),
    };
  }

  async takeCounters(run: RunInNode): Promise<ReadonlyMap<string, number>> {
    const saved = await run([...WITHOUT_LOCK, `${this.#name}-save`, "-c", "-t", "filter"]);
    await run([...WITHOUT_LOCK, this.#name, "-Z"]);
    return savedCounters(saved);
  }
}

function ipv6Restore(name: XtablesName): string {
  return `${name.replace("iptables", "ip6tables")}-restore`;
}

async function destroySets(run: RunInNode): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await run(["ipset", "destroy"]);
      return;
    } catch (error) {
      if (tries === DESTROY_TRIES) throw error;
    }
  }
}

/** By chain, and place among its rules from 0. */
export function savedCounters(saved: string): ReadonlyMap<string, number> {
  const counters = new Map<string, number>();
  const rulesOf = new Map<string, number>();
  for (const [, packets, name = ""] of saved.matchAll(/^\[(\d+):\d+\] -A (\S+) /gm)) {
    const index = rulesOf.get(name) ?? 0;
    rulesOf.set(name, index + 1);
    counters.set(counterOf(name, index), Number(packets));
  }
  return counters;
}

function counterOf(chainName: string, ruleIndex: number): string {
  return `${chainName}#${ruleIndex}`;
}
