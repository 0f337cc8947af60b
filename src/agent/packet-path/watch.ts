// Watches whether this node's pods are in our path: looks, sets switches where it is allowed to, measures, and tells each
// problem once when it comes and once when it goes. Owns the order and the times; what is wrong is find-problems.ts's.

import { type Address, parseAddress } from "../../net/address.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { findPathProblems, type PathFacts, placePods } from "./find-problems.ts";
import type { PathMeasurement } from "./measurement.ts";
import { NodeLinks } from "./places.ts";
import { type PathProblem, problemKey, problemText, type SysctlFix } from "./problem.ts";
import type { PathReader } from "./reader.ts";
import { RouteHistory } from "./routes.ts";
import { SysctlError, type Sysctls, sysctlName } from "./sysctls.ts";

export interface PacketPathParts {
  /** Addresses of the pods of this node that policies can select. Called at each look. */
  readonly localPodAddresses: () => readonly string[];
  readonly reader: PathReader;
  /**
   * With it (`--manage-sysctls`) switches are set to 1 when pods of this node need them, and never to anything else:
   *
   * - `net.bridge.bridge-nf-call-iptables` and `-ip6tables`: pods of the family are on a bridge, and their packets pass by the
   *   rules. The switch is for all bridges of the node; other firewalls then see bridged packets too.
   * - `net.ipv4.ip_forward`, `net.ipv6.conf.all.forwarding`: the node routes for pods of the family, and the switch is off. A
   *   node that forwards routes between all its networks, as every node of a cluster has to; IPv6's is left alone where the
   *   node would lose the routes that are advertised to it.
   *
   * undefined: nothing is set. Modules are never loaded.
   */
  readonly managedSysctls: Pick<Sysctls, "write"> | undefined;
  /** `--service-proxy=ipvs`. */
  readonly judgesIpvs: boolean;
  /** undefined: only what can be read is judged. */
  readonly measurement: PathMeasurement | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const EVERY_MS = 60_000;
/** While no pod is known. */
const FIRST_PODS_MS = 1_000;
/** Pods named in a line of the log; `podCount` says how many there are. */
const LOGGED_PODS = 5;

export class PacketPathWatch {
  readonly #parts: PacketPathParts;
  readonly #routes: RouteHistory;
  #problems: ReadonlyMap<string, PathProblem> = new Map();
  /** Why a switch could not be set, to say it once. */
  readonly #refusedFixes = new Map<string, SysctlError>();
  #notMeasured: string | undefined;

  constructor(parts: PacketPathParts) {
    this.#parts = parts;
    this.#routes = new RouteHistory(parts.clock);
  }

  /** Looks as soon as there are local pods, and then every minute. Resolves after an abort, never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.check(signal);
      await this.#parts.clock.sleep(this.#podsAreKnown() ? EVERY_MS : FIRST_PODS_MS, signal);
    }
  }

  /** What stands now, a sentence each with what to do. */
  problems(): readonly string[] {
    return [...this.#problems.values()].map(problemText);
  }

  /** The same with their parts. */
  findings(): readonly PathProblem[] {
    return [...this.#problems.values()];
  }

  /** Whether packets from pod to pod were measured to cross the hooks, not long ago; undefined: nothing is measured. */
  get podsSeenCrossing(): boolean | undefined {
    return this.#parts.measurement?.podsSeenCrossing;
  }

  /** One look. What goes wrong in it is itself a problem; the others stay as last found. */
  async check(signal: AbortSignal): Promise<void> {
    try {
      const addresses = this.#localPods();
      if (addresses.size === 0) {
        this.#routes.settle(new Map());
        this.#replace([]);
        return;
      }
      const facts = await this.#factsAfterFixes(addresses);
      this.#tell(facts, addresses);
      await this.#measure(facts, addresses, signal);
    } catch (error) {
      const known = this.findings().filter(({ code }) => code !== "check-failed");
      this.#replace([...known, checkFailed(error)], error);
    }
  }

  #podsAreKnown(): boolean {
    // If it cannot be said there is a problem, and no hurry.
    return this.#problems.size > 0 || this.#routes.size > 0;
  }

  #localPods(): ReadonlySet<Address> {
    const addresses = new Set<Address>();
    for (const text of this.#parts.localPodAddresses()) {
      const parsed = parseAddress(text);
      if (parsed === undefined) throw new Error(`a local pod with the address ${JSON.stringify(text)}`);
      addresses.add(parsed.address);
    }
    return addresses;
  }

  async #factsAfterFixes(addresses: ReadonlySet<Address>): Promise<PathFacts> {
    const facts = await this.#read(addresses);
    const fixes = new Map<string, SysctlFix>();
    for (const { fix } of findPathProblems(facts)) if (fix !== undefined) fixes.set(fix.path, fix);
    const results = await Promise.all([...fixes.values()].map((fix) => this.#set(fix)));
    return results.includes(true) ? this.#read(addresses) : facts;
  }

  async #read(addresses: ReadonlySet<Address>): Promise<PathFacts> {
    const { reader, judgesIpvs, measurement } = this.#parts;
    const { links, routes, uplinks, switches } = await reader.read([...addresses]);
    const pods = this.#routes.settle(routes);
    return { links, uplinks, switches, pods, judgesIpvs, podsSeenCrossing: measurement?.podsSeenCrossing ?? false };
  }

  async #set({ path, value }: SysctlFix): Promise<boolean> {
    const { managedSysctls, log } = this.#parts;
    if (managedSysctls === undefined) return false;
    try {
      await managedSysctls.write(path, value);
    } catch (error) {
      if (!(error instanceof SysctlError)) throw error;
      if (this.#refusedFixes.get(path)?.message !== error.message) {
        log.warn({ sysctl: sysctlName(path), value, err: error }, "sysctl cannot be set");
      }
      this.#refusedFixes.set(path, error);
      return false;
    }
    this.#refusedFixes.delete(path);
    log.info({ sysctl: sysctlName(path), value }, "sysctl set");
    return true;
  }

  async #measure(facts: PathFacts, addresses: ReadonlySet<Address>, signal: AbortSignal): Promise<void> {
    const { measurement, log } = this.#parts;
    if (measurement === undefined || !measurement.isDue || signal.aborted) return;
    const ports = new NodeLinks(facts.links).portsOf(placePods(facts));
    try {
      await measurement.measure(addresses, ports, signal);
      this.#notMeasured = undefined;
    } catch (error) {
      // Old kernels cannot; what can be read is judged all the same.
      const reason = error instanceof Error ? error.message : String(error);
      if (reason !== this.#notMeasured) log.info({ err: error }, "packet path is not measured, only read");
      this.#notMeasured = reason;
      return;
    }
    this.#tell({ ...facts, podsSeenCrossing: measurement.podsSeenCrossing }, addresses);
  }

  #tell(facts: PathFacts, addresses: ReadonlySet<Address>): void {
    const found = findPathProblems(facts).map((problem) => this.#withRefusal(problem));
    const measured = this.#parts.measurement?.problem(addresses);
    this.#replace(measured === undefined ? found : [...found, measured]);
  }

  /** Who let us set it wants to know why it is not set, not that it could be. */
  #withRefusal(problem: PathProblem): PathProblem {
    const refusal = problem.fix === undefined ? undefined : this.#refusedFixes.get(problem.fix.path);
    return refusal === undefined ? problem : { ...problem, hint: `${refusal.message}; ${refusal.hint}` };
  }

  #replace(problems: readonly PathProblem[], error?: unknown): void {
    const next = new Map(problems.map((problem) => [problemKey(problem), problem]));
    for (const [key, problem] of next) {
      if (this.#problems.has(key)) continue;
      const { message, hint } = problem;
      const err = problem.code === "check-failed" ? { err: error } : {};
      this.#parts.log.warn({ ...logFields(problem), problem: message, hint, ...err }, "packet path problem");
    }
    for (const [key, problem] of this.#problems) {
      if (!next.has(key)) this.#parts.log.info(logFields(problem), "packet path problem is gone");
    }
    this.#problems = next;
  }
}

function logFields({ code, interfaceName, family, pods }: PathProblem) {
  return { code, interface: interfaceName, family, pods: pods.slice(0, LOGGED_PODS), podCount: pods.length };
}

function checkFailed(error: unknown): PathProblem {
  const hint = error instanceof SysctlError ? error.hint : "until it can be, nothing is known about the packet path";
  const reason = error instanceof Error ? error.message : String(error);
  const message = `the packet path cannot be checked: ${reason}`;
  return { code: "check-failed", family: undefined, interfaceName: undefined, pods: [], message, hint, fix: undefined };
}
