// The one table of what the pages' commands need and a test cannot have: a cluster, a container engine, registries, this
// project's own tests again. Each has a stand-in that checks the command's words against the repository. Everything else runs.

import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { load, loadAll } from "js-yaml";
import { buildKustomization, type KubernetesObject } from "../support/kustomize.ts";

const PROJECT = resolve(import.meta.dirname, "../..");

/** A command line, taken apart. */
export interface Call {
  /** What is neither an option nor its value: `apply`. */
  readonly words: readonly string[];
  readonly options: ReadonlyMap<string, readonly string[]>;
  /** Behind `--`. */
  readonly inside: readonly string[];
  readonly stdin: () => string;
}

export interface StandIn {
  readonly program: string;
  /** The words that it begins with. */
  readonly words: readonly string[];
  /** Why it is not run. */
  readonly why: string;
  /** Files of the repository that test what the command is for; none where it is nothing of ours. */
  readonly coveredBy: readonly string[];
  /** What is wrong with the call. */
  readonly check: (call: Call) => readonly string[];
  /** What it prints for the rest of the command. */
  readonly output?: (call: Call) => string;
}

/** Options that take a value, and those that do not. Others are refused. */
export const OPTIONS: Readonly<
  Record<string, { readonly values: readonly string[]; readonly switches: readonly string[] }>
> = {
  kubectl: {
    values: ["-n", "-k", "-f", "-l", "-o", "--image", "--port", "--restart", "--tail"],
    switches: ["--prefix", "-A"],
  },
  docker: { values: ["--tag", "-t", "--build-arg", "--platform"], switches: ["--push"] },
  kind: { values: ["--name"], switches: [] },
  helm: { values: ["-f", "--values", "--set", "--namespace", "-n"], switches: [] },
  npm: { values: [], switches: ["-g"] },
  git: { values: ["--depth"], switches: [] },
  "apt-get": { values: [], switches: ["-y", "--yes"] },
};

const IN_A_CLUSTER = "there is no cluster here";
const NOT_OURS = "nothing of ours: objects for a first try";
const DEPLOY_TEST = ["test/unit/deploy.test.ts"];
const CHART_TESTS = ["test/unit/deploy-chart.test.ts", "test/delivery/helm-chart.test.ts"];
const ITSELF = "it is what runs this test, or would change the installation that it runs from";

export const STAND_INS: readonly StandIn[] = [
  { program: "kubectl", words: ["apply"], why: IN_A_CLUSTER, coveredBy: DEPLOY_TEST, check: appliedProblems },
  { program: "kubectl", words: ["delete"], why: IN_A_CLUSTER, coveredBy: DEPLOY_TEST, check: appliedProblems },
  {
    program: "kubectl",
    words: ["rollout", "status"],
    why: IN_A_CLUSTER,
    coveredBy: DEPLOY_TEST,
    check: targetProblems,
  },
  { program: "kubectl", words: ["rollout", "undo"], why: IN_A_CLUSTER, coveredBy: DEPLOY_TEST, check: targetProblems },
  { program: "kubectl", words: ["logs"], why: IN_A_CLUSTER, coveredBy: DEPLOY_TEST, check: selectedProblems },
  { program: "kubectl", words: ["get", "pods"], why: IN_A_CLUSTER, coveredBy: DEPLOY_TEST, check: selectedProblems },
  {
    program: "kubectl",
    words: ["exec"],
    why: `${IN_A_CLUSTER}; what stands behind -- is run, on a node with an agent, where it is nftpol`,
    coveredBy: DEPLOY_TEST,
    check: targetProblems,
  },
  {
    program: "kubectl",
    words: ["kustomize"],
    why: "the user's own overlay",
    coveredBy: [],
    check: folderProblems,
    output: manifests,
  },
  { program: "kubectl", words: ["create", "deployment"], why: NOT_OURS, coveredBy: [], check: nothing },
  { program: "kubectl", words: ["expose"], why: NOT_OURS, coveredBy: [], check: nothing },
  { program: "kubectl", words: ["run"], why: NOT_OURS, coveredBy: [], check: nothing },
  {
    program: "helm",
    words: ["template"],
    why: "the user's own chart",
    coveredBy: [],
    check: folderProblems,
    output: manifests,
  },
  { program: "helm", words: ["install"], why: IN_A_CLUSTER, coveredBy: CHART_TESTS, check: chartProblems },
  {
    program: "docker",
    words: ["build"],
    why: "it needs a container engine and a registry",
    coveredBy: ["test/unit/image.test.ts"],
    check: buildProblems,
  },
  {
    program: "docker",
    words: ["buildx", "build"],
    why: "it needs a container engine, two registries and emulation",
    coveredBy: ["test/unit/image.test.ts"],
    check: buildProblems,
  },
  { program: "kind", words: ["create", "cluster"], why: "it needs a container engine", coveredBy: [], check: nothing },
  {
    program: "kind",
    words: ["load", "docker-image"],
    why: "it needs a container engine",
    coveredBy: [],
    check: imageProblems,
  },
  { program: "git", words: ["clone"], why: "it needs another machine", coveredBy: [], check: nothing },
  {
    program: "apt-get",
    words: ["install"],
    why: "it would change this machine",
    coveredBy: ["scripts/system-tools.ts"],
    check: packageProblems,
  },
  { program: "npm", words: ["ci"], why: ITSELF, coveredBy: [".ci/run"], check: nothing },
  { program: "npm", words: ["test"], why: ITSELF, coveredBy: [".ci/run"], check: stepProblems },
  { program: "npm", words: ["run", "test:unit"], why: ITSELF, coveredBy: [".ci/run"], check: scriptProblems },
  { program: "npm", words: ["run", "test:api-server"], why: ITSELF, coveredBy: [".ci/run"], check: scriptProblems },
  {
    program: "npm",
    words: ["run", "demo"],
    why: "a quarter of a minute, tested elsewhere",
    coveredBy: ["test/packets/lab-demo.test.ts", "test/cli/lab-demo.test.ts"],
    check: scriptProblems,
  },
  { program: "npm", words: ["run", "bench"], why: "it takes minutes", coveredBy: [], check: benchProblems },
  { program: "npm", words: ["run", "performance"], why: "it takes minutes", coveredBy: [], check: scriptProblems },
  {
    program: "npm",
    words: ["run", "format"],
    why: "it would write to the sources",
    coveredBy: ["package.json"],
    check: scriptProblems,
  },
];

/** Words that stand for something of the reader's, and what they are here. */
export const PLACEHOLDERS: readonly { readonly shown: string; readonly here: string }[] = [
  { shown: "/etc/nftpol", here: "manifests" },
];

/** `lab demo` takes a quarter of a minute of real packets and has suites of its own. */
export const TESTED_ELSEWHERE: readonly { readonly command: RegExp; readonly coveredBy: readonly string[] }[] = [
  { command: /^nftpol lab demo( |$)/, coveredBy: ["test/packets/lab-demo.test.ts", "test/cli/lab-demo.test.ts"] },
];

/** The entry for these words; the one with most of them. */
export function standInFor(program: string, words: readonly string[]): StandIn | undefined {
  return STAND_INS.filter(
    (each) => each.program === program && each.words.every((word, index) => words[index] === word),
  )
    .sort((a, b) => b.words.length - a.words.length)
    .at(0);
}

export function nameOf({ program, words }: StandIn): string {
  return [program, ...words].join(" ");
}

/** Takes arguments apart; throws for an option that the program's entry does not know. */
export function callOf(program: string, args: readonly string[], stdin: () => string): Call {
  const known = OPTIONS[program] ?? { values: [], switches: [] };
  const cut = args.indexOf("--");
  const own = cut < 0 ? args : args.slice(0, cut);
  const words: string[] = [];
  const options = new Map<string, string[]>();
  for (let index = 0; index < own.length; index++) {
    const [name = "", value] = (own[index] ?? "").split(/=(.*)/s);
    if (!name.startsWith("-") || name === "-") words.push(own[index] ?? "");
    else if (known.switches.includes(name)) options.set(name, []);
    else if (!known.values.includes(name))
      throw new Error(`${program} has no option ${name} in test/docs/stand-ins.ts`);
    else options.set(name, [...(options.get(name) ?? []), value ?? own[++index] ?? ""]);
  }
  return { words, options, inside: cut < 0 ? [] : args.slice(cut + 1), stdin };
}

function nothing(): readonly string[] {
  return [];
}

/** What `-k` builds, or what `-f -` reads, are objects of Kubernetes. */
function appliedProblems({ options, stdin }: Call): readonly string[] {
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
function targetProblems({ words, options, inside }: Call): readonly string[] {
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
function selectedProblems({ options }: Call): readonly string[] {
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

/** A Dockerfile that has these arguments. */
function buildProblems({ words, options }: Call): readonly string[] {
  const dockerfile = readFileSync(join(PROJECT, "Dockerfile"), "utf8");
  const names = (options.get("--build-arg") ?? []).map((each) => each.split("=")[0] ?? "");
  const unknown = names.filter((name) => !new RegExp(`^ARG ${name}\\b`, "m").test(dockerfile));
  const problems = unknown.map((name) => `the Dockerfile has no ARG ${name}`);
  return words.at(-1) === "." ? problems : [...problems, "it builds something else than this folder"];
}

/** The image that deploy/base runs. */
function imageProblems({ words }: Call): readonly string[] {
  const text = JSON.stringify(objectsOf("deploy/base"));
  return text.includes(`"image":"${words.at(-1)}"`) ? [] : [`deploy/base runs another image than ${words.at(-1)}`];
}

function folderProblems({ words }: Call): readonly string[] {
  const folder = words.at(-1) ?? "";
  return existsSync(folder) ? [] : [`${folder} is not among the folders that the test makes`];
}

/** `install NAME deploy/chart --set image.tag=…`: a chart of ours, with values that it has. */
function chartProblems({ words, options }: Call): readonly string[] {
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

function manifests(): string {
  return ["cluster", "policies"].map((name) => readFileSync(`manifests/${name}.yaml`, "utf8")).join("---\n");
}

function scriptProblems({ words }: Call): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(join(PROJECT, "package.json"), "utf8")) as {
    scripts: Record<string, string>;
  };
  return words[1] !== undefined && words[1] in scripts ? [] : [`package.json has no script ${words[1]}`];
}

function benchProblems(call: Call): readonly string[] {
  const missing = call.inside.filter((name) => !existsSync(join(PROJECT, "bench", `${name}.bench.ts`)));
  return [...scriptProblems(call), ...missing.map((name) => `there is no bench/${name}.bench.ts`)];
}

/** `npm test -- lint unit`: steps of scripts/test.ts. */
function stepProblems({ inside }: Call): readonly string[] {
  const steps = readFileSync(join(PROJECT, "scripts", "test.ts"), "utf8");
  return inside.filter((step) => !steps.includes(`"${step}"`)).map((step) => `scripts/test.ts has no step ${step}`);
}

/** Packages that the project itself installs where programs are missing. */
function packageProblems({ words }: Call): readonly string[] {
  const tools = readFileSync(join(PROJECT, "scripts", "system-tools.ts"), "utf8");
  return words
    .slice(1)
    .filter((name) => !tools.includes(`debianPackage: "${name}"`))
    .map((name) => `nftpol needs no ${name}`);
}
