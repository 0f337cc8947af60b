// policy.networking.k8s.io/v1alpha2 ClusterNetworkPolicy -> model policy, with the validation of its CRD.

import type { OrderedPolicy } from "../model/policy.ts";
import type { DecodedPolicy } from "./decoded-policy.ts";
import { rootField } from "./field-reader.ts";
import type { ObjectSource } from "./object-source.ts";

export function decodeClusterNetworkPolicy(value: unknown, source: ObjectSource): DecodedPolicy<OrderedPolicy> {
  return { diagnostics: rootField(value, source).findings.diagnostics };
}
