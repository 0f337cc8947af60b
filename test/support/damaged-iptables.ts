// Rules of iptables with one thing made wrong, to see who notices: lines of iptables-save and `ipset save` are edited and read back, as if
// somebody had changed them in the kernel. Every function fails loudly when there is nothing to damage.

import { type FoundRules, readBack } from "../../src/backends/iptables/read-back.ts";
import type { IptablesRuleset } from "../../src/backends/iptables/ruleset.ts";
import { restoreText, setsText } from "../../src/backends/iptables/text.ts";
import type { Family } from "../../src/net/address.ts";

export interface SavedLines {
  readonly 4: readonly string[];
  readonly 6: readonly string[];
  readonly sets: readonly string[];
}

/** What the kernel would hold. */
export function savedLines({ chains, sets }: IptablesRuleset): SavedLines {
  const linesOf = (family: Family) => {
    const lines = restoreText(chains[family].values(), family).split("\n");
    return lines.filter((line) => /^[:-]/.test(line)).map((line) => line.replace(/^-I (\S+) 1 /, "-A $1 "));
  };
  return { 4: linesOf(4), 6: linesOf(6), sets: setsText(sets.values()).trimEnd().split("\n") };
}

/** Its `unknown` are lines that are not ours any more. */
export function foundIn(saved: SavedLines): FoundRules {
  return readBack({ rules: { 4: saved[4].join("\n"), 6: saved[6].join("\n") }, sets: saved.sets.join("\n") });
}

/** As `foundIn`; every line has to be understood. */
export function rulesetIn(saved: SavedLines): IptablesRuleset {
  const { ruleset, unknown } = foundIn(saved);
  if (unknown.length > 0) throw new Error(`not ours: ${JSON.stringify(unknown)}`);
  return ruleset;
}

/** Finds one line among those of a family. */
export type Place = (lines: readonly string[]) => number;

/** The only rule that looks so. */
export function line(pattern: RegExp): Place {
  return (lines) => {
    const found = lines.flatMap((text, index) => (text.startsWith("-A ") && pattern.test(text) ? [index] : []));
    const [only] = found;
    if (only === undefined || found.length > 1) throw new Error(`${found.length} rules look like ${pattern}`);
    return only;
  };
}

/** The first rule that looks so, of the chain that has the only rule that looks like `marker`. */
export function inChainOf(marker: RegExp, pattern: RegExp): Place {
  return (lines) => {
    const chain = chainAt(lines, line(marker)(lines));
    const index = lines.findIndex((text) => text.startsWith(`-A ${chain} `) && pattern.test(text));
    if (index < 0) throw new Error(`no rule of ${chain} looks like ${pattern}`);
    return index;
  };
}

/** `NFTPOL-FORWARD`. */
export function chainAt(lines: readonly string[], index: number): string {
  return (lines[index] ?? "").split(" ")[1] ?? "";
}

export type Damage = (saved: SavedLines) => SavedLines;

export function drop(family: Family, place: Place): Damage {
  return (saved) => ({ ...saved, [family]: saved[family].toSpliced(place(saved[family]), 1) });
}

/** In the rule, `from` (which is in there) becomes `to`. */
export function edit(family: Family, place: Place, from: string | RegExp, to: string): Damage {
  return (saved) => {
    const index = place(saved[family]);
    const before = saved[family][index] ?? "";
    const after = before.replace(from, to);
    if (after === before) throw new Error(`nothing of ${from} is in ${before}`);
    return { ...saved, [family]: saved[family].with(index, after) };
  };
}

/** The rule leads to another chain, the one that has the only rule that looks like `marker`. */
export function lead(family: Family, place: Place, marker: RegExp): Damage {
  return (saved) => {
    const chain = chainAt(saved[family], line(marker)(saved[family]));
    return edit(family, place, /-[jg] \S+$/, `-g ${chain}`)(saved);
  };
}

/** Two rules of a chain in each other's place. */
export function swap(family: Family, first: Place, second: Place): Damage {
  return (saved) => {
    const lines = saved[family];
    const [a, b] = [first(lines), second(lines)];
    if (a === b || chainAt(lines, a) !== chainAt(lines, b)) throw new Error("not two rules of one chain");
    return { ...saved, [family]: lines.with(a, lines[b] as string).with(b, lines[a] as string) };
  };
}

/** One more rule, right before another; `CHAIN` in it is that one's chain. */
export function before(family: Family, place: Place, rule: string): Damage {
  return (saved) => {
    const lines = saved[family];
    const index = place(lines);
    return { ...saved, [family]: lines.toSpliced(index, 0, rule.replaceAll("CHAIN", chainAt(lines, index))) };
  };
}

/** Which set: its name without the prefix, or the one that a rule looks up. */
export type SetPlace = string | { readonly family: Family; readonly of: Place };

export function setOf(family: Family, place: Place): SetPlace {
  return { family, of: place };
}

export function addElement(set: SetPlace, element: string): Damage {
  return (saved) => {
    const name = nameOf(saved, set);
    const index = saved.sets.findLastIndex((text) => text.split(" ")[1] === name);
    if (index < 0 || saved.sets.includes(`add ${name} ${element}`)) throw new Error(`nothing to add to ${name}`);
    return { ...saved, sets: saved.sets.toSpliced(index + 1, 0, `add ${name} ${element}`) };
  };
}

export function removeElement(set: SetPlace, element: string): Damage {
  return (saved) => {
    const index = saved.sets.indexOf(`add ${nameOf(saved, set)} ${element}`);
    if (index < 0) throw new Error(`${element} is not in ${nameOf(saved, set)}`);
    return { ...saved, sets: saved.sets.toSpliced(index, 1) };
  };
}

function nameOf(saved: SavedLines, set: SetPlace): string {
  if (typeof set === "string") return `NFTPOL-${set}`;
  const lines = saved[set.family];
  const [, name] = /--match-set (\S+)/.exec(lines[set.of(lines)] ?? "") ?? [];
  if (name === undefined) throw new Error("the rule looks no set up");
  return name;
}

/** One after the other. */
export function all(...damages: readonly Damage[]): Damage {
  return (saved) => damages.reduce((current, damage) => damage(current), saved);
}
