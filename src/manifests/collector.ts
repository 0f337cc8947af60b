// Gathers decoded objects of one run: expands lists, counts what is ignored, refuses the same object twice.

import { isMapping } from "../dialects/field-reader.ts";
import type { ObjectSource } from "../dialects/object-source.ts";
import type { DecodedObject } from "../dialects/registry.ts";
import { decodeObject } from "../dialects/registry.ts";
import type { Workload } from "../dialects/workloads.ts";
import type { Namespace, Node, Pod } from "../model/cluster.ts";
import type { Diagnostic, FieldPath, SourcePosition } from "../model/diagnostic.ts";
import { type Policy, policyDisplayName } from "../model/policy.ts";

export interface CollectedPod {
  readonly pod: Pod;
  /** A manifest of a pod to be: it gets a made-up address. */
  readonly unborn: boolean;
}

/** Where a value of a document stands, for lists: the source of a part of it. */
export interface ValueSource extends ObjectSource {
  itemSource(prefix: FieldPath): ObjectSource;
}

export class ObjectCollector {
  readonly namespaces: Namespace[] = [];
  readonly pods: CollectedPod[] = [];
  readonly nodes: Node[] = [];
  readonly policies: Policy[] = [];
  readonly workloads: Workload[] = [];
  readonly diagnostics: Diagnostic[] = [];
  readonly ignoredKinds = new Map<string, number>();
  /** kubectl's names of kinds of policies that are there and not enforced. */
  readonly unenforcedKinds = new Set<string>();
  /** Findings with whose object all is known that matters to what runs: it was collected, or it has no say before it has pods. */
  readonly contained = new Set<Diagnostic>();
  /** Set for large input: pods then hold no part of the text they were read from. */
  detachesPods = false;
  readonly #seen = new Map<string, SourcePosition>();
  readonly #onPolicy: ((value: unknown) => void) | undefined;

  /** `onPolicy` sees the API object of each policy that is kept. */
  constructor(onPolicy?: (value: unknown) => void) {
    this.#onPolicy = onPolicy;
  }

  /** One document's value: an object or a list of objects. `explicit`: the user named the file. Returns the number of objects. */
  addValue(value: unknown, source: ValueSource, explicit: boolean): number {
    const list = listItems(value);
    if (list === undefined) return this.#addObject(value, source, explicit);
    if (list.fault !== undefined) {
      this.diagnostics.push({
        code: "wrong-type",
        severity: "error",
        position: source.positionOf(["items"]),
        field: "items",
        message: "the items of a list must be a list",
      });
      return 1;
    }
    for (const [index, item] of list.items.entries()) {
      this.addItem(withListType(item, list), source.itemSource(["items", index]), explicit);
    }
    return Math.max(1, list.items.length);
  }

  /** One object that stands in a list. */
  addItem(value: unknown, source: ObjectSource, explicit: boolean): number {
    return this.#addObject(value, source, explicit);
  }

  #addObject(value: unknown, source: ObjectSource, explicit: boolean): number {
    if (!explicit && isMapping(value) && !looksLikeObject(value)) {
      this.diagnostics.push({
        code: "not-kubernetes",
        severity: "warning",
        position: source.positionOf([]),
        message: "not a Kubernetes object (no apiVersion and no kind): ignored",
      });
      return 1;
    }
    const policies = this.policies.length;
    this.#keep(decodeObject(value, source));
    if (this.policies.length > policies) this.#onPolicy?.(value);
    return 1;
  }

  #keep(decoded: DecodedObject): void {
    const isKnown = decoded.type !== "refused" && (decoded.type === "workload" || "object" in decoded);
    for (const diagnostic of decoded.diagnostics) {
      this.diagnostics.push(diagnostic);
      if (isKnown) this.contained.add(diagnostic);
    }
    switch (decoded.type) {
      case "pod":
        if (decoded.object !== undefined && this.#isFirst(`Pod ${decoded.object.key}`, decoded.object.position)) {
          const pod = this.detachesPods ? detachPod(decoded.object) : decoded.object;
          this.pods.push({ pod, unborn: decoded.unborn });
        }
        return;
      case "namespace":
        if (
          decoded.object !== undefined &&
          this.#isFirst(`Namespace ${decoded.object.name}`, decoded.object.position)
        ) {
          this.namespaces.push(decoded.object);
        }
        return;
      case "node":
        if (decoded.object !== undefined && this.#isFirst(`Node ${decoded.object.name}`, decoded.object.position)) {
          this.nodes.push(decoded.object);
        }
        return;
      case "policy": {
        const policy = decoded.object;
        if (policy === undefined) return;
        const name = `${policy.kind} ${policyDisplayName(policy)}`;
        if (this.#isFirst(name, policy.position)) this.policies.push(policy);
        return;
      }
      case "workload": {
        const workload = decoded.object;
        if (workload === undefined) return;
        const name = `${workload.kind} ${workload.namespace}/${workload.name}`;
        if (this.#isFirst(name, workload.position)) this.workloads.push(workload);
        return;
      }
      case "ignored":
        this.ignoredKinds.set(decoded.name, (this.ignoredKinds.get(decoded.name) ?? 0) + 1);
        if (decoded.unenforced !== undefined) this.unenforcedKinds.add(decoded.unenforced);
        return;
      case "refused":
        return;
    }
  }

  #isFirst(object: string, position: SourcePosition): boolean {
    const first = this.#seen.get(object);
    if (first === undefined) {
      this.#seen.set(object, position);
      return true;
    }
    const line = first.line === undefined ? "" : `:${first.line}`;
    this.diagnostics.push({
      code: "duplicate-object",
      severity: "error",
      position,
      object,
      message: `this object is defined twice; first at ${first.file}${line}`,
      hint: "remove one of the two",
    });
    return false;
  }
}

/** Also one that has lost its first lines, or has nothing else yet; not the values of a chart. */
function looksLikeObject(value: Readonly<Record<string, unknown>>): boolean {
  return "apiVersion" in value || "kind" in value || isMapping(value.metadata) || isMapping(value.spec);
}

/** The same pod with strings of its own: substrings keep the whole text that they were cut from alive. */
function detachPod(pod: Pod): Pod {
  const { position, nodeName, ...rest } = pod;
  const copy = JSON.parse(JSON.stringify({ ...rest, nodeName })) as Pod;
  return { ...copy, nodeName: copy.nodeName, position };
}

export interface ListType {
  /** What items without a kind of their own are; "" for a plain List. */
  readonly itemKind: string;
  readonly apiVersion: unknown;
}

/** `List`, `PodList`, ... with items; undefined for everything else. */
function listItems(value: unknown): (ListType & { items: readonly unknown[]; fault?: true }) | undefined {
  if (!isMapping(value) || typeof value.kind !== "string" || !value.kind.endsWith("List") || !("items" in value)) {
    return undefined;
  }
  const type = { itemKind: value.kind.slice(0, -"List".length), apiVersion: value.apiVersion };
  if (value.items === null) return { ...type, items: [] };
  return Array.isArray(value.items) ? { ...type, items: value.items } : { ...type, items: [], fault: true };
}

/** Items of a typed list may leave out what the list already says. */
export function withListType(item: unknown, list: ListType): unknown {
  if (!isMapping(item) || list.itemKind === "" || (item.kind != null && item.apiVersion != null)) return item;
  return { ...item, kind: item.kind ?? list.itemKind, apiVersion: item.apiVersion ?? list.apiVersion };
}
