// The cluster from a watched folder instead of an API server (`--manifests`). Owns when to look at the folder and the
// difference from one state of it to the next.

import { watch } from "node:fs";
import { stat } from "node:fs/promises";
import { isDeepStrictEqual } from "node:util";
import { nodeManifestFiles } from "../manifests/manifest-files.ts";
import { placePods } from "../manifests/placement.ts";
import { FolderError, type FolderState, type WatchedFiles, WatchedFolder } from "../manifests/watched-folder.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import type { ClusterEvent } from "../state/change.ts";
import type { Clock } from "./clock.ts";
import type { ClusterChange, ClusterSink, ClusterSource, SourceStatus } from "./cluster-change.ts";
import type { Log } from "./log.ts";

/** The folder has settled when two looks so far apart see the same. */
const SETTLE_MS = 150;
/** Where no notification comes (network file systems). */
const POLL_MS = 1_000;

export interface ManifestSourceOptions {
  readonly folder: string;
  readonly nodeName: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly files?: WatchedFiles;
}

/** Files of the system; a write changes time and size, a rename the inode. */
export const watchedNodeFiles: WatchedFiles = {
  ...nodeManifestFiles,
  async fingerprint(path) {
    const { ino, dev, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
    return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
  },
};

interface KnownObject {
  readonly event: ClusterEvent;
  readonly diagnostics: readonly Diagnostic[];
}

export class ManifestSource implements ClusterSource {
  readonly #options: ManifestSourceOptions;
  readonly #folder: WatchedFolder;
  #known = new Map<string, KnownObject>();
  #synced = false;
  #lastChangeAt: number | undefined;
  #loads = 0;
  #failures = 0;
  #lastFailure: string | undefined;

  constructor(options: ManifestSourceOptions) {
    this.#options = options;
    this.#folder = new WatchedFolder(options.folder, options.files ?? watchedNodeFiles);
  }

  status(): readonly SourceStatus[] {
    const { clock } = this.#options;
    return [
      {
        resource: "manifests",
        synced: this.#synced,
        lastEventAgeSeconds: this.#lastChangeAt === undefined ? undefined : (clock.now() - this.#lastChangeAt) / 1000,
        relists: Math.max(0, this.#loads - 1),
        watches: this.#loads === 0 ? 0 : 1,
        failures: this.#failures,
        lastFailure: this.#lastFailure,
      },
    ];
  }

  /** Files say so as findings. */
  unenforcedKinds(): readonly string[] {
    return [];
  }

  async run(sink: ClusterSink, signal: AbortSignal): Promise<void> {
    const notifications = new Notifications(this.#options.folder, signal);
    while (!signal.aborted) {
      const looked = await this.#look(sink);
      await notifications.waitFor(
        looked === "changing" ? SETTLE_MS : POLL_MS,
        looked === "changing",
        this.#options.clock,
      );
    }
    notifications.close();
  }

  async #look(sink: ClusterSink): Promise<"changing" | "settled"> {
    let seen: Awaited<ReturnType<WatchedFolder["look"]>>;
    try {
      seen = await this.#folder.look();
    } catch (error) {
      if (!(error instanceof FolderError)) throw error;
      this.#fail(error.message, { err: error });
      return "settled";
    }
    if (seen === "changing") return "changing";
    if (seen !== "same") this.#takeOver(seen, sink);
    return "settled";
  }

  #takeOver({ loaded, broken }: FolderState, sink: ClusterSink): void {
    const { nodeName, clock, log } = this.#options;
    this.#loads++;
    this.#lastChangeAt = clock.now();
    this.#lastFailure = undefined;
    const [first] = broken;
    if (first !== undefined) this.#fail(`${first.position.file}: ${first.message}`, { findings: broken });
    const placed = placePods(loaded.pods, loaded.nodes, nodeName);
    const objects = collectObjects({ ...loaded, pods: placed.pods });
    const changes = differences(this.#known, objects);
    this.#known = objects;
    log.info({ changes: changes.length, objects: objects.size, broken: broken.length }, "manifests read");
    if (changes.length > 0) sink.changed(changes);
    if (!this.#synced) {
      this.#synced = true;
      sink.synced();
    }
  }

  #fail(failure: string, fields: Readonly<Record<string, unknown>>): void {
    if (failure === this.#lastFailure) return;
    this.#failures++;
    this.#lastFailure = failure;
    this.#options.log.warn(fields, "manifests cannot be read: what they said before stays in force");
  }
}

function collectObjects(loaded: FolderState["loaded"]): Map<string, KnownObject> {
  const objects = new Map<string, KnownObject>();
  const findings = new Map<string, Diagnostic[]>();
  for (const diagnostic of loaded.diagnostics) {
    const about = diagnostic.object ?? "";
    findings.set(about, [...(findings.get(about) ?? []), diagnostic]);
  }
  const add = (key: string, event: ClusterEvent, object: string) =>
    objects.set(key, { event, diagnostics: findings.get(object) ?? [] });
  for (const namespace of loaded.namespaces) {
    const { name } = namespace;
    add(`namespace ${name}`, { kind: "namespace", name, namespace }, `Namespace ${name}`);
  }
  for (const node of loaded.nodes) {
    add(`node ${node.name}`, { kind: "node", name: node.name, node }, `Node ${node.name}`);
  }
  for (const pod of loaded.pods) add(`pod ${pod.key}`, { kind: "pod", key: pod.key, pod }, `Pod ${pod.key}`);
  for (const policy of loaded.policies) {
    const { key, kind, namespace, name } = policy;
    const object = `${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
    add(`policy ${key}`, { kind: "policy", key, policy }, object);
  }
  return objects;
}

function differences(
  before: ReadonlyMap<string, KnownObject>,
  after: ReadonlyMap<string, KnownObject>,
): ClusterChange[] {
  const changes: ClusterChange[] = [];
  for (const [key, { event }] of before) {
    if (!after.has(key)) changes.push({ event: removal(event), diagnostics: [], uid: "" });
  }
  for (const [key, object] of after) {
    if (!isDeepStrictEqual(before.get(key), object)) changes.push({ ...object, uid: "" });
  }
  return changes;
}

function removal(event: ClusterEvent): ClusterEvent {
  switch (event.kind) {
    case "pod":
      return { ...event, pod: undefined };
    case "namespace":
      return { ...event, namespace: undefined };
    case "node":
      return { ...event, node: undefined };
    case "policy":
      return { ...event, policy: undefined };
  }
}

/** Hints of the operating system that something changed. Only hints: without them the folder is looked at all the same. */
class Notifications {
  readonly #signal: AbortSignal;
  readonly #watcher: ReturnType<typeof watch> | undefined;
  #pending = false;
  #wake: () => void = () => {};

  constructor(folder: string, signal: AbortSignal) {
    this.#signal = signal;
    this.#watcher = openWatcher(folder, () => {
      this.#pending = true;
      this.#wake();
    });
  }

  /** Until the time is over, the signal is aborted, or (unless `quietly`) something was heard. */
  async waitFor(ms: number, quietly: boolean, clock: Clock): Promise<void> {
    const woken = new AbortController();
    this.#wake = () => {
      if (!quietly) woken.abort();
    };
    if (this.#pending) this.#wake();
    this.#pending = false;
    await clock.sleep(ms, AbortSignal.any([this.#signal, woken.signal]));
    this.#wake = () => {};
  }

  close(): void {
    this.#watcher?.close();
  }
}

function openWatcher(folder: string, onChange: () => void): ReturnType<typeof watch> | undefined {
  try {
    const watcher = watch(folder, { recursive: true }, onChange);
    // For example: too many watches, or the folder was replaced. Looking every second still works.
    watcher.on("error", () => watcher.close());
    return watcher;
  } catch {
    return undefined;
  }
}
