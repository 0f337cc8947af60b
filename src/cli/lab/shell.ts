// `nftpol lab shell`: a shell in a pod's network namespace while agents enforce; edited manifests come into force.

import { accessSync, constants } from "node:fs";
import { type Lab, withLab } from "../../lab/lab.ts";
import { LabError } from "../../lab/lab-error.ts";
import type { Pod } from "../../model/cluster.ts";
import { resolveEndpoint } from "../endpoint.ts";
import { fillStore } from "../input.ts";
import { programOptions } from "../node-ruleset.ts";
import { countOf, printable } from "../terminal-text.ts";
import {
  CommandError,
  listOption,
  type OptionValues,
  type ProgramExit,
  textOption,
  type VerbContext,
} from "../verb.ts";
import { labBackend } from "./lab-backend.ts";
import {
  type LabInput,
  makeLabInput,
  readLabAddresses,
  readLabManifests,
  readLabPaths,
  readLabShape,
  refuseErrors,
} from "./lab-input.ts";
import { listed } from "./shell-changes.ts";
import { followEdits } from "./shell-edits.ts";
import { prepareNames, ShellProcess } from "./shell-process.ts";
import { ManifestWatch } from "./shell-watch.ts";
import { welcomeText } from "./shell-words.ts";
import { refuseWithoutBridgeFilter, refuseWithoutRights, selfCommand } from "./surroundings.ts";

/** The exit code is the shell's. */
export async function runLabShell(
  [word]: readonly string[],
  options: OptionValues,
  context: VerbContext,
): Promise<ProgramExit> {
  const { paths, recursive } = readLabPaths(options);
  if (paths.includes("-")) {
    throw new CommandError(2, "lab shell: standard input is the shell's", "name files or folders with -f");
  }
  refuseQuestions(options);
  const shape = readLabShape(options);
  const program = programOptions(options);
  const addresses = readLabAddresses(options);
  const watch = await ManifestWatch.begin(paths, recursive);
  const manifests = await readLabManifests(paths, recursive, context.files);
  const { diagnostics } = fillStore(manifests.loaded);
  refuseErrors(diagnostics, context);
  const input = makeLabInput(manifests, shape, undefined, addresses);
  const own = choosePod(input, word, textOption(options, "namespace") ?? "default", context);
  const shell = chooseShell(context.environment.SHELL);
  refuseWithoutRights();
  const backend = await labBackend(options);
  refuseWithoutBridgeFilter(shape.topology);
  const { plan, cluster } = input;
  return await withLab({ self: selfCommand(), plan, cluster, program, backend }, (lab) =>
    runInside(lab, { input, own, shell, watch, paths, recursive }, context),
  );
}

/** Options of `lab run` that a shell has no answer to. */
function refuseQuestions(options: OptionValues): void {
  const asked = ["port", "expect"].find((name) => listOption(options, name).length > 0);
  const format = textOption(options, "output") ?? "table";
  const word = asked === undefined ? `-o ${format}` : `--${asked}`;
  if (asked === undefined && format === "table") return;
  throw new CommandError(2, `lab shell has no ${word}: it sends no packets of its own`, "nftpol lab run does");
}

interface ShellSettings {
  readonly input: LabInput;
  readonly own: Pod;
  readonly shell: string;
  readonly watch: ManifestWatch;
  readonly paths: readonly string[];
  readonly recursive: boolean;
}

async function runInside(lab: Lab, settings: ShellSettings, context: VerbContext): Promise<ProgramExit> {
  const { input, own, shell, paths } = settings;
  const pods = input.plan.pods.map(({ key }) => input.store.pod(key) as Pod);
  const edits = await followEdits(lab, settings, context);
  try {
    const names = prepareNames(lab.folder, pods, own);
    const policies = input.cluster.policies.length;
    context.stderr(welcomeText({ own, pods, plan: input.plan, policies, paths, named: names.length > 0 }));
    return await lab.interruption.leaveKeyboardTo(async () => {
      const running = new ShellProcess(lab.network, own, [...names, shell]);
      lab.interruption.beforeRemoval(() => running.hangUp());
      return (await running.ended) as ProgramExit;
    });
  } finally {
    edits.end();
  }
}

function choosePod({ store, plan }: LabInput, word: string | undefined, namespace: string, context: VerbContext): Pod {
  const hint = `there are: ${listed(
    plan.pods.map(({ key }) => key),
    12,
  )}`;
  if (word === undefined) throw new CommandError(2, "lab shell needs a pod: nftpol lab shell POD -f …", hint);
  const result = resolveEndpoint(store, word, namespace);
  if ("message" in result) throw new CommandError(2, result.message, result.hint);
  const endpoint = result.endpoints.find(({ name }) => plan.pods.some(({ key }) => key === name));
  if (endpoint === undefined) {
    const why =
      result.endpoints[0]?.kind === "pod"
        ? "is on the host network: it has no network namespace of its own"
        : "is no pod";
    throw new CommandError(2, `${word} ${why}`, hint);
  }
  if (result.endpoints.length > 1) {
    const count = countOf(result.endpoints.length, "pod");
    context.stderr(`note: ${printable(word)} has ${count}; this is ${printable(endpoint.name)}\n`);
  }
  const pod = [...store.pods()].find(({ key }) => key === endpoint.name);
  if (pod === undefined) throw new Error(`no pod for ${word}`);
  return pod;
}

/** `SHELL` of the environment, else /bin/sh. */
function chooseShell(named: string | undefined): string {
  const shell = named === undefined || named === "" ? "/bin/sh" : named;
  try {
    accessSync(shell, constants.X_OK);
    return shell;
  } catch (cause) {
    throw new LabError(`the shell ${shell} cannot be started`, "set SHELL to one that is installed", cause);
  }
}
