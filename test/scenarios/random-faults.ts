// Random faults of API server, network and kernel, and their end. Owns which there are; how each looks is the fakes' business.

import type { Fault } from "../api-server/faults.ts";
import { statusObject, tooOld } from "../api-server/status-object.ts";
import type { Scenario } from "../support/agent-harness.ts";
import type { KernelFault } from "../support/monitored-table.ts";
import { KINDS, pathOf } from "../support/server-objects.ts";
import type { RandomSource } from "./random-source.ts";

const DISCOVERY_PATHS = ["", "/v1alpha1", "/v1alpha2"].map((end) => `/apis/policy.networking.k8s.io${end}`);
const FOREIGN_RULE = { where: "chain forward, rule 1", json: '{"match":{}}', chain: "forward" };
const FOREIGN_SET = { where: "set theirs", json: '{"set":{}}', chain: undefined };

export class RandomFaults {
  readonly #random: RandomSource;
  readonly #scenario: Scenario;
  #tokens = 1;

  constructor(random: RandomSource, scenario: Scenario) {
    this.#random = random;
    this.#scenario = scenario;
  }

  /** One fault; returns it in words. */
  happen(): string {
    const happen = this.#random.pick([
      this.#badAnswers,
      this.#badAnswers,
      this.#badAnswers,
      this.#badAnswers,
      this.#badAnswers,
      this.#badAnswers,
      this.#cutConnections,
      this.#cutConnections,
      this.#compaction,
      this.#forgottenConnections,
      this.#blackhole,
      this.#allFail,
      this.#forbidden,
      this.#expiredToken,
      this.#kernelFault,
      this.#kernelFault,
      this.#kernelFault,
      this.#foreignChange,
      this.#foreignChange,
    ]);
    return happen();
  }

  /** New requests and calls go well again. What happened to open connections has happened: it takes time-outs to notice. */
  heal(): string {
    const { server, network, table } = this.#scenario;
    server.clearFaults();
    server.forbidden = [];
    this.#scenario.writeToken(server.tokens[0] as string);
    network.heal();
    table.heal();
    return "faults end";
  }

  /** The same, and connections that do not work any more are ended. */
  healAll(): string {
    this.heal();
    this.#scenario.network.resetLostConnections();
    this.#scenario.server.cutConnections();
    return "everything heals";
  }

  /** The next requests for one resource, or for some. Watches that are open are cut, or the fault would wait for their end. */
  readonly #badAnswers = () => {
    const random = this.#random;
    const path = random.pick([...KINDS.map(pathOf), ...DISCOVERY_PATHS]);
    const fault = this.#answerFault();
    const times = 1 + random.below(3);
    this.#scenario.server.failNext(path, fault, times);
    if (random.chance(0.7)) this.#scenario.server.cutConnections();
    return `${times} times at ${path}: ${JSON.stringify(fault)}`;
  };

  #answerFault(): Fault {
    const random = this.#random;
    if (random.chance(0.5)) return random.pick(this.#watchFaults(random.below(4)));
    return random.pick<Fault>([
      failure(500, "InternalError"),
      failure(503, "ServiceUnavailable", { "retry-after": "1" }),
      failure(429, "TooManyRequests", { "retry-after": "1" }),
      failure(410, "Expired"),
      { kind: "answer", status: 200, body: "<html>log in</html>" },
      { kind: "reset" },
      { kind: "silence" },
      { kind: "late", delayMs: random.below(100) },
      { kind: "slow headers", byteEveryMs: 20 },
      { kind: "broken body", begin: '{"kind":"PodList","items":[', ending: random.pick(["reset", "silence"]) },
    ]);
  }

  #watchFaults(afterEvents: number): readonly Fault[] {
    const random = this.#random;
    const ends = (ending: Extract<Fault, { kind: "end watch" }>["ending"]): Fault => {
      return { kind: "end watch", afterEvents, ending };
    };
    return [
      ends({ kind: "reset" }),
      ends({ kind: "close" }),
      ends({ kind: "silence" }),
      ends({ kind: "bad frame", line: random.pick(["{", '{"type":"CHANGED","object":{}}', "<html>"]) }),
      ends({ kind: "half frame", followedBy: random.pick(["reset", "close"]) }),
      ends({ kind: "error event", status: tooOld(1, 2) }),
      ends({ kind: "error event", status: statusObject(500, "InternalError", "because") }),
      { kind: "close watch", afterMs: random.below(60) },
      { kind: "repeat events" },
      { kind: "slow watch", eventEveryMs: random.below(30) },
    ];
  }

  readonly #cutConnections = () => {
    this.#scenario.server.cutConnections();
    return "all connections are cut";
  };

  /** Watches that are away now cannot go on. */
  readonly #compaction = () => {
    this.#scenario.server.store.compact();
    if (this.#random.chance(0.5)) this.#scenario.server.cutConnections();
    return "the history is compacted";
  };

  readonly #forgottenConnections = () => {
    this.#scenario.network.loseConnections();
    return "all connections work no more, and nobody is told";
  };

  readonly #blackhole = () => {
    this.#scenario.network.blackhole();
    return "nothing arrives any more";
  };

  /** As during a restart of the API server. */
  readonly #allFail = () => {
    const fault = this.#random.pick<Fault>([{ kind: "reset" }, failure(503, "ServiceUnavailable")]);
    this.#scenario.server.addFault(() => fault);
    this.#scenario.server.cutConnections();
    return `every request: ${JSON.stringify(fault)}`;
  };

  readonly #forbidden = () => {
    const path = pathOf(this.#random.pick(KINDS));
    this.#scenario.server.forbidden = [path];
    this.#scenario.server.cutConnections();
    return `${path} is forbidden`;
  };

  readonly #expiredToken = () => {
    const token = `token-${++this.#tokens}`;
    this.#scenario.server.tokens = [token];
    this.#scenario.server.cutConnections();
    const isReplaced = this.#random.chance(0.5);
    if (isReplaced) this.#scenario.writeToken(token);
    return `the token has expired${isReplaced ? ", and there is a new one" : ""}`;
  };

  readonly #kernelFault = () => {
    const random = this.#random;
    const fault = random.pick<KernelFault>([
      { kind: "refuse" },
      { kind: "die", committed: false },
      { kind: "die", committed: true },
      { kind: "hang", committed: false },
      { kind: "hang", committed: true },
    ]);
    const isRead = random.chance(0.3);
    const times = 1 + random.below(2);
    if (isRead) this.#scenario.table.failNextRead(fault, times);
    else this.#scenario.table.failNextWrite(fault, times);
    return `${times} times at ${isRead ? "reading" : "writing"} the table: ${JSON.stringify(fault)}`;
  };

  readonly #foreignChange = () => {
    const { table } = this.#scenario;
    const ruleset = table.ruleset();
    if (ruleset === undefined || this.#random.chance(0.25)) {
      table.tamper(undefined);
      return "somebody deletes the table";
    }
    const sets = new Map(ruleset.sets);
    const chains = new Map(ruleset.chains);
    const [what, unknown] = this.#random.pick([
      [
        "empties a set",
        () => {
          const set = this.#random.pick([...sets.values()]);
          sets.set(set.name, set.kind === "map" ? { ...set, elements: new Map() } : { ...set, elements: new Set() });
          return [];
        },
      ],
      [
        "empties a chain",
        () => {
          const chain = this.#random.pick([...chains.values()]);
          chains.set(chain.name, { ...chain, rules: [] });
          return [];
        },
      ],
      ["adds a rule of their own", () => [FOREIGN_RULE]],
      ["adds a set of their own", () => [FOREIGN_SET]],
    ] as const);
    const left = unknown();
    table.tamper({ ...ruleset, sets, chains }, left);
    return `somebody ${what}`;
  };
}

function failure(status: number, reason: string, headers: Readonly<Record<string, string>> = {}): Fault {
  return { kind: "answer", status, headers, body: JSON.stringify(statusObject(status, reason, "because")) };
}
