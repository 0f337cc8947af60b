// Kubernetes Events: what people see in `kubectl describe` of the object that a finding is about.
// Owns the Event's form and its name; which findings are worth one, and how often, is the caller's business.

import { createHash } from "node:crypto";
import { ApiError } from "./api-error.ts";
import type { Resource } from "./resources.ts";
import { statusFailure } from "./status-failures.ts";
import type { ReflectorClient } from "./watch-stream.ts";

export interface EventReport {
  /** What the Event is about. */
  readonly regarding: {
    readonly kind: string;
    readonly apiVersion: string;
    readonly name: string;
    /** "" for objects of the whole cluster: their Events are in the namespace `default`. */
    readonly namespace: string;
    readonly uid: string;
  };
  /** CamelCase, for machines: `InvalidPolicy`. At most 128 bytes. */
  readonly reason: string;
  /** For people; cut to 1024 bytes. */
  readonly note: string;
  readonly type: "Warning" | "Normal";
  /** The object's generation, or a hash of what was found: with the same one the Event is the same, whoever reports it. */
  readonly revision: string;
  /** The node's name. */
  readonly reportingInstance: string;
}

export type EventOutcome =
  | { readonly kind: "created" }
  /** Somebody, most often another node, has reported the same. */
  | { readonly kind: "known" }
  | { readonly kind: "failed"; readonly failure: ApiError }
  | { readonly kind: "aborted" };

const LONGEST_NOTE_BYTES = 1024;
/** Of reportingInstance, in the API server's validation. */
const LONGEST_INSTANCE = 128;
const LONGEST_NAME = 253;
const HASH_DIGITS = 20;

/** One request. Never rejects for failures of the API: they are an outcome to be counted. */
export async function reportEvent(
  client: ReflectorClient,
  report: EventReport,
  signal: AbortSignal,
): Promise<EventOutcome> {
  const namespace = report.regarding.namespace || "default";
  const resource: Resource = {
    name: "events.events.k8s.io",
    path: `/apis/events.k8s.io/v1/namespaces/${encodeURIComponent(namespace)}/events`,
  };
  try {
    const body = JSON.stringify(eventObject(report, namespace, new Date()));
    const answer = await client.stream(resource.path, { body, signal });
    if (answer.status === 201) {
      // Read to its end, so that the connection can be used again.
      for await (const _chunk of answer.body);
      return { kind: "created" };
    }
    const failure = await statusFailure(answer, resource, "create");
    return answer.status === 409 ? { kind: "known" } : { kind: "failed", failure };
  } catch (error) {
    if (signal.aborted) return { kind: "aborted" };
    if (error instanceof ApiError) return { kind: "failed", failure: error };
    throw error;
  }
}

function eventObject(report: EventReport, namespace: string, now: Date) {
  const { regarding, reason, note, type, reportingInstance } = report;
  return {
    apiVersion: "events.k8s.io/v1",
    kind: "Event",
    metadata: { name: eventName(report), namespace },
    // Kubernetes' MicroTime has exactly six digits.
    eventTime: now.toISOString().replace(/Z$/, "000Z"),
    reportingController: "nftpol",
    reportingInstance: reportingInstance.slice(0, LONGEST_INSTANCE),
    action: "EnforcePolicy",
    reason,
    regarding: {
      kind: regarding.kind,
      apiVersion: regarding.apiVersion,
      name: regarding.name,
      uid: regarding.uid,
      ...(regarding.namespace === "" ? {} : { namespace: regarding.namespace }),
    },
    note: cutToBytes(note, LONGEST_NOTE_BYTES),
    type,
  };
}

/** The object's name and a hash of what is said of which revision: a DNS subdomain, equal on every node. */
export function eventName({ regarding, reason, revision }: EventReport): string {
  const { kind, uid, namespace, name } = regarding;
  const identity = JSON.stringify([kind, uid, namespace, name, revision, reason]);
  const hash = createHash("sha256").update(identity).digest("hex").slice(0, HASH_DIGITS);
  const readable = name
    .toLowerCase()
    .replace(/[^a-z0-9.-]/g, "-")
    .slice(0, LONGEST_NAME - 1 - HASH_DIGITS)
    // Each part between dots begins and ends with a letter or digit.
    .split(".")
    .map((part) => part.replace(/^-+|-+$/g, ""))
    .filter((part) => part !== "")
    .join(".");
  return readable === "" ? `event.${hash}` : `${readable}.${hash}`;
}

function cutToBytes(text: string, longest: number): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= longest) return text;
  const mark = "...";
  let end = longest - mark.length;
  // Not in the middle of a character: continuation bytes are 10xxxxxx.
  while (end > 0 && ((bytes[end] as number) & 0xc0) === 0x80) end--;
  return bytes.toString("utf8", 0, end) + mark;
}
