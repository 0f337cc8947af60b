// What one agent has been told, as versions of the server's resources, and between which of them the state lies that it brings to
// the kernel. Stands between source and agent, and between agent and backend, and changes nothing.
//
//   source ──told──> [here] ──> agent ──> [here] ──> backend
//
// The sync loop takes everything that was told when a sync begins, and tells the backend some time later. So the state of
// a call lies between what was told at the end of the call before (all of that had been taken) and what was told when this one began.

import type { ClusterChange, ClusterSink, ClusterSource } from "../../src/agent/cluster-change.ts";
import type { Applied, Backend } from "../../src/backends/backend.ts";
import type { ClusterEvent } from "../../src/state/change.ts";
import { eventKey, KINDS, type Kind, kindOfEvent } from "../support/server-objects.ts";
import { FIRST_VERSIONS, type ServerHistory, type Versions } from "./server-history.ts";

/** Both ends included. */
export interface VersionWindow {
  readonly oldest: Versions;
  readonly newest: Versions;
}

export class AgentKnowledge {
  /** What the agent was told that the server never had, or no more; and what it wrote too early. */
  readonly contradictions: string[] = [];
  readonly #history: ServerHistory;
  readonly #told = new Map<Kind, Map<string, ClusterEvent>>(KINDS.map((kind) => [kind, new Map()]));
  #versions: Versions = FIRST_VERSIONS;
  #surelyTaken: Versions | undefined;
  #window: VersionWindow | undefined;

  constructor(history: ServerHistory) {
    this.#history = history;
  }

  /** Everything that was told so far. */
  get versions(): Versions {
    return this.#versions;
  }

  /** Of the call that is under way, or of the last one. Throws before the first. */
  get window(): VersionWindow {
    if (this.#window === undefined) throw new Error("nothing has been brought to the kernel");
    return this.#window;
  }

  /** What the agent goes by now: as `window`, and what it may have taken since. */
  get windowUntilNow(): VersionWindow {
    return { oldest: this.window.oldest, newest: this.#versions };
  }

  isUpToDate(): boolean {
    return this.#history.stateKey(this.#versions) === this.#history.stateKey(this.#history.newest());
  }

  readonly wrapSource = (source: ClusterSource): ClusterSource => ({
    status: () => source.status(),
    unenforcedKinds: () => source.unenforcedKinds(),
    run: (sink: ClusterSink, signal: AbortSignal) => {
      const changed = (changes: readonly ClusterChange[]) => {
        this.#take(changes);
        sink.changed(changes);
      };
      const synced = () => {
        this.#surelyTaken ??= this.#versions;
        sink.synced();
      };
      return source.run({ changed, synced }, signal);
    },
  });

  readonly wrapBackend = (backend: Backend): Backend => {
    const during = async <T>(window: VersionWindow, call: () => Promise<T>): Promise<T> => {
      this.#window = window;
      try {
        return await call();
      } finally {
        this.#surelyTaken = this.#versions;
      }
    };
    const bring = (call: () => Promise<Applied>): Promise<Applied> => {
      if (this.#surelyTaken === undefined) this.contradictions.push("the kernel is written before everything was told");
      return during({ oldest: this.#surelyTaken ?? this.#versions, newest: this.#versions }, call);
    };
    return {
      probe: () => backend.probe(),
      install: (program) => bring(() => backend.install(program)),
      apply: (delta) => bring(() => backend.apply(delta)),
      // What changed nothing in the program was taken without a call.
      verify: () => during(this.windowUntilNow, () => backend.verify()),
      changedByOthers: () => backend.changedByOthers(),
      dropped: () => backend.dropped(),
      size: () => backend.size(),
      cleanUp: () => backend.cleanUp(),
      close: () => backend.close(),
    };
  };

  #take(changes: readonly ClusterChange[]): void {
    const kinds = new Set(changes.map(({ event }) => kindOfEvent(event)));
    for (const { event } of changes) {
      const contents = this.#told.get(kindOfEvent(event)) as Map<string, ClusterEvent>;
      if (isRemoval(event)) contents.delete(eventKey(event));
      else contents.set(eventKey(event), event);
    }
    for (const kind of kinds) {
      const contents = this.#told.get(kind) as Map<string, ClusterEvent>;
      const version = this.#history.find(kind, contents, this.#versions[kind]);
      if (version === undefined) {
        this.contradictions.push(
          `the server had no version of ${kind} with ${[...contents.keys()].join(", ")} as told`,
        );
      } else {
        this.#versions = { ...this.#versions, [kind]: version };
      }
    }
  }
}

function isRemoval(event: ClusterEvent): boolean {
  switch (event.kind) {
    case "pod":
      return event.pod === undefined;
    case "policy":
      return event.policy === undefined;
    case "namespace":
      return event.namespace === undefined;
    case "node":
      return event.node === undefined;
  }
}
