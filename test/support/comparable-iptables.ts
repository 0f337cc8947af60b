// Owns what counts as the same rules of iptables when tests compare texts: everything but declared sizes and tags of set names.
import { type FoundRules, isNothing } from "../../src/backends/iptables/read-back.ts";
import { type IptablesRuleset, isBuiltIn } from "../../src/backends/iptables/ruleset.ts";
import { splitName, withSetNames } from "../../src/backends/iptables/set-tags.ts";
import { restoreText, ruleText, setsText, sortedByName } from "../../src/backends/iptables/text.ts";
import { FAMILIES } from "../../src/net/address.ts";

export function comparableText({ chains, sets }: IptablesRuleset): string {
  const nameOf = (set: string) => splitName(set).name;
  const renamed = [...sets.values()].map((set) => ({ ...set, name: nameOf(set.name) }));
  const families = FAMILIES.map((family) => {
    const own = sortedByName(chains[family].values()).map((chain) => withSetNames(chain, nameOf));
    const jumps = own.filter(({ name }) => isBuiltIn(name));
    const lines = jumps.flatMap(({ name, rules }) => rules.map((rule) => `${name} ${ruleText(rule, family)}\n`));
    return restoreText(own, family) + lines.join("");
  });
  return setsText(renamed).replace(/ hashsize \d+ maxelem \d+$/gm, "") + families.join("");
}

/** The same for what was found; what is not ours is listed below it, and sets that are there twice. */
export function foundText(found: FoundRules): string {
  if (isNothing(found)) return "none";
  const names = [...found.ruleset.sets.keys()].map((name) => splitName(name).name);
  const twice = names.filter((name, index) => names.indexOf(name) !== index).map((name) => `twice: ${name}\n`);
  const unknown = found.unknown.map(({ where, text }) => `${where}: ${text}\n`);
  return [comparableText(found.ruleset), ...twice, ...unknown].join("");
}
