// What can be known of .github/ without GitHub: it parses, it names what there is, each job has no more rights and time than it says,
// and nothing of others runs that is not pinned.

import { accessSync, constants, existsSync, globSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parseDocument } from "yaml";

const root = resolve(import.meta.dirname, "../..");

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly permissions?: Readonly<Record<string, string>>;
  readonly "timeout-minutes"?: number;
  readonly uses?: string;
  readonly steps?: readonly Step[];
  readonly strategy?: { readonly matrix: { readonly include: readonly Readonly<Record<string, string>>[] } };
  readonly container?: { readonly image: string };
}

interface Workflow {
  readonly path: string;
  readonly text: string;
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const FILES = globSync(".github/**/*.{yml,yaml}", { cwd: root }).sort();
const WORKFLOWS = FILES.filter((path) => path.startsWith(".github/workflows/")).map(readWorkflow);
const JOBS = WORKFLOWS.flatMap(({ path, jobs }) =>
  Object.entries(jobs).map(([name, job]) => ({ where: `${path}, ${name}`, job })),
);
const RUNS = JOBS.flatMap(({ where, job }) =>
  (job.steps ?? []).flatMap(({ run }) => (run === undefined ? [] : [{ where, run }])),
);
const ACTIONS = WORKFLOWS.flatMap(({ path, text }) =>
  [...text.matchAll(/^ *(?:- )?uses: (.*)$/gm)].map(([, action = ""]) => ({ path, action })),
);

function read(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

function readWorkflow(path: string): Workflow {
  return { path, text: read(path), ...parseDocument(read(path)).toJS() };
}

it("there are the workflows that the pages name", () => {
  expect(WORKFLOWS.map(({ path }) => path)).toEqual(
    ["ci", "nightly", "release"].map((name) => `.github/workflows/${name}.yml`),
  );
});

it.each(FILES)("%s is YAML without errors, warnings and keys that are there twice", (path) => {
  const { errors, warnings } = parseDocument(read(path), { uniqueKeys: true });
  expect([...errors, ...warnings].map(({ message }) => message)).toEqual([]);
});

describe.each(JOBS)("$where", ({ job }) => {
  it("has its own permissions, and an end", () => {
    expect(job.permissions).toBeDefined();
    // A called workflow's jobs have their own.
    if (job.uses === undefined) expect(job["timeout-minutes"]).toBeGreaterThan(0);
  });

  it("leaves no credentials in the checkout", () => {
    const checkouts = (job.steps ?? []).filter(({ uses }) => uses?.startsWith("actions/checkout@"));
    for (const checkout of checkouts) expect(checkout.with).toMatchObject({ "persist-credentials": false });
  });
});

it("a workflow as a whole has no permission, and none reads a stored secret", () => {
  expect(WORKFLOWS.map(({ permissions }) => permissions)).toEqual(WORKFLOWS.map(() => ({})));
  expect(WORKFLOWS.filter(({ text }) => text.includes("secrets."))).toEqual([]);
});

it("only the release may write, and only what it publishes", () => {
  const writes = JOBS.flatMap(({ where, job }) =>
    Object.entries(job.permissions ?? {}).flatMap(([name, right]) => (right === "write" ? [`${where}: ${name}`] : [])),
  );
  const release = ".github/workflows/release.yml";
  expect(writes).toEqual([
    `${release}, archives: id-token`,
    `${release}, archives: attestations`,
    `${release}, image: packages`,
    `${release}, image: id-token`,
    `${release}, image: attestations`,
    `${release}, npm: id-token`,
    `${release}, release: contents`,
  ]);
});

it("an action is pinned by the digest that docs/releasing.md lists with its version, or it is a file of the repository", () => {
  const page = read("docs/releasing.md");
  const wrong = ACTIONS.filter(({ action }) => {
    if (action.startsWith("./")) return !existsSync(join(root, action));
    const [, name, digest, version] = /^([\w-]+\/[\w-]+)@([0-9a-f]{40}) # (v\d+\.\d+\.\d+)$/.exec(action) ?? [];
    return !page.includes(`| \`${name}\` | ${version} | \`${digest}\` |`);
  });
  expect(ACTIONS.length).toBeGreaterThan(20);
  expect(wrong).toEqual([]);
});

it("docs/releasing.md lists no action that no workflow uses", () => {
  const listed = [...read("docs/releasing.md").matchAll(/^\| `([\w-]+\/[\w-]+)` \| v/gm)].map(([, name]) => name);
  const used = ACTIONS.map(({ action }) => action.split("@")[0]);
  expect(listed.filter((name) => !used.includes(name))).toEqual([]);
});

it("a script gets what others wrote from its environment, never as part of its text", () => {
  expect(RUNS.filter(({ run }) => run.includes("$" + "{{"))).toEqual([]);
});

it("only scripts of npm that there are", () => {
  const { scripts } = JSON.parse(read("package.json")) as { scripts: Readonly<Record<string, string>> };
  const named = RUNS.flatMap(({ run }) =>
    [...run.matchAll(/\bnpm run (?:--silent )?([\w:-]+)/g)].map(([, name]) => name),
  );
  expect(named.length).toBeGreaterThan(2);
  expect(named.filter((name = "") => scripts[name] === undefined)).toEqual([]);
});

it("only files and folders of the repository that there are; scripts that are started by themselves may be", () => {
  const named = RUNS.flatMap(({ run }) => run.match(/(?:\.github|scripts|deploy)\/[\w./-]+/g) ?? []);
  expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  for (const path of named.filter((each) => each.endsWith(".sh"))) accessSync(join(root, path), constants.X_OK);
  const backends = matrixOf("ci", "kind").map(({ backend = "" }) => backend);
  expect(backends.filter((name) => !existsSync(join(root, "deploy/overlays", name, "kustomization.yaml")))).toEqual([]);
});

it("CI runs every step of npm test that checks something, and no other", () => {
  const groups = matrixOf("ci", "suites").flatMap(({ steps = "" }) => steps.split(" "));
  expect(new Set(groups)).toEqual(new Set([...SUITES, "typecheck", "lint", "layers", "build"]));
  const prepared = RUNS.filter(({ run }) => run.includes("npm --silent test")).flatMap(({ run }) => [
    ...run.matchAll(/"(\w+ \w+)"/g),
  ]);
  expect(prepared.length).toBeGreaterThan(3);
  for (const [, step] of prepared) expect(read("scripts/test.ts")).toContain(`name: "${step}"`);
});

it("the nightly run repeats suites that there are", () => {
  expect(matrixOf("nightly", "random").filter(({ suite = "" }) => !SUITES.includes(suite))).toEqual([]);
});

it("suites run where their system packages come from Debian, with the Node.js that the package asks for, and with the history", () => {
  const { engines } = JSON.parse(read("package.json")) as { engines: { node: string } };
  for (const { job } of JOBS.filter(({ job }) => job.steps?.some(({ run }) => run?.includes("npm --silent test")))) {
    expect(job.container?.image).toBe(`node:${engines.node.replace(">=", "")}-bookworm`);
    expect(job.steps?.[0]?.with).toMatchObject({ "fetch-depth": 0 });
  }
});

const SUITES = [...read("vitest.config.ts").matchAll(/^ +suite\("([\w-]+)"/gm)].map(([, name = ""]) => name);

function matrixOf(workflow: string, job: string): readonly Readonly<Record<string, string>>[] {
  const found = WORKFLOWS.find(({ path }) => path.endsWith(`/${workflow}.yml`))?.jobs[job]?.strategy?.matrix.include;
  if (found === undefined) throw new Error(`no matrix of ${job} in ${workflow}`);
  return found;
}
