// `nftpol explain`: one flow, its verdict, and everything that led to it.

import type { Family } from "../../net/address.ts";
import type { ClusterView } from "../../state/view.ts";
import { wantedBackend } from "../backends.ts";
import { type Endpoint, resolveEndpoint } from "../endpoint.ts";
import { explainFlows } from "../explain/explanation.ts";
import { explanationJson } from "../explain/explanation-json.ts";
import { explanationText } from "../explain/explanation-text.ts";
import { loadCluster } from "../input.ts";
import { noteMissingPodCidrs, programOptions } from "../node-ruleset.ts";
import { countOf, printable } from "../terminal-text.ts";
import { parseTraffic, TRAFFIC_FORMS } from "../traffic-text.ts";
import { CommandError, textOption, type VerbContext, type VerbRun } from "../verb.ts";

export const run: VerbRun = async ([fromWord = "", toWord = "", portWord = ""], options, context) => {
  const question = parseTraffic(portWord);
  if (question === undefined) {
    throw new CommandError(2, `${JSON.stringify(portWord)} is no port`, `write ${TRAFFIC_FORMS}`);
  }
  const { store, nodeNames } = await loadCluster(options, context);
  const settings = programOptions(options);
  noteMissingPodCidrs(store, nodeNames, settings, context);
  const namespace = textOption(options, "namespace") ?? "default";
  const from = chooseEndpoint(store, fromWord, namespace, context);
  const to = chooseEndpoint(store, toWord, namespace, context);
  const ends = { from, to };
  const family = wantedFamily(textOption(options, "family"));
  const explanations = explainFlows(store, ends, question, settings, family, wantedBackend(options) ?? "nft");
  if (explanations.length === 0) throw noCommonFamily(from, to, textOption(options, "family"));
  const format = textOption(options, "output");
  if (format === "json") {
    context.stdout(explanationJson(store, ends, explanations));
  } else {
    const textOptions = { colour: context.colour, wide: format === "wide" };
    const texts = explanations.map((explanation) => explanationText(store, ends, explanation, textOptions));
    context.stdout(texts.join("\n"));
  }
  return explanations.some(({ disagrees }) => disagrees) ? 3 : 0;
};

function wantedFamily(text: string | undefined): Family | undefined {
  return text === undefined ? undefined : text === "IPv6" ? 6 : 4;
}

/** A workload is represented by its first pod, which is said. */
function chooseEndpoint(view: ClusterView, word: string, namespace: string, context: VerbContext): Endpoint {
  const result = resolveEndpoint(view, word, namespace);
  if ("message" in result) throw new CommandError(2, result.message, result.hint);
  const [first] = result.endpoints;
  if (first === undefined) throw new Error(`no endpoint for ${word}`);
  if (result.workload && result.endpoints.length > 1) {
    context.stderr(
      `note: ${printable(word)} has ${countOf(result.endpoints.length, "pod")}; this is about ${printable(first.name)}\n`,
    );
  }
  return first;
}

function noCommonFamily(from: Endpoint, to: Endpoint, family: string | undefined): CommandError {
  const what = family === undefined ? "no address family in common" : `not both an ${family} address`;
  return new CommandError(
    2,
    `${from.name} and ${to.name} have ${what}`,
    `${from.addresses.join(", ")} and ${to.addresses.join(", ")}`,
  );
}
