// The source of a watched folder over files in memory and a clock that tests turn. Owns the wiring, and what the source has told.

import { onTestFinished } from "vitest";
import type { ClusterChange } from "../../src/agent/cluster-change.ts";
import { createLog } from "../../src/agent/log.ts";
import { ManifestSource } from "../../src/agent/manifest-source.ts";
import { EditedFiles } from "./edited-files.ts";
import { ManualClock } from "./manual-clock.ts";

// Loaded on demand by the reader: a turned clock does not wait for it.
import "../../src/manifests/syntax-errors.ts";

export interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

export class WatchedManifests {
  readonly files = new EditedFiles();
  readonly clock = new ManualClock();
  readonly source: ManifestSource;
  readonly logged: LogLine[] = [];
  /** What the sink was given, in order. */
  readonly changes: ClusterChange[] = [];
  synced = false;

  constructor(texts: Readonly<Record<string, string>>) {
    for (const [path, text] of Object.entries(texts)) this.files.write(path, text);
    const log = createLog("info", "n1", (line) => void this.logged.push(JSON.parse(line)));
    this.source = new ManifestSource({
      folder: "d",
      nodeName: "n1",
      clock: this.clock,
      log,
      files: this.files.door,
    });
  }

  /** Runs to the end of the test; the folder has settled when this resolves. */
  static async start(texts: Readonly<Record<string, string>>): Promise<WatchedManifests> {
    const manifests = new WatchedManifests(texts);
    const ended = new AbortController();
    const sink = {
      changed: (changes: readonly ClusterChange[]) => void manifests.changes.push(...changes),
      synced: () => {
        manifests.synced = true;
      },
    };
    const done = manifests.source.run(sink, ended.signal);
    onTestFinished(async () => {
      ended.abort();
      await done;
    });
    await manifests.settle();
    return manifests;
  }

  /** Long enough for a look, and for the second one that finds the folder settled. */
  async settle(): Promise<void> {
    await this.clock.advance(3_000);
  }

  /** `NetworkPolicy/x/a`, `x/pod`, ... as the sink knows them now, sorted. */
  get objects(): string[] {
    const objects = new Set<string>();
    for (const { event } of this.changes) {
      const [name, object] =
        event.kind === "pod"
          ? [event.key, event.pod]
          : event.kind === "policy"
            ? [event.key, event.policy]
            : event.kind === "node"
              ? [event.name, event.node]
              : [event.name, event.namespace];
      if (object === undefined) objects.delete(name);
      else objects.add(name);
    }
    return [...objects].sort();
  }

  get failure(): string | undefined {
    return this.source.status()[0]?.lastFailure;
  }

  messages(level?: string): string[] {
    return this.logged.filter((line) => level === undefined || line.level === level).map(({ msg }) => msg);
  }
}

export const policyText = (name: string, spec = "{podSelector: {}}") =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}, namespace: x}\nspec: ${spec}\n`;

export const podText = (name: string, address: string, node?: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: x}\nspec: {containers: []${node === undefined ? "" : `, nodeName: ${node}`}}\nstatus: {podIP: ${address}}\n`;
