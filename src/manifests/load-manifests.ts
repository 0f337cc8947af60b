// Files, folders and standard input -> the cluster's objects. Wires the readers; owns the order of the steps:
// find, read, make up the pods of workloads, make up addresses.

import type { Namespace, Node, Pod } from "../model/cluster.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import type { Policy } from "../model/policy.ts";
import { type CollectedPod, ObjectCollector } from "./collector.ts";
import { PositionCache } from "./document.ts";
import { findFiles } from "./find-files.ts";
import { giveAddresses } from "./made-up-addresses.ts";
import { makeUpPods } from "./made-up-pods.ts";
import type { ManifestFiles } from "./manifest-files.ts";
import { readManifest } from "./read-manifest.ts";

export interface LoadedManifests {
  readonly namespaces: readonly Namespace[];
  /** Real pods in the order of the input, then made-up ones by key. */
  readonly pods: readonly Pod[];
  readonly nodes: readonly Node[];
  readonly policies: readonly Policy[];
  /** Errors make the input unusable; policies with errors are there all the same, closed. */
  readonly diagnostics: readonly Diagnostic[];
  /** Objects that have no say in network policy, counted by kind. */
  readonly ignoredKinds: ReadonlyMap<string, number>;
  /** How many pods got made-up addresses. */
  readonly madeUpAddresses: number;
}

export interface LoadOptions {
  readonly recursive: boolean;
  readonly files: ManifestFiles;
  readonly onProgress?: (bytesRead: number, bytesTotal: number) => void;
  /** Sees the API object of each policy. */
  readonly onPolicy?: (value: unknown) => void;
}

/** Reads everything and reports all findings in one run; never rejects because of bad input. `-` is standard input. */
export async function loadManifests(paths: readonly string[], options: LoadOptions): Promise<LoadedManifests> {
  const { files, recursive, onProgress } = options;
  const collector = new ObjectCollector(options.onPolicy);
  const found = await findFiles(paths, recursive, files);
  collector.diagnostics.push(...found.diagnostics);
  const bytesTotal = found.files.reduce((sum, file) => sum + file.sizeBytes, 0);
  let bytesRead = 0;
  const onBytes = (count: number) => {
    bytesRead += count;
    onProgress?.(bytesRead, Math.max(bytesRead, bytesTotal));
  };
  const positions = new PositionCache();
  for (const file of found.files) await readManifest(file, { files, collector, positions, onBytes });
  return completeCluster(collector);
}

/** Adds what manifests leave open: the pods of workloads, and addresses. */
export function completeCluster(collector: ObjectCollector): LoadedManifests {
  const { namespaces, nodes, policies, ignoredKinds } = collector;
  const written = collector.pods.map((collected) => collected.pod);
  const made = makeUpPods(collector.workloads, written, nodes);
  const isUnborn = (collected: CollectedPod) => collected.unborn;
  const unborn = collector.pods.filter(isUnborn).map((collected) => collected.pod);
  const known = collector.pods.filter((collected) => !isUnborn(collected)).map((collected) => collected.pod);
  const addressed = giveAddresses([...unborn, ...made.pods], known, nodes, policies);
  return {
    namespaces,
    pods: [...known, ...addressed.pods],
    nodes,
    policies,
    diagnostics: [...collector.diagnostics, ...made.diagnostics],
    ignoredKinds,
    madeUpAddresses: addressed.madeUp,
  };
}
