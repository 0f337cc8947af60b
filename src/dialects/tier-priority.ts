// `spec.priority` of policies of an ordered tier.

import type { Field } from "./field-reader.ts";

const LAST_PRIORITY = 1000;
const FIRST_PRIORITY = 0;

/** Lower is earlier. One that cannot be read or is out of range (reported) is the first: what the policy denies stays denied. */
export function readPriority(spec: Field): number {
  const field = spec.member("priority");
  if (!field.present) {
    if (spec.present) {
      const message = "a policy of a tier needs a priority";
      field.error({ code: "missing-field", message, hint: `0..${LAST_PRIORITY}, lower ones are asked first` });
    }
    return FIRST_PRIORITY;
  }
  const priority = spec.integer("priority");
  if (priority === undefined) return FIRST_PRIORITY;
  if (priority >= FIRST_PRIORITY && priority <= LAST_PRIORITY) return priority;
  const message = `priority ${priority} is not in ${FIRST_PRIORITY}..${LAST_PRIORITY}`;
  field.error({ code: "priority-out-of-range", message });
  return FIRST_PRIORITY;
}
