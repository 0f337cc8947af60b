// A node with pods, as network namespaces: bridged as Flannel does it, or each pod routed as Calico does it. Owns the building
// and the traffic from pod to pod; what is found out about the node is the test's.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { expect } from "vitest";
import { findProgram } from "../../scripts/system-tools.ts";
import type { Family } from "../../src/net/address.ts";
import { type Netns, withNetns } from "../support/netns.ts";
import type { LookAnswer, LookRequest } from "./packet-path-look.ts";

export interface TestPod {
  readonly ns: Netns;
  /** Of the interface on the node. */
  readonly port: string;
  readonly ip4: string;
  readonly ip6: string;
}

export interface TestNode {
  readonly ns: Netns;
  readonly pods: readonly [TestPod, TestPod];
  ip(...commands: readonly string[]): Promise<void>;
  setSysctl(path: string, value: string): Promise<void>;
  sysctl(path: string): Promise<string>;
  /** Runs packet-path-look.ts on the node; `wrapper` comes before the program. */
  look(request?: Partial<LookRequest>, wrapper?: readonly string[]): Promise<LookAnswer>;
}

/** A node with two pods that hang nowhere yet: their ends are `va` and `vb` on the node, `eth0` in the pods. */
export async function withTestNode(body: (node: TestNode) => Promise<void>): Promise<void> {
  await withNetns((ns) =>
    withNetns((a) =>
      withNetns(async (b) => {
        const node = makeNode(ns, [pod(a, "va", 1), pod(b, "vb", 2)]);
        for (const { ns: podNs, port } of node.pods) {
          await node.ip(`link add ${port} type veth peer name eth0 netns ${podNs.name}`, `link set ${port} up`);
        }
        for (const path of ["net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"]) await node.setSysctl(path, "1");
        await body(node);
      }),
    ),
  );
}

export async function bridgePods(node: TestNode): Promise<void> {
  await node.ip(
    "link add cni0 type bridge",
    "link set cni0 up",
    "addr add 10.9.0.254/24 dev cni0",
    "addr add fd09::fe/64 dev cni0 nodad",
  );
  for (const { ns, port, ip4, ip6 } of node.pods) {
    await node.ip(`link set ${port} master cni0`);
    await ipIn(
      ns,
      "link set eth0 up",
      `addr add ${ip4}/24 dev eth0`,
      `addr add ${ip6}/64 dev eth0 nodad`,
      "route add default via 10.9.0.254",
      "route add default via fd09::fe",
    );
  }
}

export async function routePods(node: TestNode): Promise<void> {
  for (const { ns, port, ip4, ip6 } of node.pods) {
    await node.ip(
      `addr add 10.9.0.254/32 dev ${port}`,
      `addr add fd09::fe/128 dev ${port} nodad`,
      `route add ${ip4}/32 dev ${port}`,
      `route add ${ip6}/128 dev ${port}`,
    );
    await ipIn(
      ns,
      "link set eth0 up",
      `addr add ${ip4}/32 dev eth0`,
      `addr add ${ip6}/128 dev eth0 nodad`,
      "route add 10.9.0.254 dev eth0",
      "route add fd09::fe dev eth0",
      "route add default via 10.9.0.254",
      "route add default via fd09::fe",
    );
  }
}

/** Both pods send to each other, some hundred datagrams a second and family, as long as `body` runs. */
export async function whilePodsTalk<T>(
  { pods: [a, b] }: TestNode,
  families: readonly Family[],
  body: () => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "nfpt-talk-"));
  const stop = join(folder, "stop");
  const talk = (from: TestPod, to: TestPod) =>
    from.ns.run([
      ...[process.execPath, "-e", TALK, join(folder, `${from.port}-talks`), stop],
      ...families.map((family) => (family === 4 ? to.ip4 : to.ip6)),
    ]);
  const talks = [talk(a, b), talk(b, a)];
  try {
    for (const { port } of [a, b]) await expect.poll(() => existsSync(join(folder, `${port}-talks`)), POLL).toBe(true);
    return await body();
  } finally {
    writeFileSync(stop, "");
    await Promise.all(talks);
    rmSync(folder, { recursive: true, force: true });
  }
}

const POLL = { timeout: 20_000, interval: 20 };

const TALK = `
const [talks, stop, ...targets] = process.argv.slice(1);
const { existsSync, writeFileSync } = require("node:fs");
const sockets = targets.map((target) => {
  const socket = require("node:dgram").createSocket(target.includes(":") ? "udp6" : "udp4");
  socket.on("error", () => {});
  return [socket, target];
});
setInterval(() => {
  if (existsSync(stop)) process.exit(0);
  for (const [socket, target] of sockets) {
    for (let count = 0; count < 5; count++) socket.send("x", 9999, target, () => writeFileSync(talks, ""));
  }
}, 10);
`;

function makeNode(ns: Netns, pods: readonly [TestPod, TestPod]): TestNode {
  return {
    ns,
    pods,
    ip: (...commands) => ipIn(ns, ...commands),
    setSysctl: async (path, value) => {
      const result = await ns.run(["tee", `/proc/sys/${path}`], { input: value });
      expect(result).toMatchObject({ stderr: "", code: 0 });
    },
    sysctl: async (path) => (await ns.run(["cat", `/proc/sys/${path}`])).stdout.trim(),
    look: async (request = {}, wrapper = []) => {
      const asked: LookRequest = { pods: pods.flatMap(({ ip4, ip6 }) => [ip4, ip6]), ...request };
      const script = resolve(import.meta.dirname, "packet-path-look.ts");
      const result = await ns.run([...wrapper, process.execPath, script, JSON.stringify(asked)]);
      expect(result).toMatchObject({ stderr: "", code: 0 });
      return JSON.parse(result.stdout) as LookAnswer;
    },
  };
}

function pod(ns: Netns, port: string, number: number): TestPod {
  return { ns, port, ip4: `10.9.0.${number}`, ip6: `fd09::${number}` };
}

export async function ipIn(ns: Netns, ...commands: readonly string[]): Promise<void> {
  const result = await ns.run([findProgram("ip") ?? "ip", "-batch", "-"], { input: commands.join("\n") });
  expect(result).toMatchObject({ stderr: "", code: 0 });
}
