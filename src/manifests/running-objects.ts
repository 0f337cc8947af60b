// Texts of manifests -> the objects of a cluster that runs, for whoever enforces: workloads have no pods and nothing gets an
// address, because a made-up address is somebody else's. Owns when a text is not to be trusted.

import type { Diagnostic } from "../model/diagnostic.ts";
import { ObjectCollector } from "./collector.ts";
import { PositionCache } from "./document.ts";
import type { LoadedManifests } from "./load-manifests.ts";
import { memoryManifestFiles } from "./manifest-files.ts";
import { readManifest } from "./read-manifest.ts";

export interface RunningObjects
  extends Pick<LoadedManifests, "namespaces" | "pods" | "nodes" | "policies" | "diagnostics"> {
  /** Kinds of policies that are there and not enforced, by kubectl's names, sorted. */
  readonly unenforcedKinds: readonly string[];
}

/** By path; of an object that is there twice the first counts. */
export async function readRunningObjects(texts: ReadonlyMap<string, Uint8Array>): Promise<RunningObjects> {
  const { namespaces, nodes, policies, diagnostics, ...rest } = await collect(texts);
  const pods = rest.pods.map(({ pod }) => pod);
  return { namespaces, pods, nodes, policies, diagnostics, unenforcedKinds: [...rest.unenforcedKinds].sort() };
}

/**
 * Why a text does not say what is to run: it is half-written, has become empty, or has an object of which not even the place is
 * known (kind, name, namespace), so that what it was before would be missed. An object that is read and invalid is another
 * matter: it is closed.
 */
export async function faultsOfText(path: string, text: Uint8Array): Promise<readonly Diagnostic[]> {
  const { diagnostics, contained } = await collect(new Map([[path, text]]));
  return diagnostics.filter((finding) => {
    if (finding.code === "empty-file") return true;
    return finding.severity === "error" && (!contained.has(finding) || finding.field === "metadata.namespace");
  });
}

async function collect(texts: ReadonlyMap<string, Uint8Array>): Promise<ObjectCollector> {
  const collector = new ObjectCollector();
  const files = memoryManifestFiles(Object.fromEntries(texts));
  const context = { files, collector, positions: new PositionCache(), onBytes: () => {} };
  for (const [path, { length }] of texts) await readManifest({ path, sizeBytes: length, explicit: false }, context);
  return collector;
}
