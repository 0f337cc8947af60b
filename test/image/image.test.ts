// The image, built from the Dockerfile and run by a real container engine as deploy/ asks for it: what it holds, what it may do,
// and that it enforces with real packets, over restarts too.

import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import type { StartedTestContainer } from "testcontainers";
import { Wait } from "testcontainers";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { findProgram, isCi } from "../../scripts/system-tools.ts";
import { FAMILIES } from "../../src/net/address.ts";
import { labelSelector, onlyWith, putHost, putNamespace, putNodes, putPolicy } from "../packets/cluster.ts";
import { type ContainerEngine, withContainerEngine } from "../support/container-engine.ts";
import { buildImage, importBases, REVISION } from "../support/image-build.ts";
import { describeKernel } from "../support/kernel.ts";
import { buildKustomization } from "../support/kustomize.ts";
import { NODE_NAME } from "../support/packet-agent.ts";
import { API_SERVER_PORT, type PacketApiServer, withApiServer } from "../support/packet-api-server.ts";
import { type PacketNetwork, withPacketNetwork } from "../support/packet-network.ts";
import type { Stream } from "../support/packet-streams.ts";
import { type PacketTraffic, withTraffic } from "../support/packet-traffic.ts";
import { type KubeletChoices, type PodContainer, podContainer } from "../support/pod-container.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const IMAGE = "nftpol:0.1.0";
const HOSTS = { "web-r": "routed", "web-b": "bridged", "friend-r": "routed", "stranger-r": "routed" } as const;
/** Node.js alone is 118 MB. */
const LARGEST_MB = 160;

interface Node {
  readonly network: PacketNetwork;
  readonly api: PacketApiServer;
  readonly engine: ContainerEngine;
}

/** Node, API server and engine for all tests of this file; ended by the function that comes with it. */
async function openNode(): Promise<{ readonly node: Node; close(): Promise<void> }> {
  const over = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<Node>();
  const ended = withPacketNetwork(HOSTS, (network) =>
    withApiServer(
      network.node,
      (api) =>
        withContainerEngine(network.node, (engine) => {
          opened.resolve({ network, api, engine });
          return over.promise;
        }),
      { tls: true },
    ),
  );
  ended.catch(opened.reject);
  const node = await opened.promise;
  const close = () => {
    over.resolve();
    return ended;
  };
  return { node, close };
}

function putShop({ network, api: { store } }: Node): void {
  putNodes(store);
  putNamespace(store, "shop");
  for (const name of Object.keys(HOSTS)) putHost(store, network.host(name), { app: name.slice(0, -2) });
  putPolicy(store, "web", onlyWith("web", [{ podSelector: labelSelector({ app: "friend" }) }]));
}

function streamsFrom(traffic: PacketTraffic, { network }: Node, who: string): readonly Stream[] {
  let port = who === "friend-r" ? 7000 : 7100;
  return ["web-r", "web-b"].flatMap((target) =>
    FAMILIES.map((family) => {
      const [from, to] = [network.host(who), network.host(target)];
      return traffic.start({
        name: `${who} > ${target}, IPv${family}`,
        kind: "fresh-udp",
        from: { ns: from.ns, address: from.addresses[family] },
        to: { ns: to.ns, address: to.addresses[family], port: port++ },
        perSecond: 50,
      });
    }),
  );
}

/** In the engine, which has a name for what happens in it. */
async function jsonOf<T>({ engine }: Node, ...args: readonly string[]): Promise<T> {
  return JSON.parse(await engine.must(args)) as T;
}

/** What the kubelet's probes ask, on the node. */
async function probe({ network }: Node, path: string): Promise<number> {
  const script = `process.stdout.write(String((await fetch("http://127.0.0.1:10360${path}")).status))`;
  const { stdout } = await network.node.run([process.execPath, "--input-type=module", "--eval", script]);
  return Number(stdout);
}

async function logged(
  container: StartedTestContainer,
): Promise<readonly { readonly msg: string; readonly how?: string }[]> {
  const stream = await container.logs();
  const chunks: Buffer[] = [];
  stream.on("data", (chunk: Buffer) => chunks.push(Buffer.from(chunk)));
  await delay(200);
  stream.destroy();
  const lines = Buffer.concat(chunks).toString().split("\n");
  return lines.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
}

const lacking = ["dockerd", "docker", "nsenter"].filter((program) => findProgram(program) === undefined);

describeKernel(
  "the image",
  () => {
    let node: Node;
    let close: (() => Promise<void>) | undefined;

    beforeAll(async () => {
      const opened = await openNode();
      ({ node } = opened);
      ({ close } = opened);
      await importBases(node.engine);
      await buildImage(node.engine, IMAGE);
      putShop(node);
    });

    afterAll(() => close?.());

    const pod = (overlay: string, choices: Partial<KubeletChoices> = {}): PodContainer =>
      podContainer(buildKustomization(join(ROOT, "deploy", overlay)).objects, {
        image: IMAGE,
        nodeName: NODE_NAME,
        serviceAccount: node.api.serviceAccount,
        apiServer: { host: "127.0.0.1", port: API_SERVER_PORT },
        ...choices,
      });

    describe("holds", () => {
      let files: readonly string[];

      beforeAll(async () => {
        const id = (await node.engine.must(["create", IMAGE])).trim();
        const archive = join(node.api.serviceAccount, "../image.tar");
        await node.engine.must(["export", "--output", archive, id]);
        await node.engine.must(["rm", id]);
        const { runProgram } = await import("../support/netns.ts");
        files = (await runProgram(["tar", "--list", "-f", archive])).stdout.split("\n");
      });

      it("no shell, no package manager, nothing set-uid", () => {
        const unwanted = /(^|\/)(ba|da|z|k|c)?sh$|busybox|perl|python|apt|dpkg(?!\/status\.d)|npm|\.tsx?$/;
        const known = /^(usr\/share\/doc|var\/lib\/dpkg)\//;
        expect(files.filter((file) => unwanted.test(file) && !known.test(file))).toEqual([]);
      });

      it("what the backends call, and a licence for each package of Debian", () => {
        for (const program of ["nft", "iptables-nft-restore", "ip6tables-legacy-save", "ipset"])
          expect(files).toContain(`usr/sbin/${program}`);
        const packages = files.flatMap((file) => /^var\/lib\/dpkg\/status\.d\/(.+)$/.exec(file)?.[1] ?? []);
        expect(packages).toEqual(expect.arrayContaining(["nftables", "iptables", "ipset", "libc6"]));
        for (const name of packages) expect(files).toContain(`usr/share/doc/${name}/copyright`);
      });

      it("a list of what is inside, with all of these packages", async () => {
        const { output } = await oneShot(node, ["--version"], ["node"]);
        expect(output).toMatch(/^v24\./);
        const id = (await node.engine.must(["create", IMAGE])).trim();
        const folder = join(node.api.serviceAccount, "..");
        await node.engine.must(["cp", `${id}:/usr/share/sbom/nftpol.cdx.json`, folder]);
        await node.engine.must(["rm", id]);
        const { components } = JSON.parse(readFileSync(join(folder, "nftpol.cdx.json"), "utf8")) as {
          components: readonly { readonly name: string; readonly purl: string }[];
        };
        const packages = files.flatMap((file) => /^var\/lib\/dpkg\/status\.d\/(.+)$/.exec(file)?.[1] ?? []);
        const listed = components.filter(({ purl }) => purl.startsWith("pkg:deb/")).map(({ name }) => name);
        expect(listed.toSorted()).toEqual(packages.toSorted());
        expect(components.map(({ name }) => name)).toEqual(expect.arrayContaining(["node", "koffi", "commander"]));
      });

      it(`no more than ${LARGEST_MB} MB`, async () => {
        const [{ Size }] = await jsonOf<[{ readonly Size: number }]>(node, "image", "inspect", IMAGE);
        expect(Size / 1e6).toBeLessThan(LARGEST_MB);
      });
    });

    it("collected again from the same bundle and bases has the same layers", async () => {
      await buildImage(node.engine, "nftpol:again", { again: true });
      const layers = async (name: string) => {
        type Inspected = [{ readonly RootFS: { readonly Layers: readonly string[] } }];
        return (await jsonOf<Inspected>(node, "image", "inspect", name))[0].RootFS.Layers;
      };
      expect(await layers("nftpol:again")).toEqual(await layers(IMAGE));
    });

    it("says what it is", async () => {
      const { output } = await oneShot(node, ["version", "-o", "json"]);
      expect(JSON.parse(output)).toMatchObject({ delivery: "image", revision: REVISION });
      type Inspected = [{ readonly Config: { readonly Labels: Readonly<Record<string, string>> } }];
      const [{ Config }] = await jsonOf<Inspected>(node, "image", "inspect", IMAGE);
      expect(Config.Labels["org.opencontainers.image.revision"]).toBe(REVISION);
    });

    it("is the command line for everybody: nobody's rights, a read-only root, no network", async () => {
      const { code, output } = await oneShot(node, [...["prove", "-f", "/examples/shop"]]);
      expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining("equal") });
    });

    it("without NET_ADMIN says so, and what to do, and ends with 3", async () => {
      const refused = pod("base", { withheld: ["NET_ADMIN"] }).withWaitStrategy(Wait.forLogMessage(/CAP_NET_ADMIN/));
      const container = await refused.start();
      const id = container.getId();
      expect(await node.engine.must(["wait", id])).toBe("3\n");
      const { stderr } = await node.engine.docker(["logs", id]);
      expect(stderr).toMatch(/^nftpol: the kernel does not let nft do this\n.*CAP_NET_ADMIN.*\n$/);
      await container.stop();
    });

    describe.each(["base", "overlays/iptables"])("as the pod of deploy/%s", (overlay) => {
      it("enforces on its node, is healthy, and what is in force survives its restart and its death", () =>
        withTraffic(async (traffic) => {
          const friends = streamsFrom(traffic, node, "friend-r");
          const strangers = streamsFrom(traffic, node, "stranger-r");
          await traffic.flowing(5, [...friends, ...strangers]);
          const container = await pod(overlay)
            .withWaitStrategy(Wait.forLogMessage(/"rules in force"/))
            .start();
          try {
            await traffic.until("closed", () => strangers.every(({ sent, arrived }) => sent > arrived.last + 10));
            const closedFrom = new Map(strangers.map((stream) => [stream, stream.arrived.last + 1]));
            expect(await probe(node, "/healthz")).toBe(200);
            expect(await probe(node, "/readyz")).toBe(200);
            const { exitCode, output } = await container.exec(["nftpol", "status"]);
            expect(output).toContain("web-r");
            expect(exitCode).toBe(0);
            await container.restart();
            await traffic.more(20);
            await node.engine.must(["kill", "--signal=KILL", container.getId()]);
            await traffic.more(20);
            await node.engine.must(["start", container.getId()]);
            await readyAgain(node);
            await traffic.more(20);
            await traffic.finish(friends);
            expect(friends.flatMap(({ arrived, sent }) => arrived.missing(0, sent))).toEqual([]);
            expect(strangers.flatMap((stream) => stream.arrived.from(closedFrom.get(stream) ?? 0))).toEqual([]);
            const hows = (await logged(container)).filter(({ msg }) => msg === "rules in force").map(({ how }) => how);
            expect(hows).toEqual(["created", "adopted", "adopted"]);
          } finally {
            await container.stop();
            await oneShot(
              node,
              ["cleanup"],
              ["nftpol"],
              ["--network=host", "--user=0:0", "--cap-add=NET_ADMIN", "--cap-add=NET_RAW", "--tmpfs=/run"],
            );
          }
        }));
    });
  },
  isCi() ? [] : lacking,
);

async function readyAgain(node: Node): Promise<void> {
  await expect.poll(() => probe(node, "/readyz"), { timeout: 30_000 }).toBe(200);
}

/** Runs a program of the image to its end, with as little as there is. */
async function oneShot(
  { engine }: Node,
  args: readonly string[],
  program: readonly [string] = ["nftpol"],
  settings: readonly string[] = ["--network=none", "--cap-drop=ALL"],
): Promise<{ readonly code: number; readonly output: string }> {
  const mount = `--volume=${join(ROOT, "policies-examples")}:/examples:ro`;
  const entry = program[0] === "nftpol" ? [] : [`--entrypoint=/usr/local/bin/${program[0]}`];
  const how = ["--rm", "--read-only", "--security-opt=no-new-privileges", mount, ...settings, ...entry];
  const { code, stdout, stderr } = await engine.docker(["run", ...how, IMAGE, ...args]);
  return { code, output: `${stdout}${stderr}` };
}
