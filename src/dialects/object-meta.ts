// `metadata` of any object: name, namespace, labels, owner. Owns which of them must be there.

import type { Labels } from "../model/labels.ts";
import type { Field } from "./field-reader.ts";
import { dnsLabelFault } from "./names.ts";

export interface ObjectMeta {
  readonly name: string;
  /** `default` where the object does not say; "" for cluster-scoped kinds. */
  readonly namespace: string;
  readonly uid: string;
  readonly labels: Labels;
  readonly createdAt: string;
  /** The controlling owner. */
  readonly owner: Owner | undefined;
}

export interface Owner {
  readonly kind: string;
  readonly name: string;
}

export const DEFAULT_NAMESPACE = "default";

/**
 * undefined (reported) when the object has no usable name or namespace: in `default` it would mean something else. Also names
 * the object in later findings.
 */
export function readObjectMeta(root: Field, kind: string, scope: "namespaced" | "cluster"): ObjectMeta | undefined {
  const metadata = root.mapping("metadata");
  nameFindings(root, metadata, kind, scope);
  const name = metadata.string("name");
  const namespace = scope === "namespaced" ? readNamespace(metadata) : "";
  const labels = readLabels(metadata.mapping("labels"));
  const uid = metadata.string("uid") ?? "";
  const createdAt = metadata.string("creationTimestamp") ?? "";
  const owner = readOwner(metadata);
  if (name === undefined || name === "") {
    if (!metadata.member("name").present || name === "") {
      metadata.member("name").error({ code: "missing-field", message: `this ${kind} has no metadata.name` });
    }
    return undefined;
  }
  if (namespace === undefined) return undefined;
  return { name, namespace, uid, labels, createdAt, owner };
}

/** Labels of any object. A null value is the empty string, as the API server reads it. */
export function readLabels(field: Field): Labels {
  const labels: Record<string, string> = {};
  for (const [key, value] of field.entries()) {
    const text = value.present ? value.asString() : "";
    if (text === undefined) continue;
    if (key === "__proto__") Object.defineProperty(labels, key, { value: text, enumerable: true });
    else labels[key] = text;
  }
  return labels;
}

function nameFindings(root: Field, metadata: Field, kind: string, scope: "namespaced" | "cluster"): void {
  const name = metadata.member("name").value;
  if (typeof name !== "string" || name === "") return;
  const namespace = metadata.member("namespace").value;
  const prefix =
    scope === "cluster" ? "" : `${typeof namespace === "string" && namespace !== "" ? namespace : DEFAULT_NAMESPACE}/`;
  root.findings.object = `${kind} ${prefix}${name}`;
}

/** undefined (reported) where it is no text. */
function readNamespace(metadata: Field): string | undefined {
  const namespace = metadata.string("namespace");
  if (namespace === undefined && metadata.member("namespace").present) return undefined;
  if (namespace === undefined || namespace === "") return DEFAULT_NAMESPACE;
  const fault = dnsLabelFault(namespace);
  if (fault !== undefined) {
    metadata
      .member("namespace")
      .error({ code: "invalid-name", message: `namespace ${JSON.stringify(namespace)} ${fault}` });
  }
  return namespace;
}

function readOwner(metadata: Field): Owner | undefined {
  for (const reference of metadata.list("ownerReferences")) {
    const owner = reference.asMapping();
    if (owner.boolean("controller") !== true) continue;
    const kind = owner.string("kind");
    const name = owner.string("name");
    if (kind !== undefined && name !== undefined) return { kind, name };
  }
  return undefined;
}
