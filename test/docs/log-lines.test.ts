// The agent's log and docs/operations.md say the same, both ways: messages, levels, fields.

import { beforeAll, describe, expect, it } from "vitest";
import { page, section, tableRows } from "../support/markdown-pages.ts";
import { ANY_FIELDS, CHOSEN, type LogCall, logCalls } from "./log-calls.ts";

/** Of calls whose level is picked while they run. */
const CHOSEN_LEVELS: Readonly<Record<string, string>> = {
  "invalid object: what it declares is closed": "error",
  "doubtful object": "warn",
};
/** Of calls that are handed their fields: src/agent/folder-failures.ts. */
const HANDED_FIELDS: Readonly<Record<string, readonly string[]>> = {
  "manifests cannot be read: what they said before stays in force": ["err", "files", "findings"],
  "manifests cannot be read yet: nothing is written, rules that are there stay": ["err", "files", "findings"],
};

describe("docs/operations.md", () => {
  const documented = tableRows(section(page("docs/operations.md"), "## Log")).map(
    ([message = "", level = "", cell = ""]) => ({
      message,
      level,
      fields: fieldsIn(cell),
    }),
  );
  let calls: readonly LogCall[] = [];

  beforeAll(() => {
    calls = logCalls().map((call) => ({
      ...call,
      level: call.level === CHOSEN ? (CHOSEN_LEVELS[call.message] ?? CHOSEN) : call.level,
      fields: call.fields.includes(ANY_FIELDS) ? (HANDED_FIELDS[call.message] ?? call.fields) : call.fields,
    }));
  });

  it("lists every message of the log with its level, and no other", () => {
    const inSources = new Set(calls.map(({ level, message }) => `${level}: ${message}`));
    expect(documented.map(({ level, message }) => `${level}: ${message}`).sort()).toEqual([...inSources].sort());
  });

  it("lists every field of each line, and no other", () => {
    const inSources = new Map<string, Set<string>>();
    for (const { message, fields } of calls) {
      inSources.set(message, new Set([...(inSources.get(message) ?? []), ...fields]));
    }
    const shown = documented.map(({ message, fields }) => `${message}: ${fields.join(", ")}`);
    const logged = documented.map(
      ({ message }) => `${message}: ${[...(inSources.get(message) ?? [])].sort().join(", ")}`,
    );
    expect(shown).toEqual(logged);
  });

  it("needs each of the two tables above", () => {
    const messages = calls.map(({ message }) => message);
    const named = [...Object.keys(CHOSEN_LEVELS), ...Object.keys(HANDED_FIELDS)];
    expect(named.filter((message) => !messages.includes(message))).toEqual([]);
  });
});

/** `` `how` (`created`, …), `operations` `` -> how, operations: words in backticks, without what brackets say of them. */
function fieldsIn(cell: string): readonly string[] {
  // A cell that is one word in backticks comes without them.
  if (/^\w+$/.test(cell)) return [cell];
  const outside = cell.replace(/\([^)]*\)/g, "");
  return [...outside.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name).sort();
}
