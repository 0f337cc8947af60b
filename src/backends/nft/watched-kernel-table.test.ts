import { describe, expect, it } from "vitest";
import { MemoryKernelTable } from "./memory-kernel-table.ts";
import { type TableEvents, WatchedKernelTable } from "./watched-kernel-table.ts";

const NOTHING = { table: "nftpol", operations: [] };

/** The kernel tells of these senders with the next look. */
class ScriptedEvents implements TableEvents {
  isClosed = false;
  #told: ReadonlySet<number> | "overrun" = new Set();

  tell(...senders: readonly number[]): void {
    this.#told = new Set(senders);
  }

  lose(): void {
    this.#told = "overrun";
  }

  take(): ReadonlySet<number> | "overrun" {
    const told = this.#told;
    this.#told = new Set();
    return told;
  }

  close(): void {
    this.isClosed = true;
  }
}

/** A table whose writes take until they are let go. */
function slowTable() {
  const table = new MemoryKernelTable();
  const gate = Promise.withResolvers<void>();
  const write = table.write.bind(table);
  table.write = async (transaction) => {
    await gate.promise;
    await write(transaction);
  };
  const events = new ScriptedEvents();
  return { events, watched: new WatchedKernelTable(table, events), letGo: () => gate.resolve() };
}

describe("a watched table", () => {
  it("was changed by others when the kernel tells of a change outside of our writes, or has lost some", () => {
    const { events, watched } = slowTable();
    expect(watched.changedByOthers()).toBe(false);
    events.tell(7);
    expect(watched.changedByOthers()).toBe(true);
    expect(watched.changedByOthers()).toBe(false);
    events.lose();
    expect(watched.changedByOthers()).toBe(true);
  });

  it.each<[string, (events: ScriptedEvents) => void, boolean]>([
    ["one sender is us", (events) => events.tell(7), false],
    ["of two one is somebody else", (events) => events.tell(7, 8), true],
    ["what was lost was probably ours", (events) => events.lose(), false],
  ])("during a write %s", async (_, happen, expected) => {
    const { events, watched, letGo } = slowTable();
    const writing = watched.write(NOTHING);
    happen(events);
    expect(watched.changedByOthers()).toBe(false);
    letGo();
    await writing;
    expect(watched.changedByOthers()).toBe(expected);
  });

  it("does not forget what others did before our write, and tells it during the write, too", async () => {
    const { events, watched, letGo } = slowTable();
    events.tell(8);
    const writing = watched.write(NOTHING);
    expect(watched.changedByOthers()).toBe(true);
    letGo();
    await writing;
    expect(watched.changedByOthers()).toBe(false);
  });

  it("closes the socket with the table", async () => {
    const { events, watched } = slowTable();
    await watched.close();
    expect(events.isClosed).toBe(true);
  });
});
