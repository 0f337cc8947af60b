// What `kustomize build` makes of the folders in deploy/, as far as they use it: resources, components, JSON6902 patches and
// a namespace. Anything else in a kustomization throws: the manifests stay simple enough to be read without kustomize.

import { readFileSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { load, loadAll } from "js-yaml";

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
}

export interface Build {
  readonly objects: readonly KubernetesObject[];
  /** Every file that took part, absolute. */
  readonly files: readonly string[];
}

interface Kustomization {
  readonly kind: "Kustomization" | "Component";
  readonly namespace?: string;
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
  readonly patches?: readonly { readonly target: { readonly kind: string; readonly name: string }; patch: string }[];
}

interface PatchOperation {
  readonly op: string;
  readonly path: string;
  readonly value: unknown;
}

const KNOWN_KEYS = ["apiVersion", "kind", "namespace", "resources", "components", "patches"];
const CLUSTER_SCOPED = ["ClusterRole", "ClusterRoleBinding", "Namespace"];

/** The objects of an overlay, or of the base, in the order in which they are read; then changed by further components. */
export function buildKustomization(folder: string, components: readonly string[] = []): Build {
  const read: Reading = { objects: [], files: [] };
  for (const each of [folder, ...components]) readFolder(resolve(each), read);
  return read;
}

/** To compare two builds, whose order says nothing. Throws where an object is there twice. */
export function byName(objects: readonly KubernetesObject[]): Readonly<Record<string, KubernetesObject>> {
  const named = objects.map((object) => [`${object.kind} ${object.metadata.name}`, object] as const);
  const distinct = Object.fromEntries(named);
  if (Object.keys(distinct).length < named.length) throw new Error(`twice: ${named.map(([name]) => name).join(", ")}`);
  return distinct;
}

interface Reading {
  readonly objects: KubernetesObject[];
  readonly files: string[];
}

function readFolder(folder: string, read: Reading): void {
  const file = join(folder, "kustomization.yaml");
  read.files.push(file);
  const kustomization = load(readFileSync(file, "utf8")) as Kustomization;
  const unknown = Object.keys(kustomization).filter((key) => !KNOWN_KEYS.includes(key));
  if (unknown.length > 0) throw new Error(`${file}: not understood here: ${unknown.join(", ")}`);
  for (const resource of kustomization.resources ?? []) readResource(join(folder, resource), read);
  for (const component of kustomization.components ?? []) readFolder(join(folder, component), read);
  for (const { target, patch } of kustomization.patches ?? []) {
    const targets = read.objects.filter(({ kind, metadata }) => kind === target.kind && metadata.name === target.name);
    if (targets.length !== 1) throw new Error(`${file}: ${targets.length} objects are ${target.kind} ${target.name}`);
    for (const operation of load(patch) as PatchOperation[]) applyOperation(targets[0], operation, file);
  }
  const { namespace } = kustomization;
  if (namespace === undefined) return;
  for (const object of read.objects) {
    if (!CLUSTER_SCOPED.includes(object.kind)) Object.assign(object.metadata, { namespace });
  }
}

function readResource(path: string, read: Reading): void {
  if (statSync(path).isDirectory()) {
    readFolder(path, read);
    return;
  }
  read.files.push(path);
  read.objects.push(...(loadAll(readFileSync(path, "utf8")) as KubernetesObject[]));
}

/** RFC 6902, `add`, `replace` and `remove`. As there: the place must exist, or be the next one of a list or mapping. */
function applyOperation(object: unknown, { op, path, value }: PatchOperation, file: string): void {
  const steps = path
    .split("/")
    .slice(1)
    .map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  const last = steps.pop() as string;
  let place = object as Record<string, unknown>;
  for (const step of steps) {
    place = place[step] as Record<string, unknown>;
    if (typeof place !== "object" || place === null) throw new Error(`${file}: nothing at ${step} of ${path}`);
  }
  if (op === "add" && last === "-" && Array.isArray(place)) place.push(value);
  else if (op === "add" && !Array.isArray(place)) place[last] = value;
  else if (op === "replace" && Object.hasOwn(place, last)) place[last] = value;
  else if (op === "remove" && Object.hasOwn(place, last) && !Array.isArray(place)) delete place[last];
  else throw new Error(`${file}: cannot ${op} at ${path}`);
}
