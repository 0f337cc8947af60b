// What every backend says of differences between what was found and what should be, in words for people.

const SHOWN_ELEMENTS = 3;

/** `2 elements (10.0.0.1, 10.0.0.2)`; of many the first. */
export function countElements(elements: readonly string[]): string {
  const shown = elements.slice(0, SHOWN_ELEMENTS).join(", ");
  const rest = elements.length - SHOWN_ELEMENTS;
  const noun = elements.length === 1 ? "element" : "elements";
  return `${elements.length} ${noun} (${shown}${rest > 0 ? ` and ${rest} more` : ""})`;
}

/** What a chain lacks, what it has too many, or that only the order is another; `name` is the chain's, with what it is. */
export function rulesDrift(name: string, present: readonly string[], wanted: readonly string[]): string[] {
  const lacking = without(wanted, present);
  const foreign = without(present, wanted);
  const sentences = [
    ...lacking.map((rule) => `${name} lacks the rule: ${shorten(rule)}`),
    ...foreign.map((rule) => `${name} has a rule too many: ${shorten(rule)}`),
  ];
  if (sentences.length === 0 && wanted.some((rule, index) => rule !== present[index]))
    sentences.push(`${name} has its rules in another order`);
  return sentences;
}

/** Elements of the first list that the second does not have, as often as they are missing. */
function without(list: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const other of others) left.set(other, (left.get(other) ?? 0) + 1);
  return list.filter((each) => {
    const times = left.get(each) ?? 0;
    left.set(each, times - 1);
    return times <= 0;
  });
}

export function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 200)}…`;
}
