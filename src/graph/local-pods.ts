// The pods of this node and the class that judges each of them, per direction and family.

import type { PodKey } from "../model/cluster.ts";
import { ANY, DIRECTIONS, type Direction, type Policy, type PolicyKey, type Rule } from "../model/policy.ts";
import { type Address, addressFamily, FAMILIES, type Family } from "../net/address.ts";
import type { Dispatch, ProgramOptions } from "../program/program.ts";
import { type NamedPort, namedPorts, type PortResolver } from "../program/rule-runs.ts";
import type { StateChange } from "../state/change.ts";
import type { ClusterView, SelectablePod } from "../state/view.ts";
import { judgingIn, judgingTowardsOwnNode, orderPolicies } from "./class-policies.ts";
import type { ClassEntry, ClassTable } from "./class-table.ts";
import { queryMatches } from "./selections.ts";
import { SelectorIndex } from "./selector-index.ts";

interface LocalPod {
  readonly pod: SelectablePod;
  readonly classes: ReadonlyMap<ClassSlot, ClassEntry>;
}

type ClassSlot = `${keyof Dispatch}${Family}`;

interface TrackedPolicy {
  readonly policy: Policy;
  /** Another one for every change of the policy. */
  readonly revision: number;
}

export class LocalPods {
  readonly #view: ClusterView;
  readonly #nodeName: string;
  readonly #classes: ClassTable;
  readonly #options: ProgramOptions;
  readonly #subjects = new SelectorIndex<PolicyKey>();
  readonly #policies = new Map<PolicyKey, TrackedPolicy>();
  readonly #pods = new Map<PodKey, LocalPod>();
  #revisions = 0;

  constructor(view: ClusterView, nodeName: string, classes: ClassTable, options: ProgramOptions) {
    this.#view = view;
    this.#nodeName = nodeName;
    this.#classes = classes;
    this.#options = options;
  }

  /** Takes a change in; returns the addresses whose dispatch may have changed. */
  apply(change: StateChange): Set<Address> {
    const touched = new Set<Address>();
    switch (change.kind) {
      case "pod":
        if (this.#isLocal(change.before) || this.#isLocal(change.after)) this.#refresh(podKeyOf(change), touched);
        break;
      case "namespace":
        for (const { pod } of [...this.#pods.values()]) {
          if (pod.pod.namespace === change.name) this.#refresh(pod.key, touched);
        }
        break;
      case "policy":
        this.#setPolicy(change.before, change.after);
        for (const { pod } of [...this.#pods.values()]) {
          const concerned = [change.before, change.after].some(
            (policy) => policy !== undefined && queryMatches(this.#view, policy.subject, pod),
          );
          if (concerned) this.#refresh(pod.key, touched);
        }
        break;
    }
    return touched;
  }

  /** Selectable pods of this node, in no order. */
  *pods(): Iterable<SelectablePod> {
    for (const { pod } of this.#pods.values()) yield pod;
  }

  /** What the owner of an address is judged by, if it is local and anything judges it. */
  dispatchOf(address: Address): Dispatch | undefined {
    const owner = this.#view.ownerOf(address);
    const local = owner === undefined ? undefined : this.#pods.get(owner.key);
    if (local === undefined) return undefined;
    const family = addressFamily(address);
    const classIn = (slot: keyof Dispatch) => local.classes.get(`${slot}${family}`)?.policyClass.id;
    const [egress, ingress, toOwnNode] = [classIn("egress"), classIn("ingress"), classIn("toOwnNode")];
    return egress === undefined && ingress === undefined ? undefined : { egress, ingress, toOwnNode };
  }

  #isLocal(pod: SelectablePod | undefined): boolean {
    return pod !== undefined && pod.pod.nodeName === this.#nodeName;
  }

  #setPolicy(before: Policy | undefined, after: Policy | undefined): void {
    if (before !== undefined) {
      this.#subjects.remove(before.subject, before.key);
      this.#policies.delete(before.key);
    }
    if (after !== undefined) {
      this.#subjects.add(after.subject, after.key);
      this.#policies.set(after.key, { policy: after, revision: ++this.#revisions });
    }
  }

  #refresh(key: PodKey, touched: Set<Address>): void {
    const previous = this.#pods.get(key);
    const current = this.#view.selectablePod(key);
    const pod = this.#isLocal(current) ? current : undefined;
    // Also of a pod that has left: an address that it took along may have been dispatched by what it was here before.
    for (const address of [...(previous?.pod.addresses ?? []), ...(current?.addresses ?? [])]) touched.add(address);
    if (pod === undefined) this.#pods.delete(key);
    else this.#pods.set(key, { pod, classes: this.#classify(pod) });
    for (const entry of previous?.classes.values() ?? []) this.#classes.release(entry);
  }

  #classify(pod: SelectablePod): Map<ClassSlot, ClassEntry> {
    const selecting = this.#policiesSelecting(pod);
    const classes = new Map<ClassSlot, ClassEntry>();
    const add = (slot: keyof Dispatch, direction: Direction, judging: readonly TrackedPolicy[]) => {
      if (judging.length === 0) return;
      const policies = judging.map(({ policy }) => policy);
      const resolve = (port: NamedPort) => resolvePort(pod, port);
      const meaning = direction === "ingress" ? meaningOfNames(policies, resolve) : "";
      const revisions = judging.map(({ revision }) => revision).join(",");
      for (const family of FAMILIES) {
        if (!pod.addresses.some((address) => addressFamily(address) === family)) continue;
        const source = `${direction}${family}|${revisions}|${meaning}`;
        classes.set(`${slot}${family}`, this.#classes.acquire(source, direction, family, policies, resolve));
      }
    };
    for (const direction of DIRECTIONS) add(direction, direction, judgingIn(selecting, direction));
    add("toOwnNode", "egress", judgingTowardsOwnNode(selecting, this.#options));
    return classes;
  }

  #policiesSelecting(pod: SelectablePod): TrackedPolicy[] {
    const candidates = new Set<PolicyKey>();
    this.#subjects.collectCandidates(pod.pod.namespace, pod.pod.labels, candidates);
    const selecting = [...candidates]
      .map((key) => this.#policies.get(key) as TrackedPolicy)
      .filter(({ policy }) => queryMatches(this.#view, policy.subject, pod));
    return orderPolicies(selecting);
  }
}

function podKeyOf(change: StateChange & { kind: "pod" }): PodKey {
  return (change.after ?? (change.before as SelectablePod)).key;
}

/** A name may stand on several containers of one pod; then it means all their numbers. Ascending, without duplicates. */
function resolvePort(pod: SelectablePod, { name, protocol }: NamedPort): number[] {
  const ports = pod.pod.ports.filter((port) => port.name === name && port.protocol === protocol);
  return [...new Set(ports.map((port) => port.port))].sort((a, b) => a - b);
}

/** The numbers behind every port name that the policies' ingress rules use, as text: part of what makes a class. */
function meaningOfNames(policies: readonly Policy[], resolve: PortResolver): string {
  const rules = policies.flatMap((policy): readonly Rule[] => policy.rules.ingress);
  const matches = rules.flatMap(({ ports }) => (ports === ANY ? [] : ports));
  const names = matches.flatMap((match) => (match.kind === "named" ? namedPorts(match) : []));
  return names.map((port) => `${port.protocol}/${port.name}=${resolve(port).join("+")}`).join(",");
}
