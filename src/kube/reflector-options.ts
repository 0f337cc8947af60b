// What a reflector is given. Owns the contract with its owner.

import type { ObjectChange } from "./object-change.ts";
import type { ReflectorSettings } from "./reflector-settings.ts";
import type { ReflectorStatus } from "./reflector-status.ts";
import type { DecodedResource } from "./resources.ts";
import type { ReflectorClient } from "./watch-stream.ts";

export interface ReflectorOptions<T> {
  readonly resource: DecodedResource<T>;
  readonly client: ReflectorClient;
  /**
   * Each call is one atomic batch, in order; the first one is the whole first list (empty when there is nothing), later
   * ones are never empty. What it throws ends the reflector: run() rejects.
   */
  onChanges(batch: readonly ObjectChange<T>[]): void;
  /** After every change of the status but its age. What it throws ends the reflector. */
  readonly onStatus?: ((status: ReflectorStatus) => void) | undefined;
  readonly settings?: Partial<ReflectorSettings> | undefined;
}
