// From options and manifests to what a lab is to be.

import { describe, expect, it } from "vitest";
import { CLUSTER, POLICIES, podText } from "../../../test/cli/small-cluster.ts";
import { memoryManifestFiles } from "../../manifests/manifest-files.ts";
import type { Address } from "../../net/address.ts";
import { CommandError, type OptionValues } from "../verb.ts";
import {
  type LabShape,
  MAX_LAB_PODS,
  makeLabInput,
  readLabAddresses,
  readLabManifests,
  readLabPaths,
  readLabShape,
} from "./lab-input.ts";

const SHAPE: LabShape = { nodes: "as-is", topology: "routed", dualStack: false };

async function inputOf(yaml: string, shape: Partial<LabShape> = {}, asked: readonly string[] = []) {
  const manifests = await readLabManifests(["m.yaml"], false, memoryManifestFiles({ "m.yaml": yaml }));
  return makeLabInput(manifests, { ...SHAPE, ...shape }, undefined, asked as Address[]);
}

function refusalOf(read: () => unknown): CommandError {
  try {
    read();
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("options of a lab", () => {
  it("without -f are refused with a hint", () => {
    const error = refusalOf(() => readLabPaths({}));
    expect([error.exitCode, error.message, error.hint]).toEqual([
      2,
      "the lab needs manifests",
      "name files or folders with -f",
    ]);
  });

  it.each([
    [{}, { nodes: "as-is", topology: "routed", dualStack: false }],
    [
      { nodes: "1", topology: "vxlan" },
      { nodes: 1, topology: "vxlan", dualStack: false },
    ],
    [
      { nodes: "100", topology: "bridged", dualStack: true },
      { nodes: 100, topology: "bridged", dualStack: true },
    ],
  ] satisfies [OptionValues, LabShape][])("%j say what is built", (options, expected) => {
    expect(readLabShape(options)).toEqual(expected);
  });

  it.each(["0", "101", "1000", "-1", "abc", "1.5", "", "1e2", "00000001"])("--nodes %s is refused", (nodes) => {
    const error = refusalOf(() => readLabShape({ nodes }));
    expect([error.exitCode, error.message, error.hint]).toEqual([
      2,
      `--nodes ${nodes}`,
      "write as-is, or a number from 1 to 100",
    ]);
  });

  it.each(["127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "169.254.1.1", "::1", "::", "fe80::1", "ff02::1"])(
    "--ip %s is refused: no host has it",
    (ip) => {
      expect(refusalOf(() => readLabAddresses({ ip: ["8.8.8.8", ip] })).message).toContain(`--ip ${ip}`);
    },
  );

  it("--ip of hosts are taken", () => {
    expect(readLabAddresses({ ip: ["8.8.8.8,10.0.0.9", "2001:db8::1", "fd00::9"] })).toEqual([
      ...["8.8.8.8", "10.0.0.9"],
      ...["2001:db8::1", "fd00::9"],
    ]);
  });
});

describe("makeLabInput", () => {
  it("has the policies as they were written, for the agents", async () => {
    const { cluster } = await inputOf(`${CLUSTER}---\n${POLICIES}`);
    expect(cluster.policies).toMatchObject([
      { metadata: { name: "api-ingress" } },
      { metadata: { name: "web-egress" } },
    ]);
  });

  it("puts pods of the plan, of the cluster and of the store on the same nodes", async () => {
    const { cluster, plan, store } = await inputOf(CLUSTER, { nodes: 2 });
    const nodes = Object.fromEntries(plan.pods.map(({ key, node }) => [key, node]));
    expect(nodes).toEqual({ "ops/tool": "node-1", "shop/api": "node-2", "shop/web": "node-1" });
    expect(Object.fromEntries(cluster.pods.map(({ key, nodeName }) => [key, nodeName]))).toEqual(nodes);
    expect(Object.fromEntries([...store.pods()].map(({ key, nodeName }) => [key, nodeName]))).toEqual(nodes);
  });

  it("has one node for workloads that name none", async () => {
    const deployment =
      "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: 3, selector: {matchLabels: {a: b}}, template: {metadata: {labels: {a: b}}, spec: {containers: [{name: c}]}}}\n";
    const { plan } = await inputOf(deployment);
    expect(plan.nodes.map(({ name }) => name)).toEqual(["node"]);
    expect(plan.pods.map(({ key }) => key)).toEqual(["default/web-0", "default/web-1", "default/web-2"]);
  });

  it("has addresses of both families on every pod, with --dual-stack", async () => {
    const { plan } = await inputOf(CLUSTER, { dualStack: true });
    expect(plan.pods.map(({ addresses }) => addresses.length)).toEqual([2, 2, 2]);
  });

  it("has hosts outside for blocks and for what is asked, but for no pod's, node's or impossible address", async () => {
    const asked = ["8.8.8.8", "10.0.0.1", "192.168.0.1", "127.0.0.1"];
    const { plan, outside } = await inputOf(`${CLUSTER}---\n${POLICIES}`, {}, asked);
    // Beside 10.0.0.0/8, in it, in its except 10.0.0.0/24, and what was asked.
    expect(outside).toEqual(["198.51.100.7", "10.0.1.1", "10.0.0.4", "8.8.8.8"]);
    expect(plan.outside).toEqual(outside);
  });

  it.each([
    ["no pod at all", POLICIES],
    ["only a pod that has finished", podText("done").replace("status: {", "status: {phase: Succeeded, ")],
    ["only a pod on the host network", podText("host").replace("spec: {", "spec: {hostNetwork: true, ")],
  ])("refuses %s: there is nothing to try", async (_, yaml) => {
    await expect(inputOf(yaml)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining("no pod that policies can select"),
    });
  });

  it("takes as many pods as a lab is made for, and refuses one more", async () => {
    const pods = (count: number) =>
      Array.from({ length: count }, (_, index) =>
        podText(`p${index}`, { address: `10.1.${index >> 8}.${index & 255}` }),
      ).join("---\n");
    expect((await inputOf(pods(MAX_LAB_PODS))).plan.pods).toHaveLength(MAX_LAB_PODS);
    await expect(inputOf(pods(MAX_LAB_PODS + 1))).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining("501 pods"),
    });
  });
});
