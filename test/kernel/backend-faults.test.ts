// What may happen to nft and to the agent while they write: they hang, are killed, crash. The table is always whole, and the next
// call, or the next start, brings it where it should be.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { compileRuleset } from "../../src/backends/nft/compile.ts";
import { openNftBackend } from "../../src/backends/nft/open-backend.ts";
import type { RuleGraph } from "../../src/graph/rule-graph.ts";
import { expectedText, reachableText } from "../support/comparable-ruleset.ts";
import { describeKernel } from "../support/kernel.ts";
import { withNetns } from "../support/netns.ts";
import { isAtLeast, nftBinaries } from "../support/nft-binaries.ts";
import { type NftInNetns, withNftIn } from "../support/nft-in-netns.ts";
import { type KernelBench, waysToWrite, withKernelBench } from "../support/nft-kernel-bench.ts";
import {
  allowingPolicy,
  crowd,
  graphOf,
  numberedPod,
  SUITE_OPTIONS,
  webAndClients,
} from "../support/policy-cluster.ts";
import { type ApiObject, eventOf, removalOf } from "../support/random-cluster.ts";

/** What packets can meet: what was prepared and is reached by nothing yet is left out. */
function metOf(graph: RuleGraph): string {
  return reachableText(compileRuleset(graph.program()));
}

describeKernel("the backend when something dies", () => {
  describe.each(waysToWrite())("with nft of $name", ({ path, writer }) => {
    const withBench = (body: (bench: KernelBench) => Promise<void>) => withKernelBench(path, writer, body);

    it("an nft that hangs is ended in time; the rules are whole, and the next call goes on", () =>
      withBench(async ({ open, found, nft }) => {
        const graph = graphOf(...webAndClients);
        const backend = open(undefined, 3_000);
        await backend.install(graph.program());
        const before = expectedText(graph);
        // A new class: no change of elements alone, which might not need nft.
        graph.apply(eventOf(allowingPolicy("more", "web", "other")));
        // Where it is already running, as it is; where it is started for the transaction, as it starts.
        const running = await nft.pids();
        for (const pid of running) process.kill(pid, "SIGSTOP");
        if (running.length === 0) nft.stopNew(true);
        const failed = backend.apply(graph.flush());
        await expect(failed).rejects.toMatchObject({ kind: "broken", message: expect.stringContaining("within 3 s") });
        nft.stopNew(false);
        expect(await found()).toBe(before);
        for (const pid of running) expect(await nft.pids()).not.toContain(pid);
        expect(await backend.apply(graph.flush())).toMatchObject({ how: "repaired" });
        graph.apply(removalOf(webAndClients[1] as ApiObject));
        expect(await backend.apply(graph.flush())).toMatchObject({ how: "delta" });
        expect(await found()).toBe(expectedText(graph));
      }));

    it("an nft that is killed in the middle of a transaction leaves the old rules or the new ones, never a part", () =>
      withBench(async ({ open, found, met, nft }) => {
        const graph = graphOf(...webAndClients, ...crowd(3000));
        const backend = open();
        await backend.install(graph.program());
        let metBefore = metOf(graph);
        let broken = 0;
        for (let round = 0; round < 10; round++) {
          const policy = allowingPolicy("crowd", "web", "crowd", 9090);
          graph.apply(round % 2 === 0 ? eventOf(policy) : removalOf(policy));
          // An nft that runs already may be done before it can be killed: the first one is not.
          if (round === 0) for (const pid of await nft.pids()) process.kill(pid, "SIGSTOP");
          const writing = backend.apply(graph.flush()).then(
            () => "done",
            (error: { kind: string }) => error.kind,
          );
          await killNft(nft, writing, round * 2);
          const outcome = await writing;
          const after = expectedText(graph);
          if (outcome === "done") expect(await found()).toBe(after);
          else {
            expect(outcome).toBe("broken");
            expect([metBefore, metOf(graph)]).toContain(await met());
            broken++;
            expect(["repaired", "unchanged"]).toContain((await backend.apply(graph.flush())).how);
            expect(await found()).toBe(after);
          }
          metBefore = metOf(graph);
        }
        expect(broken).toBeGreaterThan(0);
      }));
  });

  // The writer's nft makes no difference here: the newest ones are enough. Through netlink a change is one system call.
  const byNft = waysToWrite().filter(({ writer }) => writer !== "netlink");
  describe.each(byNft.slice(-2))("with nft of $name", ({ path, writer }) => {
    it("an agent that is killed leaves whole rules, and the next one adopts them", () =>
      withKernelBench(path, writer, async ({ open, found, met, nft }) => {
        const policy = allowingPolicy("crowd", "web", "crowd", 9090);
        const graph = graphOf(...webAndClients, ...crowd(3000));
        const without = metOf(graph);
        graph.apply(eventOf(policy));
        const states = [without, metOf(graph)];
        for (let round = 0; round < 3; round++) {
          const script = join(import.meta.dirname, "../support/backend-process.ts");
          const agent = spawn(process.execPath, [script, nft.launcher, writer, nft.folder], {
            stdio: ["ignore", "pipe", "inherit"],
          });
          for await (const line of createInterface(agent.stdout)) if (line === String(round)) break;
          const ended = once(agent, "exit");
          agent.kill("SIGKILL");
          await ended;
          // Its nft may still finish what it has begun.
          await expect.poll(() => nft.pids(), { timeout: 30_000 }).toEqual([]);
          expect(states).toContain(await met());
          const backend = open();
          expect(await backend.install(graph.program())).toMatchObject({ how: "adopted" });
          expect(await found()).toBe(expectedText(graph));
          await backend.close();
        }
      }));
  });

  const [oldest, newest] = [nftBinaries()[0], nftBinaries().at(-1)];
  const crashes = oldest?.version.join(".") === "1.0.6" && newest !== undefined && isAtLeast(newest, [1, 1, 3]);

  it.skipIf(!crashes)("an old nft that a newer one makes crash says what to do, and leaves the rules", async () => {
    await withNetns((ns) =>
      withNftIn(ns, oldest?.path ?? "", (old) =>
        withNftIn(ns, newest?.path ?? "", async (young) => {
          const graph = graphOf(...webAndClients);
          const backend = openNftBackend({ options: SUITE_OPTIONS, nftBinary: old.launcher });
          await backend.install(graph.program());
          const before = await young.list("list", "table", "inet", "nftpol");
          await young.load(
            "add table ip other\nadd set ip other s { type ipv4_addr; }\nadd map ip other m { type ipv4_addr : verdict; }\n",
          );
          graph.apply(eventOf(numberedPod(5, { app: "client" })));
          const crash = { kind: "broken", hint: expect.stringContaining("use nft >= 1.1.3") };
          await expect(backend.apply(graph.flush())).rejects.toMatchObject(crash);
          await expect(backend.apply(graph.flush())).rejects.toMatchObject(crash);
          await expect(backend.probe()).rejects.toMatchObject(crash);
          expect(await young.list("list", "table", "inet", "nftpol")).toBe(before);
          await young.load("delete table ip other\n");
          expect(await backend.apply(graph.flush())).toMatchObject({ how: "repaired" });
          await backend.close();
        }),
      ),
    );
  });
});

/** Ends all of nft some time after it began to work, or at once if it does not begin. */
async function killNft(nft: NftInNetns, writing: Promise<unknown>, delayMs: number): Promise<void> {
  let ended = false;
  void writing.then(() => {
    ended = true;
  });
  let pids = await nft.pids();
  while (!ended && pids.length === 0) pids = await nft.pids();
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It was faster.
    }
  }
}
