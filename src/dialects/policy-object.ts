// What a policy of any API has around its spec: the fields of the object, its metadata, its name.

import type { Field } from "./field-reader.ts";
import { dnsSubdomainFault } from "./names.ts";
import { type ObjectMeta, readObjectMeta } from "./object-meta.ts";

const TOP_FIELDS = ["apiVersion", "kind", "metadata", "spec", "status"];
const META_FIELDS = [
  ...["name", "namespace", "labels", "annotations", "uid", "resourceVersion", "generation", "generateName"],
  ...["creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "ownerReferences", "finalizers"],
  ...["managedFields", "selfLink", "clusterName"],
];

export interface PolicyObject {
  /** undefined (reported) when it has no usable name or namespace. */
  readonly meta: ObjectMeta | undefined;
  /** false: beside the spec stands what may have been meant for it. */
  readonly topIsKnown: boolean;
}

export function readPolicyObject(root: Field, kind: string, scope: "namespaced" | "cluster"): PolicyObject {
  const meta = readObjectMeta(root, kind, scope);
  const topIsKnown = root.refuseUnknownFields(TOP_FIELDS);
  const metadata = root.member("metadata");
  metadata.refuseUnknownFields(META_FIELDS);
  const nameFault = meta && dnsSubdomainFault(meta.name);
  if (nameFault !== undefined) {
    const message = `policy name ${JSON.stringify(meta?.name)} ${nameFault}`;
    metadata.member("name").error({ code: "invalid-name", message });
  }
  if (scope === "cluster") warnOfNamespace(metadata.member("namespace"), kind);
  return { meta, topIsKnown };
}

/** The API server clears it without a word (EnsureObjectNamespaceMatchesRequestNamespace). */
function warnOfNamespace(namespace: Field, kind: string): void {
  if (!namespace.present || namespace.value === "") return;
  namespace.warning({
    code: "namespace-ignored",
    message: `a ${kind} belongs to the cluster, not to a namespace: this is ignored`,
    hint: "remove it; its subject says which namespaces it applies to",
  });
}
