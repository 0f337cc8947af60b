// Names of program sets: what a person recognises, and a hash of the definition.

import type { Family } from "../net/address.ts";
import { contentHash, nameHint } from "./hash.ts";
import { formatNodeSelector, formatQuery, nodeSelectorKey, queryKey } from "./pod-query.ts";
import type { NamedPortTerm, SetDefinition, SetId } from "./program.ts";

/** The name of the set with this definition; equal only for equal definitions. */
export function setId(family: Family, definition: SetDefinition): SetId {
  if (definition.kind === "destination-ports") {
    const hint = nameHint(definition.terms[0]?.name ?? "");
    return `ports${family}_${hint}_${contentHash(JSON.stringify(definition.terms.map(termKey)))}` as SetId;
  }
  const { queries, nodes } = definition;
  const [first] = [...queries.map(formatQuery), ...nodes.map(formatNodeSelector)];
  const more = queries.length + nodes.length > 1 ? `_and${queries.length + nodes.length - 1}` : "";
  const keys = [...queries.map(queryKey), ...nodes.map(nodeSelectorKey)];
  const what = queries.length > 0 ? "pods" : "nodes";
  return `${what}${family}_${nameHint(first ?? "")}${more}_${contentHash(JSON.stringify(keys))}` as SetId;
}

export function termKey(term: NamedPortTerm): string {
  return JSON.stringify([
    queryKey(term.query),
    term.blocks?.map((block) => block.text) ?? null,
    term.name,
    term.protocol,
  ]);
}
