// The agent's parts with a stopwatch around them: source, graph, backend and table. What they do stays what it is.

import { subscribe } from "node:diagnostics_channel";
import type { ClientRequest, IncomingMessage } from "node:http";
import type { ClusterSink, ClusterSource } from "../../src/agent/cluster-change.ts";
import type { Applied, Backend } from "../../src/backends/backend.ts";
import type { ElementSocket } from "../../src/backends/nft/element-changes.ts";
import type { KernelTable } from "../../src/backends/nft/kernel-table.ts";
import type { Transaction } from "../../src/backends/nft/transaction.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { isEmptyDelta } from "../../src/program/program.ts";
import type { Stopwatch } from "./stopwatch.ts";

/** `arrived`: bytes of a watch come out of a socket, before HTTP looks at them. */
export function timeArrivals(watch: Stopwatch): void {
  subscribe("http.client.response.finish", (message) => {
    const { request, response } = message as { readonly request: ClientRequest; readonly response: IncomingMessage };
    if (request.path.includes("watch=1")) response.socket.prependListener("data", () => watch.mark("arrived"));
  });
}

/** `decoded`: the change is the agent's to take. */
export function timedSource(source: ClusterSource, watch: Stopwatch): ClusterSource {
  return {
    run: (sink, signal) => source.run(timedSink(sink, watch), signal),
    status: () => source.status(),
    unenforcedKinds: () => source.unenforcedKinds(),
  };
}

function timedSink(sink: ClusterSink, watch: Stopwatch): ClusterSink {
  return {
    changed(changes) {
      watch.mark("decoded");
      sink.changed(changes);
    },
    synced: () => sink.synced(),
  };
}

/** `applying`, `flushed`; the end of a change without effect. The agent makes its graph itself, so the class's methods are wrapped. */
export function timeGraphs(watch: Stopwatch): void {
  const { apply, flush } = RuleGraph.prototype;
  RuleGraph.prototype.apply = function (event) {
    watch.mark("applying");
    apply.call(this, event);
  };
  RuleGraph.prototype.flush = function () {
    const delta = flush.call(this);
    watch.mark("flushed");
    if (isEmptyDelta(delta)) watch.finish();
    return delta;
  };
}

/** What a backend tells while it applies a delta. */
export interface BackendHooks {
  onInForce(): void;
  onApplied(applied: Applied): void;
}

/** `committed`: packets meet the new rules; `done`, and the end of the change: what nothing leads to any more is gone, too. */
export function timedBackend(backend: Backend, watch: Stopwatch, hooks: BackendHooks): Backend {
  return {
    probe: () => backend.probe(),
    install: (program) => backend.install(program),
    async apply(delta, onInForce) {
      const applied = await backend.apply(delta, () => {
        watch.mark("committed");
        hooks.onInForce();
        onInForce?.();
      });
      watch.mark("done");
      hooks.onApplied(applied);
      watch.finish();
      return applied;
    },
    verify: () => backend.verify(),
    changedByOthers: () => backend.changedByOthers(),
    dropped: () => backend.dropped(),
    size: () => backend.size(),
    cleanUp: () => backend.cleanUp(),
    close: () => backend.close(),
  };
}

/** `sending`, `sent`: from elements to bytes, and the kernel's work on them. */
export function timedElements(socket: ElementSocket, watch: Stopwatch): ElementSocket {
  return {
    refusal: () => socket.refusal(),
    async write(table, changes) {
      watch.mark("sending");
      const answer = await socket.write(table, changes);
      watch.mark("sent");
      return answer;
    },
    close: () => socket.close(),
  };
}

/** `writing`; `onTransaction` is told what was written, afterwards. */
export function timedTable(
  table: KernelTable,
  watch: Stopwatch,
  onTransaction: (transaction: Transaction) => void,
): KernelTable {
  return {
    probe: () => table.probe(),
    read: () => table.read(),
    async write(transaction) {
      watch.mark("writing");
      await table.write(transaction);
      onTransaction(transaction);
    },
    counters: () => table.counters(),
    remove: () => table.remove(),
    changedByOthers: () => table.changedByOthers(),
    close: () => table.close(),
  };
}
