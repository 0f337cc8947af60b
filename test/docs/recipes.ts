// The recipes for CI that the pages show: which commands the server, make or pre-commit would run. Runs nothing.

import { load } from "js-yaml";
import { type Block, blocksOf, pages } from "./page-commands.ts";

export interface Recipe {
  readonly page: string;
  readonly line: number;
  /** `GitHub Actions`, … */
  readonly kind: string;
  readonly commands: readonly string[];
  /** The file of results that it hands to the server, if any. */
  readonly report: string | undefined;
}

interface Workflow {
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>;
}

interface Step {
  readonly run?: string;
  readonly "working-directory"?: string;
}

interface Pipeline {
  readonly [job: string]: { readonly script: readonly string[] };
}

interface Hooks {
  readonly repos: readonly { readonly hooks: readonly { readonly entry: string }[] }[];
}

/** By a key that only this kind of file has at its top. */
const KINDS: readonly {
  readonly kind: string;
  readonly isIt: RegExp;
  readonly commands: (text: string) => readonly string[];
}[] = [
  { kind: "GitHub Actions", isIt: /^jobs:/m, commands: workflowCommands },
  {
    kind: "GitLab CI",
    isIt: /^ {2}script:/m,
    commands: (text) => Object.values(load(text) as Pipeline).flatMap(({ script }) => script),
  },
  {
    kind: "pre-commit",
    isIt: /^repos:/m,
    commands: (text) => (load(text) as Hooks).repos.flatMap(({ hooks }) => hooks.map(({ entry }) => entry)),
  },
  { kind: "make", isIt: /^\t/m, commands: (text) => [...text.matchAll(/^\t(.*)$/gm)].map(([, line = ""]) => line) },
];

export function recipes(): readonly Recipe[] {
  return pages().flatMap(blocksOf).flatMap(recipeIn);
}

function recipeIn({ page, line, language, text }: Block): Recipe[] {
  if (!["yaml", "make"].includes(language)) return [];
  const found = KINDS.find(({ isIt }) => isIt.test(text));
  if (found === undefined) return [];
  const commands = found.commands(text);
  const report = /> (\S+\.xml)/.exec(commands.join("\n"))?.[1];
  return [{ page, line, kind: found.kind, commands, report }];
}

function workflowCommands(text: string): readonly string[] {
  const { jobs } = load(text) as Workflow;
  return Object.values(jobs).flatMap(({ steps }) =>
    steps.flatMap(({ run, "working-directory": folder }) => {
      if (run === undefined) return [];
      return [folder === undefined ? run : `(cd ${folder} && ${run})`];
    }),
  );
}
