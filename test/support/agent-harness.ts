// The whole agent in one process: a fake API server over HTTPS with a token behind a TCP proxy, a table in memory, connections
// in memory. Owns these surroundings and what the table should be; agents run in running-agent.ts.

import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, onTestFinished } from "vitest";
import { compileRuleset } from "../../src/backends/nft/compile.ts";
import type { Ruleset } from "../../src/backends/nft/ruleset.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { MemoryConnectionTracker } from "../../src/netlink/memory-connection-tracker.ts";
import { DEFAULT_PROGRAM_OPTIONS, type ProgramOptions } from "../../src/program/program.ts";
import { type FakeApiServer, type FakeApiServerOptions, startServer } from "../api-server/fake-api-server.ts";
import { clusterOf, writeKubeconfig } from "../api-server/kubeconfig-files.ts";
import { MonitoredTable, tableText } from "./monitored-table.ts";
import type { ApiObject } from "./random-cluster.ts";
import { type AgentOptions, RunningAgent, THIS_NODE } from "./running-agent.ts";
import {
  clusterOfServer,
  deleteObject,
  installKind,
  pathOf,
  putObject,
  TIER_KINDS,
  type TierKind,
} from "./server-objects.ts";
import { UnreliableNetwork } from "./unreliable-network.ts";
import { until } from "./until.ts";

/** Not removed with each test: a request that was given up may still read its token. */
const folder = mkdtempSync(join(tmpdir(), "nftpol-agent-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Real servers: about once a minute. Well below the shortened `watchIdleMs`. */
const BOOKMARK_EVERY_MS = 100;

export interface ScenarioOptions {
  readonly server?: FakeApiServerOptions;
  /** What the kernel has before the first agent. */
  readonly table?: Ruleset;
  readonly tracker?: MemoryConnectionTracker;
  readonly program?: Partial<ProgramOptions>;
  /** Kinds of policies whose CRDs are there from the beginning. Default: all. */
  readonly installed?: readonly TierKind[];
}

export class Scenario {
  readonly server: FakeApiServer;
  readonly network: UnreliableNetwork;
  readonly table: MonitoredTable;
  readonly tracker: MemoryConnectionTracker;
  readonly program: ProgramOptions;
  readonly #kubeconfig: string;
  readonly #tokenFile: string;

  private constructor(server: FakeApiServer, network: UnreliableNetwork, options: ScenarioOptions) {
    this.server = server;
    this.network = network;
    for (const kind of options.installed ?? TIER_KINDS) installKind(server.store, kind);
    this.table = new MonitoredTable(options.table);
    this.tracker = options.tracker ?? new MemoryConnectionTracker();
    this.program = { ...DEFAULT_PROGRAM_OPTIONS, ...options.program };
    this.#tokenFile = join(folder, randomUUID());
    this.writeToken("first-token");
    const cluster = { ...clusterOf(server), server: `https://127.0.0.1:${network.port}` };
    // What client-node makes of a pod's service account.
    const user = { "auth-provider": { name: "tokenFile", config: { tokenFile: this.#tokenFile } } };
    this.#kubeconfig = writeKubeconfig({ cluster, user }, folder, randomUUID());
  }

  /** Everything ends with the test. */
  static async start(options: ScenarioOptions = {}): Promise<Scenario> {
    const server = await startServer({
      tokens: ["first-token"],
      bookmarkEveryMs: BOOKMARK_EVERY_MS,
      ...options.server,
    });
    const network = await UnreliableNetwork.start(server.port);
    onTestFinished(() => network.close());
    return new Scenario(server, network, options);
  }

  /** What the kubelet does about hourly; the server decides which token it takes. */
  writeToken(token: string): void {
    writeFileSync(this.#tokenFile, token);
  }

  put(...objects: readonly ApiObject[]): void {
    for (const object of objects) putObject(this.server.store, object);
  }

  delete(...objects: readonly ApiObject[]): void {
    for (const object of objects) deleteObject(this.server.store, object);
  }

  install(...kinds: readonly TierKind[]): void {
    for (const kind of kinds) installKind(this.server.store, kind);
  }

  /** With all its objects. */
  uninstall(...kinds: readonly TierKind[]): void {
    for (const kind of kinds) this.server.store.removeResource(pathOf(kind));
  }

  /** The table that a fresh compile makes of the server's objects. */
  expectedRuleset(): Ruleset {
    return compileRuleset(new RuleGraph(clusterOfServer(this.server.store), THIS_NODE, this.program).program());
  }

  async isInForce(): Promise<boolean> {
    return (await this.table.text()) === tableText(this.expectedRuleset());
  }

  /** Until the table is what the server's objects mean. */
  async inForce(): Promise<void> {
    await until("the table is what the server's objects mean", () => this.isInForce());
  }

  /** A new agent over the same server and table. Stopped at the test's end, and must not have failed. */
  async startAgent(options: AgentOptions = {}): Promise<RunningAgent> {
    const { table, tracker, program } = this;
    const running = await RunningAgent.start({ kubeconfig: this.#kubeconfig, table, tracker, program }, options);
    onTestFinished(() => {
      this.table.heal();
      return running.stop();
    });
    return running;
  }
}
