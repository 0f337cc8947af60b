// `nftpol lab demo`: a small shop and its policies, shown with real packets; where there can be none, the same story as computed.

import { existsSync } from "node:fs";
import { withLab } from "../../lab/lab.ts";
import { LabError } from "../../lab/lab-error.ts";
import type { LabNetwork } from "../../lab/lab-network.ts";
import { formatSeconds } from "../duration.ts";
import { CommandError, type ExitCode, listOption, type OptionValues, textOption, type VerbContext } from "../verb.ts";
import { programDelivery } from "../version.ts";
import { liveStage } from "./demo/live-stage.ts";
import { DemoScreen } from "./demo/screen.ts";
import { DemoShop, OUTSIDERS, SHOP_FOLDER } from "./demo/shop.ts";
import { computedStage, PROGRAM } from "./demo/stage.ts";
import { tellStory } from "./demo/story.ts";
import type { LabInput } from "./lab-input.ts";
import { refuseWithout, refuseWithoutRights, selfCommand } from "./surroundings.ts";

/** Where ip keeps them. */
const NETNS_FOLDER = "/run/netns";

const PICTURE = [
  "                                    ┌──> search",
  "  customers ──> frontend ──> api ───┼──> payments ──> provider",
  "                                    └──> db <──> db",
  "",
  "  prometheus ──> metrics of them all,   all of them ──> coredns",
];

export async function runDemo(
  _args: readonly string[],
  options: OptionValues,
  context: VerbContext,
): Promise<ExitCode> {
  if (listOption(options, "filename").length > 0) {
    throw new CommandError(2, "the demo shows its own shop", "your manifests: nftpol lab run -f FOLDER");
  }
  const format = textOption(options, "output") ?? "table";
  if (format !== "table") throw new CommandError(2, `the demo is for people: no -o ${format}`);
  const screen = new DemoScreen(context, process.stdout.isTTY === true);
  const shop = await DemoShop.read();
  introduce(screen);
  const reason = whyNoLab();
  return reason === undefined ? await tellLive(shop, screen) : await tellComputed(shop, screen, reason);
}

function introduce(screen: DemoScreen): void {
  screen.line(screen.colours.bold("nftpol: network policies, and what they do to packets"));
  screen.line();
  for (const line of PICTURE) screen.line(line);
  screen.line();
  const outside = OUTSIDERS.map(({ name }) => name).join(", ");
  screen.text(`A small shop, from ${SHOP_FOLDER}. Not in the cluster are ${outside}.`);
}

function whyNoLab(): string | undefined {
  try {
    refuseWithoutRights();
    refuseWithout("nft");
    return undefined;
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
    return error.message;
  }
}

async function tellComputed(shop: DemoShop, screen: DemoScreen, reason: string): Promise<ExitCode> {
  screen.text(`No packets are sent: ${reason}. What follows is computed from the policies (matrix, explain, prove).`);
  const told = await tellStory(shop, computedStage, screen);
  return told === 0 ? await finish(screen, []) : told;
}

async function tellLive(shop: DemoShop, screen: DemoScreen): Promise<ExitCode> {
  const open = await shop.state([]);
  const { plan, cluster } = open;
  const startedAt = performance.now();
  let namespaces: readonly string[] = [];
  let told: ExitCode;
  try {
    told = await withLab({ self: selfCommand(), plan, cluster, program: PROGRAM }, async (lab) => {
      namespaces = namespacesOf(lab.network);
      screen.endWith(lab.interruption.signal);
      describeLab(screen, open, performance.now() - startedAt);
      return await tellStory(shop, liveStage(lab), screen);
    });
  } catch (error) {
    if (namespaces.length > 0 || !(error instanceof LabError)) throw error;
    return await tellComputed(shop, screen, error.message);
  }
  return told === 0 ? await finish(screen, namespaces) : told;
}

function describeLab(screen: DemoScreen, { plan }: LabInput, ms: number): void {
  screen.text(
    `Its ${plan.pods.length} pods and ${plan.nodes.length} nodes are network namespaces now, with an nftpol agent on each node, set up in ${formatSeconds(ms)}. Nothing outside of them is touched. Each flow is asked with a packet of its own: open means that it arrived.`,
  );
}

function namespacesOf({ plan, outside, node, pod }: LabNetwork): string[] {
  return [outside, ...plan.nodes.map(({ name }) => node(name)), ...plan.pods.map(({ key }) => pod(key))];
}

/** What to do next; 1 when something is left of the lab. */
async function finish(screen: DemoScreen, namespaces: readonly string[]): Promise<ExitCode> {
  await screen.heading("Next: your own policies");
  const program = programDelivery() === "checkout" ? "./bin/nftpol" : "nftpol";
  const commands = [
    [`sudo ${program} lab run -f FOLDER`, "the same with your manifests, as a gate for CI, too"],
    [`sudo ${program} lab shell -f FOLDER POD`, "be a pod: edit the files, see packets change"],
    [`${program} matrix -f FOLDER`, "who reaches whom, without root and packets"],
    [`${program} explain FROM TO PORT -f FOLDER`, "why, with file and line"],
    [`${program} --help`, "everything else"],
  ] as const;
  for (const [command, does] of commands) screen.item(command.padEnd(43), does);
  if (namespaces.length === 0) return 0;
  const left = namespaces.filter((name) => existsSync(`${NETNS_FOLDER}/${name}`));
  screen.line();
  screen.text(
    left.length === 0
      ? `Nothing is left of the demo: its ${namespaces.length} namespaces are gone, and with them their rules.`
      : `Namespaces are left: ${left.join(", ")}.`,
  );
  return left.length === 0 ? 0 : 1;
}
