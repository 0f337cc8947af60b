// Which node a verb is about.

import { closestWord } from "../dialects/closest-word.ts";
import { CommandError } from "./verb.ts";

const MOST_SHOWN = 20;

/**
 * The wanted node, or the only one. A node that nobody names is refused: its empty ruleset would look as if nothing were
 * restricted.
 */
export function chooseNode(nodeNames: readonly string[], wanted: string | undefined): string {
  if (wanted !== undefined) {
    if (nodeNames.includes(wanted)) return wanted;
    const closest = closestWord(wanted, nodeNames);
    const hint = closest === undefined ? listNodes(nodeNames) : `did you mean ${closest}? ${listNodes(nodeNames)}`;
    throw new CommandError(2, `no node ${JSON.stringify(wanted)} in the input`, hint);
  }
  const [only] = nodeNames;
  if (nodeNames.length === 1 && only !== undefined) return only;
  throw new CommandError(2, "there are several nodes: say which one with --node NAME", listNodes(nodeNames));
}

function listNodes(nodeNames: readonly string[]): string {
  const shown = nodeNames.slice(0, MOST_SHOWN).join(", ");
  const rest = nodeNames.length - MOST_SHOWN;
  return `nodes: ${shown}${rest > 0 ? `, and ${rest} more` : ""}`;
}
