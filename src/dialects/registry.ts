// Which decoder reads which apiVersion and kind. A new dialect is one entry here.
// Owns what becomes of objects that nothing here reads: ignored, refused, or named as policies that are not enforced.

import type { Namespace, Node, Pod } from "../model/cluster.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import type { Policy } from "../model/policy.ts";
import { decodeAdminNetworkPolicy, decodeBaselineAdminNetworkPolicy } from "./admin-network-policy-v1alpha1.ts";
import { decodeClusterNetworkPolicy } from "./cluster-network-policy-v1alpha2.ts";
import { decodeNamespace, decodeNode, decodePod } from "./core-v1.ts";
import type { DecodedPolicy } from "./decoded-policy.ts";
import { isMapping, rootField } from "./field-reader.ts";
import { isForeignGroup, meantKind } from "./mistyped-kind.ts";
import { decodeNetworkPolicy } from "./network-policy-v1.ts";
import type { ObjectSource } from "./object-source.ts";
import { decodeWorkload, type Workload, type WorkloadKind } from "./workloads.ts";

/** A decoded object; `object` is missing when it is too broken to use (an error says why). */
export type DecodedObject = { readonly diagnostics: readonly Diagnostic[] } & (
  | { readonly type: "pod"; readonly object?: Pod; readonly unborn: boolean }
  | { readonly type: "namespace"; readonly object?: Namespace }
  | { readonly type: "node"; readonly object?: Node }
  | { readonly type: "policy"; readonly object?: Policy }
  | { readonly type: "workload"; readonly object?: Workload }
  /** A kind that has no say in network policy; `name` is the kind, with its apiVersion where the kind alone would mislead. */
  | {
      readonly type: "ignored";
      readonly name: string;
      /** kubectl's name of a kind of policies that is not enforced: `ciliumnetworkpolicies.cilium.io`. */
      readonly unenforced?: string;
    }
  /** Neither an object that is read nor one that may be ignored; the diagnostics say why. */
  | { readonly type: "refused" }
);

interface Dialect {
  readonly kind: string;
  readonly type: "pod" | "namespace" | "node" | "policy" | "workload";
  readonly apiVersion: string;
  /** Groups that served this kind in the past: an error, not another product's kind. */
  readonly formerGroups?: readonly string[];
  readonly decode: (value: unknown, source: ObjectSource) => DecodedObject;
}

const DIALECT_LIST: readonly Dialect[] = [
  {
    kind: "Pod",
    type: "pod",
    apiVersion: "v1",
    decode: (value, source) => ({ type: "pod", ...decodePod(value, source) }),
  },
  {
    kind: "Namespace",
    type: "namespace",
    apiVersion: "v1",
    decode: (value, source) => ({ type: "namespace", ...decodeNamespace(value, source) }),
  },
  {
    kind: "Node",
    type: "node",
    apiVersion: "v1",
    decode: (value, source) => ({ type: "node", ...decodeNode(value, source) }),
  },
  policyDialect("NetworkPolicy", "networking.k8s.io/v1", decodeNetworkPolicy, ["extensions"]),
  policyDialect("ClusterNetworkPolicy", "policy.networking.k8s.io/v1alpha2", decodeClusterNetworkPolicy),
  policyDialect("AdminNetworkPolicy", "policy.networking.k8s.io/v1alpha1", decodeAdminNetworkPolicy),
  policyDialect("BaselineAdminNetworkPolicy", "policy.networking.k8s.io/v1alpha1", decodeBaselineAdminNetworkPolicy),
  workloadDialect("Deployment", "apps/v1", ["extensions"]),
  workloadDialect("ReplicaSet", "apps/v1", ["extensions"]),
  workloadDialect("DaemonSet", "apps/v1", ["extensions"]),
  workloadDialect("StatefulSet", "apps/v1"),
  workloadDialect("Job", "batch/v1", ["extensions"]),
  workloadDialect("CronJob", "batch/v1"),
  workloadDialect("ReplicationController", "v1"),
];

const DIALECTS: ReadonlyMap<string, Dialect> = new Map(DIALECT_LIST.map((dialect) => [dialect.kind, dialect]));

const ENFORCED = DIALECT_LIST.filter(({ type }) => type === "policy").map(
  ({ apiVersion, kind }) => `${apiVersion} ${kind}`,
);

function policyDialect(
  kind: string,
  apiVersion: string,
  decode: (value: unknown, source: ObjectSource) => DecodedPolicy,
  formerGroups: readonly string[] = [],
): Dialect {
  return {
    kind,
    type: "policy",
    apiVersion,
    formerGroups,
    decode: (value, source) => {
      const { policy, diagnostics } = decode(value, source);
      return policy === undefined ? { type: "policy", diagnostics } : { type: "policy", object: policy, diagnostics };
    },
  };
}

function workloadDialect(kind: WorkloadKind, apiVersion: string, formerGroups: readonly string[] = []): Dialect {
  return {
    kind,
    type: "workload",
    apiVersion,
    formerGroups,
    decode: (value, source) => ({ type: "workload", ...decodeWorkload(kind, value, source) }),
  };
}

/** Decodes any Kubernetes object; `type` in the result says what it is. Never throws. */
export function decodeObject(value: unknown, source: ObjectSource): DecodedObject {
  const { kind, apiVersion } = isMapping(value) ? value : {};
  if (typeof kind !== "string" || kind === "" || typeof apiVersion !== "string" || apiVersion === "") {
    return { type: "refused", diagnostics: missingTypeFindings(value, source) };
  }
  const dialect = DIALECTS.get(kind);
  if (dialect === undefined) return ignoredObject(kind, apiVersion, value, source);
  if (dialect.apiVersion === apiVersion) return dialect.decode(value, source);
  const group = apiGroup(apiVersion);
  if (
    isForeignGroup(group) ||
    (dialect.type !== "policy" && group.includes(".") && group !== apiGroup(dialect.apiVersion))
  ) {
    return ignoredObject(kind, apiVersion, value, source);
  }
  const root = rootField(value, source);
  root.findings.object = objectName(kind, value);
  root.member("apiVersion").error({
    code: "unknown-api-version",
    message: `${kind} is not served as ${apiVersion}`,
    hint: dialect.formerGroups?.includes(group)
      ? `${apiVersion} was removed from Kubernetes; write apiVersion: ${dialect.apiVersion}`
      : `write apiVersion: ${dialect.apiVersion}`,
  });
  return { type: dialect.type, unborn: false, diagnostics: root.findings.diagnostics };
}

/** What has no decoder: nobody's business here, unless it was meant to be. */
function ignoredObject(kind: string, apiVersion: string, value: unknown, source: ObjectSource): DecodedObject {
  const misleading = DIALECTS.has(kind);
  const group = apiGroup(apiVersion);
  const isBare = isMapping(value) && !("metadata" in value);
  const meant = misleading ? undefined : meantKind(kind, group, isBare);
  if (meant !== undefined) return mistypedObject(kind, meant, apiVersion, value, source);
  const name = misleading ? `${apiVersion} ${kind}` : kind;
  if (!kind.endsWith("NetworkPolicy")) return { type: "ignored", name, diagnostics: [] };
  const root = rootField(value, source);
  root.findings.object = objectName(kind, value);
  root.member("kind").warning({
    code: "policy-not-enforced",
    message: `${apiVersion} ${kind} is not enforced: it is ignored`,
    hint: `enforced are ${ENFORCED.slice(0, -1).join(", ")} and ${ENFORCED.at(-1)}`,
  });
  const unenforced = `${kind.toLowerCase().replace(/y$/, "ies")}.${group}`;
  return { type: "ignored", name, unenforced, diagnostics: root.findings.diagnostics };
}

function mistypedObject(
  kind: string,
  meant: string,
  apiVersion: string,
  value: unknown,
  source: ObjectSource,
): DecodedObject {
  const root = rootField(value, source);
  root.findings.object = objectName(kind, value);
  if (meant === kind) {
    root.member("items").error({ code: "missing-field", message: "this list has no items" });
  } else {
    const message = `${apiVersion} has no kind ${JSON.stringify(kind)}`;
    root.member("kind").error({ code: "unknown-kind", message, hint: `did you mean ${meant}?` });
  }
  return { type: "refused", diagnostics: root.findings.diagnostics };
}

function missingTypeFindings(value: unknown, source: ObjectSource): Diagnostic[] {
  if (!isMapping(value)) {
    const findings = rootField({}, source).findings;
    findings.error([], {
      code: "not-a-mapping",
      message: `a Kubernetes object must be a mapping, not ${Array.isArray(value) ? "a list" : "a single value"}`,
      hint: "an object starts with apiVersion: and kind:",
    });
    return findings.diagnostics;
  }
  const root = rootField(value, source);
  for (const key of ["apiVersion", "kind"]) {
    const field = root.member(key);
    if (!field.present || field.value === "") {
      field.error({
        code: key === "kind" ? "missing-kind" : "missing-api-version",
        message: `the object has no ${key}`,
      });
    } else {
      field.asString();
    }
  }
  return root.findings.diagnostics;
}

function objectName(kind: string, value: unknown): string {
  const metadata = isMapping(value) && isMapping(value.metadata) ? value.metadata : {};
  const { namespace, name } = metadata;
  if (typeof name !== "string") return kind;
  return typeof namespace === "string" ? `${kind} ${namespace}/${name}` : `${kind} ${name}`;
}

function apiGroup(apiVersion: string): string {
  const slash = apiVersion.indexOf("/");
  return slash < 0 ? "" : apiVersion.slice(0, slash);
}
