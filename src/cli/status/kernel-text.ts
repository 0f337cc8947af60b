// What the kernel holds of our nft table, in words, where no agent tells it. Pure. Whether the rules are what policies say is prove's.

import { isolatedSet } from "../../backends/nft/names.ts";
import type { ReadBack } from "../../backends/nft/read-back.ts";
import { type Ruleset, TABLE } from "../../backends/nft/ruleset.ts";
import { FAMILIES } from "../../net/address.ts";
import { countOf, printable } from "../terminal-text.ts";

/** So many foreign objects are named. */
const MOST_OBJECTS = 3;

/** Lines, the first of which says whether anything is enforced. `whose`: of whom rules would be (`an earlier one`). */
export function describeKernelTable(found: ReadBack, whose: string): readonly string[] {
  const { ruleset, unknown } = found;
  const rules = [...ruleset.chains.values()].reduce((sum, chain) => sum + chain.rules.length, 0);
  if (unknown.some(({ where, json }) => where === FLAGS && json.includes("dormant")))
    return [`${IS_THERE}, but switched off (its flag dormant): nothing is enforced`, ...foreignObjects(found)];
  if (isOfOurMaking(ruleset)) {
    if (!leadsOn(ruleset))
      return [`${IS_THERE}, but no packet is led to its rules: nothing is enforced`, ...foreignObjects(found)];
    const state = unknown.length === 0 ? " and go on being enforced" : ", changed by others";
    const size = `${countOf(rules, "rule")}, for ${countOf(podAddresses(ruleset), "pod address", "pod addresses")}`;
    return [
      `the rules of ${whose} are in the kernel${state}: ${size}`,
      "nftpol prove --live compares them with policies",
      ...foreignObjects(found),
    ];
  }
  const isEmpty = ruleset.chains.size + ruleset.sets.size + unknown.length === 0;
  if (isEmpty) return [`an empty table inet ${TABLE} is in this kernel: nothing is enforced`];
  return [
    `table inet ${TABLE} in this kernel is somebody else's: nothing of nftpol is enforced`,
    ...foreignObjects(found),
  ];
}

const IS_THERE = `table inet ${TABLE} is in this kernel`;
const FLAGS = "flags of the table";

/** Every table of ours has these sets, with elements or without. */
function isOfOurMaking({ sets }: Ruleset): boolean {
  return FAMILIES.every((family) => sets.has(isolatedSet(family)));
}

/** Whether the chain through which all traffic of pods comes sends any of it on by its address. */
function leadsOn({ chains }: Ruleset): boolean {
  const forward = chains.get("forward");
  return (
    forward?.hook !== undefined &&
    forward.rules.some(({ statements }) => statements.some(({ kind }) => kind === "vmap"))
  );
}

function podAddresses({ sets }: Ruleset): number {
  return FAMILIES.reduce((sum, family) => sum + (sets.get(isolatedSet(family))?.elements.size ?? 0), 0);
}

function foreignObjects({ unknown }: ReadBack): readonly string[] {
  return foreignText(unknown.map(({ where, json }) => `${where} ${json}`));
}

/** One line, or none. */
export function foreignText(objects: readonly string[]): readonly string[] {
  if (objects.length === 0) return [];
  const more = objects.length > MOST_OBJECTS ? `; and ${objects.length - MOST_OBJECTS} more` : "";
  return [
    `not of nftpol's making in it: ${objects
      .slice(0, MOST_OBJECTS)
      .map((each) => printable(each))
      .join("; ")}${more}`,
  ];
}
