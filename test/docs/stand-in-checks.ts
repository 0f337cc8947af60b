// What stand-ins check of a command line against the repository: that what it names is there. Each says what is wrong.

import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { load, loadAll } from "js-yaml";
import { buildKustomization, type KubernetesObject } from "../support/kustomize.ts";
import type { Call } from "./call.ts";

const PROJECT = resolve(import.meta.dirname, "../..");

export function nothing(): readonly string[] {
  return [];
}

/** What `-k` builds, or what `-f -` reads, are objects of Kubernetes. */
export function appliedProblems({ options, stdin }: Call): readonly string[] {
  const [folder] = options.get("-k") ?? [];
  if (folder !== undefined) return objectsOf(folder).length > 0 ? [] : [`${folder} builds nothing`];
  const [file] = options.get("-f") ?? [];
  if (file === undefined) return ["neither -k nor -f"];
  const objects = loadAll(file === "-" ? stdin() : readFileSync(file, "utf8")) as Partial<KubernetesObject>[];
  return objects.flatMap((each) =>
    each?.apiVersion && each.kind && each.metadata?.name ? [] : ["no object of Kubernetes"],
  );
}

function objectsOf(folder: string): readonly KubernetesObject[] {
  return buildKustomization(join(PROJECT, folder)).objects;
}

/** `ds/nftpol` is the DaemonSet of deploy/base in its namespace; `nftpol-x7k2p` is a pod of it. */
export function targetProblems({ words, options, inside }: Call): readonly string[] {
  const target = words.at(-1) ?? "";
  const [namespace = "default"] = options.get("-n") ?? [];
  // Others' pods, in a first try.
  if (inside.length > 0 && inside[0] !== "nftpol") return [];
  const [daemonSet] = objectsOf("deploy/base").filter(({ kind }) => kind === "DaemonSet");
  const { name = "", namespace: own } = daemonSet?.metadata ?? {};
  const isPod = new RegExp(`^${name}-[a-z0-9]{5}$`).test(target);
  if (target !== `ds/${name}` && !isPod) return [`${target} is not what deploy/base makes`];
  return namespace === own ? [] : [`${name} is in ${own}, not in ${namespace}`];
}

/** The pods of deploy/base and of the overlay cleanup have the labels that are asked for. */
export function selectedProblems({ options }: Call): readonly string[] {
  const [selector] = options.get("-l") ?? [];
  const [namespace = "default"] = options.get("-n") ?? [];
  const [key = "", value] = (selector ?? "").split("=");
  return ["deploy/base", "deploy/overlays/cleanup"].flatMap((folder) =>
    objectsOf(folder)
      .filter(({ kind }) => kind === "DaemonSet")
      .flatMap(({ metadata, spec }) => {
        const { labels } = (spec as { template: { metadata: { labels: Record<string, string> } } }).template.metadata;
        const isSelected = labels[key] === value && metadata.namespace === namespace;
        return isSelected ? [] : [`${selector} in ${namespace} does not select the pods of ${folder}`];
      }),
  );
}

/** The reason is one that the agent gives its Events. */
export function eventProblems({ options }: Call): readonly string[] {
  const [selector = ""] = options.get("--field-selector") ?? [];
  const reason = /^reason=(\w+)$/.exec(selector)?.[1];
  const source = readFileSync(join(PROJECT, "src/agent/policy-events.ts"), "utf8");
  return reason !== undefined && source.includes(`"${reason}"`) ? [] : [`the agent has no Event for ${selector}`];
}

/** A Dockerfile that has these arguments. */
export function buildProblems({ words, options }: Call): readonly string[] {
  const dockerfile = readFileSync(join(PROJECT, "Dockerfile"), "utf8");
  const names = (options.get("--build-arg") ?? []).map((each) => each.split("=")[0] ?? "");
  const unknown = names.filter((name) => !new RegExp(`^ARG ${name}\\b`, "m").test(dockerfile));
  const problems = unknown.map((name) => `the Dockerfile has no ARG ${name}`);
  return words.at(-1) === "." ? problems : [...problems, "it builds something else than this folder"];
}

/** The image that deploy/base runs. */
export function imageProblems({ words }: Call): readonly string[] {
  const text = JSON.stringify(objectsOf("deploy/base"));
  return text.includes(`"image":"${words.at(-1)}"`) ? [] : [`deploy/base runs another image than ${words.at(-1)}`];
}

export function folderProblems({ words }: Call): readonly string[] {
  const folder = words.at(-1) ?? "";
  return existsSync(folder) ? [] : [`${folder} is not among the folders that the test makes`];
}

/** `install NAME deploy/chart --set image.tag=…`: a chart of ours, with values that it has. */
export function chartProblems({ words, options }: Call): readonly string[] {
  const folder = join(PROJECT, words.at(-1) ?? "");
  if (!existsSync(join(folder, "Chart.yaml"))) return [`there is no chart in ${words.at(-1)}`];
  const values = load(readFileSync(join(folder, "values.yaml"), "utf8"));
  const paths = (options.get("--set") ?? []).flatMap((each) => each.split(",")).map((each) => each.replace(/=.*/, ""));
  return paths.filter((path) => !hasPath(values, path.split("."))).map((path) => `the chart has no value ${path}`);
}

function hasPath(values: unknown, [key, ...rest]: readonly string[]): boolean {
  if (key === undefined) return true;
  return (
    typeof values === "object" &&
    values !== null &&
    key in values &&
    hasPath((values as Record<string, unknown>)[key], rest)
  );
}

export function manifests(): string {
  return ["cluster", "policies"].map((name) => readFileSync(`manifests/${name}.yaml`, "utf8")).join("---\n");
}

export function scriptProblems({ words }: Call): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  return words[1] !== undefined && words[1] in scripts ? [] : [`package.json has no script ${words[1]}`];
}

export function benchProblems(call: Call): readonly string[] {
  const missing = call.inside.filter((name) => !existsSync(join(PROJECT, "bench", `${name}.bench.ts`)));
  return [...scriptProblems(call), ...missing.map((name) => `there is no bench/${name}.bench.ts`)];
}

/** `npm test -- lint unit`: steps of scripts/test.ts. */
export function stepProblems({ inside }: Call): readonly string[] {
  const steps = readFileSync(join(PROJECT, "scripts", "test.ts"), "utf8");
  return inside.filter((step) => !steps.includes(`"${step}"`)).map((step) => `scripts/test.ts has no step ${step}`);
}

/** Packages that the project itself installs where programs are missing. */
export function packageProblems({ words }: Call): readonly string[] {
  const tools = readFileSync(join(PROJECT, "scripts", "system-tools.ts"), "utf8");
  return words
    .slice(1)
    .filter((name) => !tools.includes(`debianPackage: "${name}"`))
    .map((name) => `nftpol needs no ${name}`);
}
