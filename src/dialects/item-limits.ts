// Lists with the minItems, maxItems and uniqueness of a CRD.

import type { Field } from "./field-reader.ts";

/** The items of a list that may have so many; all of them, also where (reported) they are too many. */
export function itemsUpTo(list: Field, most: number, what: string): Field[] {
  const items = list.items();
  if (items.length > most) {
    const message = `at most ${most} ${what} are allowed, not ${items.length}`;
    list.error({ code: "too-many-items", message });
  }
  return items;
}

/** The same for a list that must not be empty where it is present. */
export function someItemsUpTo(list: Field, most: number, what: string): Field[] {
  if (Array.isArray(list.value) && list.value.length === 0) {
    list.error({ code: "empty-list", message: `the list of ${what} must not be empty` });
  }
  return itemsUpTo(list, most, what);
}

/** Reports texts that are there twice (x-kubernetes-list-type: set). */
export function refuseRepeatedTexts(items: readonly Field[]): void {
  const seen = new Set<string>();
  for (const item of items) {
    if (typeof item.value !== "string") continue;
    if (seen.has(item.value)) {
      const message = `${JSON.stringify(item.value)} is there twice`;
      item.error({ code: "repeated-item", message, hint: "remove one of the two" });
    }
    seen.add(item.value);
  }
}
