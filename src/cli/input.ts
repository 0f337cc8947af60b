// What a verb works on: manifests or the kube context -> a filled ClusterStore. Reports all findings on stderr first;
// any error ends the command before anything else is done.

import { type LoadedManifests, loadManifests } from "../manifests/load-manifests.ts";
import { placePods } from "../manifests/placement.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import { sharedAddressWarning } from "../state/shared-addresses.ts";
import { ClusterStore } from "../state/store.ts";
import { countFindings, formatDiagnostic, hasErrors } from "./diagnostics.ts";
import { startProgress } from "./progress.ts";
import { countOf, printable } from "./terminal-text.ts";
import { CommandError, flagOption, listOption, type OptionValues, textOption, type VerbContext } from "./verb.ts";

export interface ClusterInput {
  readonly store: ClusterStore;
  /** Nodes that pods are on and nodes that are defined, sorted; never empty where there are pods. */
  readonly nodeNames: readonly string[];
  /** Warnings, also those that only the state shows (shared addresses). All of them have been printed. */
  readonly warnings: readonly Diagnostic[];
}

export interface LoadClusterOptions {
  /** `--node`: where pods are that name no node. */
  readonly wantedNode?: string | undefined;
}

/**
 * The cluster that the options -f, -R, --kubeconfig and --context name. Throws CommandError with exit code 2 after it has
 * printed what is wrong with the input.
 */
export async function loadCluster(
  options: OptionValues,
  context: VerbContext,
  { wantedNode }: LoadClusterOptions = {},
): Promise<ClusterInput> {
  const loaded = await loadObjects(options, context);
  const { input, diagnostics } = fillStore(loaded, wantedNode);
  for (const diagnostic of diagnostics) context.stderr(`${formatDiagnostic(diagnostic)}\n`);
  if (diagnostics.length > 0) context.stderr(`${countFindings(diagnostics)}\n`);
  if (hasErrors(diagnostics)) throw new CommandError(2, "");
  noteAboutInput(loaded, context);
  return input;
}

/** As `loadCluster`, for a verb that tells findings itself: they are given back, errors too, and none is printed. */
export async function loadFindings(
  options: OptionValues,
  context: VerbContext,
): Promise<{ readonly input: ClusterInput; readonly diagnostics: readonly Diagnostic[] }> {
  const loaded = await loadObjects(options, context);
  noteAboutInput(loaded, context);
  return fillStore(loaded);
}

async function loadObjects(options: OptionValues, context: VerbContext): Promise<LoadedManifests> {
  const paths = listOption(options, "filename");
  if (paths.length === 0) return readKubeContext(options, context);
  const progress = startProgress(context);
  try {
    return await loadManifests(paths, {
      recursive: flagOption(options, "recursive"),
      files: context.files,
      onProgress: (read, total) => progress.report(`reading ${formatMegabytes(read)} of ${formatMegabytes(total)}`),
    });
  } finally {
    progress.finish();
  }
}

/** Reads the cluster of the kube context. Throws CommandError with exit code 3 when that cannot be done. */
async function readKubeContext(options: OptionValues, context: VerbContext): Promise<LoadedManifests> {
  // The Kubernetes client takes 100 ms to load: only who asks for a cluster pays.
  const [{ snapshotCluster }, { ApiError, hintFor }] = await Promise.all([
    import("../kube/snapshot.ts"),
    import("../kube/api-error.ts"),
  ]);
  const progress = startProgress(context);
  try {
    const snapshot = await snapshotCluster({
      kubeconfig: textOption(options, "kubeconfig"),
      context: textOption(options, "context"),
      onProgress: ({ resource, readCount, totalCount }) =>
        progress.report(`reading ${resource}: ${readCount}${totalCount === undefined ? "" : ` of ${totalCount}`}`),
    });
    return { ...snapshot, ignoredKinds: new Map(), madeUpAddresses: 0 };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    throw new CommandError(3, error.message, hintFor(error, "read manifests with -f"), { cause: error });
  } finally {
    progress.finish();
  }
}

function formatMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(0)} MB`;
}

/** Objects -> state, with pods placed. Pure: `nftpol test` uses it for each folder. */
export function fillStore(
  loaded: LoadedManifests,
  wantedNode?: string,
): { readonly input: ClusterInput; readonly diagnostics: readonly Diagnostic[] } {
  const store = new ClusterStore();
  const { pods, nodeNames, unplaced } = placePods(loaded.pods, loaded.nodes, wantedNode);
  for (const namespace of loaded.namespaces) store.apply({ kind: "namespace", name: namespace.name, namespace });
  for (const node of loaded.nodes) store.apply({ kind: "node", name: node.name, node });
  for (const pod of pods) store.apply({ kind: "pod", key: pod.key, pod });
  for (const policy of loaded.policies) store.apply({ kind: "policy", key: policy.key, policy });
  const own = [
    ...store.sharedAddresses().map(sharedAddressWarning),
    ...(unplaced > 0 ? [unplacedWarning(unplaced, loaded)] : []),
  ];
  const diagnostics = inReadingOrder([...loaded.diagnostics, ...own]);
  const warnings = diagnostics.filter((each) => each.severity === "warning");
  return { input: { store, nodeNames, warnings }, diagnostics };
}

/** Files in the order in which they came, lines from the top: as one works through them in an editor. */
export function inReadingOrder<T extends Diagnostic>(diagnostics: readonly T[]): T[] {
  const files = [...new Set(diagnostics.map(({ position }) => position.file))];
  const rank = ({ position }: T) => files.indexOf(position.file);
  return diagnostics.toSorted(
    (a, b) =>
      rank(a) - rank(b) ||
      (a.position.line ?? 0) - (b.position.line ?? 0) ||
      (a.position.column ?? 0) - (b.position.column ?? 0),
  );
}

function unplacedWarning(unplaced: number, loaded: LoadedManifests): Diagnostic {
  const first = loaded.pods.find((pod) => pod.nodeName === undefined);
  return {
    code: "pod-without-node",
    severity: "warning",
    position: first?.position ?? { file: "" },
    message: `${countOf(unplaced, "pod")} without spec.nodeName: rules for it stand on no node, because pods are on several`,
  };
}

/** What was not read, and what was added. */
function noteAboutInput(loaded: LoadedManifests, context: VerbContext): void {
  const ignored = [...loaded.ignoredKinds].sort().map(([kind, count]) => `${count} ${kind}`);
  if (ignored.length > 0) context.stderr(`ignored: ${printable(ignored.join(", "))}\n`);
  if (loaded.madeUpAddresses > 0) {
    context.stderr(`note: ${countOf(loaded.madeUpAddresses, "pod")} without an address got a made-up one\n`);
  }
}
