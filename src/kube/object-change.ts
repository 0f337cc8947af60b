// What a reflector tells its owner about one object. Owns the shape only.

import type { Diagnostic } from "../model/diagnostic.ts";

export interface ObjectChange<T> {
  /** `namespace/name`, or `name` for objects without a namespace. */
  readonly key: string;
  /**
   * undefined: deleted. Also undefined when the decoder could make nothing of the object at all; then the diagnostics hold
   * an error. An object with errors that is there nevertheless is closed as far as it could be read.
   */
  readonly object: T | undefined;
  /** Of the object that is there now, or that was deleted. */
  readonly uid: string;
  /** The decoder's findings; empty for a deletion. */
  readonly diagnostics: readonly Diagnostic[];
}
