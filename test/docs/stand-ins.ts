// The one table of what the pages' commands need and a test cannot have: a cluster, a container engine, registries, this
// project's own tests again. Each has a stand-in that checks the command's words against the repository. Everything else runs.

import type { Call } from "./call.ts";
import {
  appliedProblems,
  benchProblems,
  buildProblems,
  chartProblems,
  eventProblems,
  folderProblems,
  imageProblems,
  manifests,
  nothing,
  packageProblems,
  scriptProblems,
  selectedProblems,
  stepProblems,
  targetProblems,
} from "./stand-in-checks.ts";

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
    words: ["get", "events"],
    why: IN_A_CLUSTER,
    coveredBy: ["test/scenarios/objects.test.ts"],
    check: eventProblems,
  },
  {
    program: "kubectl",
    words: ["describe", "networkpolicy"],
    why: IN_A_CLUSTER,
    coveredBy: ["test/scenarios/objects.test.ts"],
    check: nothing,
  },
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
  { program: "helm", words: ["upgrade"], why: IN_A_CLUSTER, coveredBy: CHART_TESTS, check: chartProblems },
  { program: "helm", words: ["rollback"], why: IN_A_CLUSTER, coveredBy: CHART_TESTS, check: nothing },
  { program: "helm", words: ["uninstall"], why: IN_A_CLUSTER, coveredBy: CHART_TESTS, check: nothing },
  {
    program: "docker",
    words: ["build"],
    why: "it needs a container engine and a registry",
    coveredBy: ["test/image/image.test.ts"],
    check: buildProblems,
  },
  {
    program: "docker",
    words: ["buildx", "build"],
    why: "it needs a container engine, two registries and emulation",
    coveredBy: ["test/image/image.test.ts"],
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
  {
    program: "npm",
    words: ["install"],
    why: "it would change this machine",
    coveredBy: ["test/delivery/package.test.ts"],
    check: nothing,
  },
  ...[
    ["package", "test/delivery/package.test.ts"],
    ["single-file", "test/delivery/single-file.test.ts"],
    ["krew-manifest", "test/delivery/krew.test.ts"],
  ].map(
    ([script = "", test = ""]): StandIn => ({
      program: "npm",
      words: ["run", script],
      why: "tested elsewhere, with a folder of its own",
      coveredBy: [test],
      check: scriptProblems,
    }),
  ),
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
