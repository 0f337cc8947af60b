// What the decoder of a policy hands back. Owns the shape only; how an invalid policy stays closed is each dialect's business.

import type { Diagnostic } from "../model/diagnostic.ts";
import type { Policy } from "../model/policy.ts";

export interface DecodedPolicy<P extends Policy = Policy> {
  /** Also given for invalid policies that have a name, closed as far as their subject and directions can be read. */
  readonly policy?: P;
  readonly diagnostics: readonly Diagnostic[];
}
