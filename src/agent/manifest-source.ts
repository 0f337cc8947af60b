// The cluster from a watched folder instead of an API server (`--manifests`). Owns when to look at the folder and
// what of it is handed over.

import { stat } from "node:fs/promises";
import { nodeManifestFiles } from "../manifests/manifest-files.ts";
import { placePodsOfAgent } from "../manifests/placement.ts";
import { FolderError, type FolderState, type WatchedFiles, WatchedFolder } from "../manifests/watched-folder.ts";
import type { Clock } from "./clock.ts";
import type { ClusterSink, ClusterSource, SourceStatus, StandingFinding } from "./cluster-change.ts";
import { countFiles, FolderFailures } from "./folder-failures.ts";
import { FolderNotifications } from "./folder-notifications.ts";
import type { Log } from "./log.ts";
import { LooseFindings } from "./loose-findings.ts";
import {
  collectObjects,
  countPolicies,
  differences,
  type KnownObjects,
  placementFindings,
} from "./manifest-objects.ts";

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

export class ManifestSource implements ClusterSource {
  readonly #options: ManifestSourceOptions;
  readonly #folder: WatchedFolder;
  readonly #failures: FolderFailures;
  readonly #loose: LooseFindings;
  #known: KnownObjects = new Map();
  #unenforcedKinds: readonly string[] = [];
  #nodeIsKnown = false;
  #synced = false;
  #lastChangeAt: number | undefined;
  #loads = 0;

  constructor(options: ManifestSourceOptions) {
    this.#options = options;
    this.#folder = new WatchedFolder(options.folder, options.files ?? watchedNodeFiles);
    this.#failures = new FolderFailures(options.log);
    this.#loose = new LooseFindings(options.log);
  }

  status(): readonly SourceStatus[] {
    const { clock } = this.#options;
    return [
      {
        resource: "manifests",
        installed: true,
        synced: this.#synced,
        lastEventAgeSeconds: this.#lastChangeAt === undefined ? undefined : (clock.now() - this.#lastChangeAt) / 1000,
        relists: Math.max(0, this.#loads - 1),
        watches: this.#loads === 0 ? 0 : 1,
        failures: this.#failures.count,
        lastFailure: this.#failures.now,
      },
    ];
  }

  unenforcedKinds(): readonly string[] {
    return this.#unenforcedKinds;
  }

  findings(): readonly StandingFinding[] {
    return this.#loose.standing();
  }

  async run(sink: ClusterSink, signal: AbortSignal): Promise<void> {
    const notifications = new FolderNotifications(this.#options.folder, signal);
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
      this.#failures.folderFailed(error, this.#synced);
      return "settled";
    }
    this.#failures.folderSeen();
    if (seen === "changing") return "changing";
    if (seen !== "same") this.#takeOver(seen, sink);
    return "settled";
  }

  #takeOver({ loaded, broken, unknownFiles }: FolderState, sink: ClusterSink): void {
    const { nodeName, clock, log } = this.#options;
    // What such a file said to an earlier agent may be what the rules that are there close.
    if (!this.#synced && unknownFiles > 0) {
      this.#failures.filesRead(broken, false);
      return;
    }
    this.#loads++;
    this.#lastChangeAt = clock.now();
    this.#failures.filesRead(broken, this.#synced);
    const placed = placePodsOfAgent(loaded.pods, loaded.nodes, nodeName, this.#nodeIsKnown);
    this.#nodeIsKnown = placed.isKnown;
    const diagnostics = [...loaded.diagnostics, ...placementFindings(placed, nodeName)];
    const { objects, loose } = collectObjects({ ...loaded, pods: placed.pods, diagnostics });
    this.#loose.update(loose);
    this.#unenforcedKinds = loaded.unenforcedKinds;
    const changes = differences(this.#known, objects);
    const policies = countPolicies(objects);
    const policiesBefore = this.#synced ? countPolicies(this.#known) : undefined;
    this.#known = objects;
    const counts = { changes: changes.length, objects: objects.size, policies, broken: countFiles(broken) };
    log.info(counts, "manifests read");
    if (policies === 0 && policiesBefore !== 0) {
      log.warn({ gone: policiesBefore ?? 0 }, "the folder has no policies: every pod is open");
    }
    if (changes.length > 0) sink.changed(changes);
    if (!this.#synced) {
      this.#synced = true;
      sink.synced();
    }
  }
}
