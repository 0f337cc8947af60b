// The pods of this node and the class that judges each of them, per direction and family.

import type { PodKey } from "../model/cluster.ts";
import { DIRECTIONS, type Direction, type Policy, type PolicyKey, type PortMatch } from "../model/policy.ts";
import { type Address, addressFamily, FAMILIES, type Family } from "../net/address.ts";
import type { Dispatch } from "../program/program.ts";
import type { StateChange } from "../state/change.ts";
import type { ClusterView, SelectablePod } from "../state/view.ts";
import type { ClassEntry, ClassTable } from "./class-table.ts";
import { queryMatches } from "./selections.ts";
import { SelectorIndex } from "./selector-index.ts";

interface LocalPod {
  readonly pod: SelectablePod;
  readonly classes: ReadonlyMap<ClassSlot, ClassEntry>;
}

type ClassSlot = `${Direction}${Family}`;
type NamedPort = PortMatch & { kind: "named" };

export class LocalPods {
  readonly #view: ClusterView;
  readonly #nodeName: string;
  readonly #classes: ClassTable;
  readonly #subjects = new SelectorIndex<PolicyKey>();
  readonly #policies = new Map<PolicyKey, { readonly policy: Policy; readonly revision: number }>();
  readonly #pods = new Map<PodKey, LocalPod>();
  #revisions = 0;

  constructor(view: ClusterView, nodeName: string, classes: ClassTable) {
    this.#view = view;
    this.#nodeName = nodeName;
    this.#classes = classes;
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

  /** What the owner of an address, if it is local and isolated, is judged by. */
  dispatchOf(address: Address): Dispatch | undefined {
    const owner = this.#view.ownerOf(address);
    const local = owner === undefined ? undefined : this.#pods.get(owner.key);
    if (local === undefined) return undefined;
    const family = addressFamily(address);
    const egress = local.classes.get(`egress${family}`)?.policyClass.id;
    const ingress = local.classes.get(`ingress${family}`)?.policyClass.id;
    return egress === undefined && ingress === undefined ? undefined : { egress, ingress };
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
    for (const direction of DIRECTIONS) {
      const isolating = selecting.filter(({ policy }) => policy.isolates[direction]);
      if (isolating.length === 0) continue;
      const policies = isolating.map(({ policy }) => policy);
      const resolve = (match: NamedPort) => resolvePort(pod, match);
      const meaning = direction === "ingress" ? meaningOfNames(policies, resolve) : "";
      const revisions = isolating.map(({ revision }) => revision).join(",");
      for (const family of FAMILIES) {
        if (!pod.addresses.some((address) => addressFamily(address) === family)) continue;
        const source = `${direction}${family}|${revisions}|${meaning}`;
        classes.set(`${direction}${family}`, this.#classes.acquire(source, direction, family, policies, resolve));
      }
    }
    return classes;
  }

  #policiesSelecting(pod: SelectablePod): { policy: Policy; revision: number }[] {
    const candidates = new Set<PolicyKey>();
    this.#subjects.collectCandidates(pod.pod.namespace, pod.pod.labels, candidates);
    return [...candidates]
      .sort()
      .map((key) => this.#policies.get(key) as { policy: Policy; revision: number })
      .filter(({ policy }) => queryMatches(this.#view, policy.subject, pod));
  }
}

function podKeyOf(change: StateChange & { kind: "pod" }): PodKey {
  return (change.after ?? (change.before as SelectablePod)).key;
}

/** A name may stand on several containers of one pod; then it means all their numbers. Ascending, without duplicates. */
function resolvePort(pod: SelectablePod, match: NamedPort): number[] {
  const ports = pod.pod.ports.filter((port) => port.name === match.name && port.protocol === match.protocol);
  return [...new Set(ports.map((port) => port.port))].sort((a, b) => a - b);
}

/** The numbers behind every port name that the policies' ingress rules use, as text: part of what makes a class. */
function meaningOfNames(policies: readonly Policy[], resolve: (match: NamedPort) => readonly number[]): string {
  const meanings: string[] = [];
  for (const policy of policies) {
    for (const rule of policy.rules.ingress) {
      if (rule.ports === "any") continue;
      for (const match of rule.ports) {
        if (match.kind === "named") meanings.push(`${match.protocol}/${match.name}=${resolve(match).join("+")}`);
      }
    }
  }
  return meanings.join(",");
}
