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
  /**
   * For resources that need not be installed: a 404 of a Kubernetes API server means that there are no objects, and all
   * that were known are deleted. Without it a 404 is a failure like any other, and what is known stays: the 404 of some
   * proxy must not delete a cluster's policies.
   */
  readonly optional?: boolean | undefined;
  readonly settings?: Partial<ReflectorSettings> | undefined;
}
