// Strict start with real packets: two pods and an outside host around a router that has the rules of n1. The router is the node.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { renderText } from "../../src/backends/nft/text.ts";
import { RulesetTracker } from "../../src/backends/nft/tracker.ts";
import { renderTransaction } from "../../src/backends/nft/transaction.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../src/program/program.ts";
import { describeKernel } from "../support/kernel.ts";
import { type Netns, withNetns } from "../support/netns.ts";
import { type ApiObject, eventOf, removalOf, storeOf } from "../support/random-cluster.ts";

const STARTED = { v4: "10.1.0.5", v6: "fd00:1::5" };
const STARTING = { v4: "10.1.0.6", v6: "fd00:1::6" };
const OUTSIDE = { v4: "192.0.2.9", v6: "2001:db8::9" };
const PORT = 8080;

const node: ApiObject = {
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "n1" },
  spec: { podCIDRs: ["10.1.0.0/24", "fd00:1::/64"] },
};
const pod = (name: string, { v4, v6 }: typeof STARTED): ApiObject => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "x" },
  spec: { nodeName: "n1", containers: [] },
  status: { phase: "Running", podIPs: [{ ip: v4 }, { ip: v6 }] },
});

/** Sends back what it gets. */
const ECHO = `require("node:net").createServer((peer) => peer.on("error", () => {}).pipe(peer)).listen(${PORT}, "::")`;
/** argv: host, milliseconds. Prints what became of the connection. */
const CONNECT = `
  const [host, limit] = process.argv.slice(1);
  const end = (word) => { console.log(word); process.exit(); };
  const peer = require("node:net").connect(${PORT}, host, () => end("connected"));
  peer.on("error", (error) => end(error.code));
  setTimeout(() => end("no answer"), Number(limit));`;
/** argv: host, file. One connection that counts its echoes into the file. */
const CHAT = `
  const [host, file] = process.argv.slice(1);
  let echoes = 0;
  const peer = require("node:net").connect(${PORT}, host, () => peer.write("x"));
  peer.on("data", () => {
    require("node:fs").writeFileSync(file, String(++echoes));
    setTimeout(() => peer.write("x"), 5);
  });
  peer.on("error", () => process.exit(1));`;

const LONG_MS = 20_000;
const SHORT_MS = 700;

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "nfpt-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function must(ns: Netns, argv: readonly string[], input = ""): Promise<string> {
  const result = await ns.run(argv, { input });
  expect({ argv, ...result }).toMatchObject({ argv, stderr: "", code: 0 });
  return result.stdout;
}

async function connectToRouter(router: Netns, host: Netns, link: string, own: typeof STARTED): Promise<void> {
  await must(router, ["ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", host.name]);
  await must(router, ["ip", "link", "set", link, "up"]);
  await must(host, ["ip", "link", "set", "eth0", "up"]);
  await must(router, ["ip", "addr", "add", "169.254.1.1/32", "dev", link]);
  await must(router, ["ip", "addr", "add", "fe80::1/64", "dev", link, "nodad"]);
  await must(router, ["ip", "route", "add", own.v4, "dev", link]);
  await must(router, ["ip", "route", "add", own.v6, "dev", link]);
  await must(host, ["ip", "addr", "add", `${own.v4}/32`, "dev", "eth0"]);
  await must(host, ["ip", "addr", "add", `${own.v6}/128`, "dev", "eth0", "nodad"]);
  await must(host, ["ip", "route", "add", "169.254.1.1", "dev", "eth0"]);
  await must(host, ["ip", "route", "add", "default", "via", "169.254.1.1"]);
  await must(host, ["ip", "route", "add", "default", "via", "fe80::1", "dev", "eth0"]);
  await inBackground(host, ECHO);
}

function inBackground(ns: Netns, script: string, ...argv: readonly string[]): Promise<string> {
  return must(ns, ["sh", "-c", '"$@" >/dev/null 2>&1 &', "sh", process.execPath, "-e", script, ...argv]);
}

async function connect(from: Netns, to: string, limitMs: number): Promise<string> {
  return (await must(from, [process.execPath, "-e", CONNECT, to, String(limitMs)])).trim();
}

/** Waits for servers too: they may still be starting. */
async function expectReachable(from: Netns, to: string): Promise<void> {
  const deadline = Date.now() + LONG_MS;
  let word = await connect(from, to, LONG_MS);
  while (word === "ECONNREFUSED" && Date.now() < deadline) word = await connect(from, to, LONG_MS);
  expect({ from: from.name, to, word }).toEqual({ from: from.name, to, word: "connected" });
}

async function expectClosed(router: Netns, from: Netns, to: string): Promise<void> {
  const before = await droppedPackets(router);
  expect({ to, word: await connect(from, to, SHORT_MS) }).toEqual({ to, word: "no answer" });
  expect(await droppedPackets(router)).toBeGreaterThan(before);
}

async function droppedPackets(router: Netns): Promise<number> {
  const text = await must(router, ["nft", "list", "counter", "inet", "nftpol", "drop_unknown"]);
  return Number(/packets (\d+)/.exec(text)?.[1]);
}

async function echoesBeyond(file: string, count: number): Promise<number> {
  const deadline = Date.now() + LONG_MS;
  for (;;) {
    const echoes = countIn(file);
    if (echoes > count) return echoes;
    if (Date.now() > deadline) throw new Error(`the connection stands still at ${echoes} echoes`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function countIn(file: string): number {
  try {
    return Number(readFileSync(file, "utf8"));
  } catch {
    // The first echo has not come yet.
    return 0;
  }
}

describeKernel("strict start in the kernel", () => {
  it.each(["v4", "v6"] as const)(
    "a pod is closed until it is known, but for its node, and closed again when it is gone (%s)",
    { timeout: 120_000 },
    async (family) => {
      const [started, starting, outside] = [STARTED[family], STARTING[family], OUTSIDE[family]];
      await withNetns((router) =>
        withNetns((startedPod) =>
          withNetns((startingPod) =>
            withNetns(async (outsideHost) => {
              const forwarding = "/proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv6/conf/all/forwarding";
              await must(router, ["sh", "-c", `for f in ${forwarding}; do echo 1 > $f; done`]);
              await connectToRouter(router, startedPod, "started", STARTED);
              await connectToRouter(router, startingPod, "starting", STARTING);
              await connectToRouter(router, outsideHost, "outside", OUTSIDE);
              const options = { ...DEFAULT_PROGRAM_OPTIONS, unknownLocalPods: "drop" } as const;
              const graph = new RuleGraph(storeOf([node, pod("started", STARTED)]), "n1", options);
              const tracker = new RulesetTracker(graph.program());
              graph.flush();
              const commit = async (event: Parameters<typeof graph.apply>[0]) => {
                graph.apply(event);
                await must(router, ["nft", "-f", "-"], renderTransaction(tracker.update(graph.flush())));
              };
              await must(router, ["nft", "-f", "-"], renderText(tracker.ruleset()));

              await expectReachable(router, starting);
              await expectReachable(startedPod, outside);
              await expectReachable(outsideHost, started);
              await expectClosed(router, startingPod, outside);
              await expectClosed(router, outsideHost, starting);
              await expectClosed(router, startedPod, starting);
              await expectClosed(router, startingPod, started);

              await commit(eventOf(pod("starting", STARTING)));
              await expectReachable(startingPod, outside);
              await expectReachable(outsideHost, starting);
              await expectReachable(startedPod, starting);

              const file = join(folder, family);
              await inBackground(outsideHost, CHAT, starting, file);
              await echoesBeyond(file, 0);
              await commit(removalOf(pod("starting", STARTING)));
              await expectClosed(router, outsideHost, starting);
              // A connection that is known goes on: what becomes of it is not the rules' business.
              await echoesBeyond(file, countIn(file) + 3);
            }),
          ),
        ),
      );
    },
  );
});
