// `nftpol lab run` from outside: what it refuses, and what it prints.

import { describe, expect, it, vi } from "vitest";
import { describeKernel } from "../support/kernel.ts";
import { parseXml } from "../support/small-xml.ts";
import { runInMemory } from "./in-memory-run.ts";
import { folderOf, runBash, runNftpol } from "./run-nftpol.ts";
import { CLUSTER, FILES, POLICIES, podText } from "./small-cluster.ts";

/** Runs in the test's own process must end before they build anything; child processes are not concerned. */
vi.mock("../../src/lab/lab.ts", async (original) => ({
  ...(await original<object>()),
  withLab: () => Promise.reject(new Error("a lab was built")),
}));

const EXAMPLE = "policies-examples/01-default-deny-ingress";

describe("wrong usage ends with exit code 2, nothing on stdout and a way out", () => {
  it.each([
    ["no action", ["lab"], /missing required argument 'ACTION'/],
    ["an unknown action", ["lab", "rnu", "-f", "c"], /'rnu' is invalid.*run/],
    ["manifests without -f", ["lab", "run", "c"], /unexpected argument[\s\S]*-f c/],
    ["no manifests", ["lab", "run"], /the lab needs manifests\n.*-f/],
    ["no node", ["lab", "run", "-f", "c", "--nodes", "0"], /--nodes 0\n.*from 1 to 100/],
    ["a word for a number", ["lab", "run", "-f", "c", "--nodes", "abc"], /--nodes abc\n.*as-is, or a number/],
    ["too many nodes", ["lab", "run", "-f", "c", "--nodes", "1000"], /--nodes 1000\n.*from 1 to 100/],
    [
      "an unknown topology",
      ["lab", "run", "-f", "c", "--topology", "ring"],
      /'ring' is invalid.*routed, bridged, vxlan/,
    ],
    ["an unknown format", ["lab", "run", "-f", "c", "-o", "yaml"], /'yaml' is invalid.*table, json, junit/],
    ["a port that is none", ["lab", "run", "-f", "c", "--port", "http"], /--port "http" is no port\n.*80\/TCP/],
    [
      "an address that is none",
      ["lab", "run", "-f", "c", "--ip", "10.0.0.0/8"],
      /--ip "10\.0\.0\.0\/8" is no IP address/,
    ],
    [
      "an address that no host has",
      ["lab", "run", "-f", "c", "--ip", "127.0.0.1"],
      /--ip 127\.0\.0\.1: no host has that/,
    ],
    [
      "options that do not go together",
      ["lab", "run", "-f", "c", "--pod-to-own-node", "enforce", "--service-proxy", "ipvs"],
      /does not work with --service-proxy=ipvs/,
    ],
  ])("%s", async (_, argv, message) => {
    const { code, stdout, stderr } = await runInMemory(argv, { files: FILES });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });
});

it("without root it ends with exit code 3, and says what works without", async () => {
  vi.spyOn(process, "geteuid").mockReturnValue(1000);
  expect(await runInMemory(["lab", "run", "-f", "c"], { files: FILES })).toEqual({
    code: 3,
    stdout: "",
    stderr:
      "nftpol: the lab makes network namespaces, which only root may\n  run it with sudo; nftpol matrix, explain and prove need no rights\n",
  });
});

it("--help has every action's words and the options of run", async () => {
  const { code, stdout } = await runInMemory(["lab", "--help"]);
  expect(code).toBe(0);
  for (const word of [
    "run:",
    "--nodes",
    "--topology",
    "--dual-stack",
    "--expect",
    "--port",
    "--ip",
    "junit",
    "Needs root",
  ])
    expect(stdout).toContain(word);
});

describeKernel("input that no lab is made for ends with exit code 2, before anything is built", () => {
  const pods = Array.from({ length: 501 }, (_, index) =>
    podText(`p${index}`, { address: `10.1.${index >> 8}.${index & 255}` }),
  );
  const manyPorts = Array.from({ length: 40_000 }, (_, index) => `${index + 1}`).join(",");

  it.each([
    ["broken YAML", { "c/bad.yaml": "kind: Pod\nmetadata: [\n" }, [], /^c\/bad\.yaml:\d+:\d+: error: /m],
    [
      "a policy that is wrong",
      {
        "c/bad.yaml":
          "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: x}\nspec: {podSelector: 7}\n",
      },
      [],
      /^c\/bad\.yaml:4:\d+: error: spec\.podSelector/m,
    ],
    ["no manifests there", {}, ["-f", "nowhere"], /^nowhere: error: cannot be read/m],
    ["no pod that policies can select", { "c/cluster.yaml": "" }, [], /no pod that policies can select/],
    [
      "more pods than a lab has",
      { "c/many.yaml": pods.join("---\n") },
      [],
      /504 pods: .*at most 500\n.*part of the cluster/,
    ],
    ["more flows than a lab asks", {}, ["--port", manyPorts], /flows: .*at most 200000\n.*--port/],
    ["a namespace that there is not", {}, ["-n", "shpo"], /no namespace "shpo"\n.*ops, shop/],
    [
      "expectations that are not there",
      {},
      ["--expect", "gone.expect.yaml"],
      /^gone\.expect\.yaml: error: cannot be read/m,
    ],
    [
      "manifests as expectations",
      {},
      ["--expect", "c/policies.yaml"],
      /^c\/policies\.yaml: error: not an expectation file/m,
    ],
    [
      "an expectation about nobody",
      { "c/x.expect.yaml": "deny:\n  - shop/wbe -> shop/api : 80\n" },
      ["--expect", "c"],
      /^c\/x\.expect\.yaml:2:\d+: error: .*shop\/wbe \(did you mean shop\/web\?\)/m,
    ],
  ])("%s", async (_, files, argv, message) => {
    const { code, stdout, stderr } = await runInMemory(["lab", "run", "-f", "c", ...argv], {
      files: { ...FILES, ...files },
    });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr).not.toContain("was built");
  });
});

describeKernel("a program that is missing ends it with exit code 3, and its package is named", () => {
  /** In a mount namespace of its own a file that nobody can run takes the program's place. */
  const without = (program: string, backend: string) => `
    empty=$(mktemp)
    trap 'rm -f "$empty"' EXIT
    unshare -m sh -c '
      for folder in $(echo "$PATH:/usr/sbin:/sbin" | tr : " "); do
        if [ -e "$folder/${program}" ]; then mount --bind "$1" "$folder/${program}"; fi
      done
      exec nftpol lab run -f ${EXAMPLE} --backend ${backend}
    ' sh "$empty"`;

  it.each([
    ["nft", "nftables", "nft"],
    ["ipset", "ipset", "iptables"],
    ["ip", "iproute2", "auto"],
  ])("%s", async (program, packageName, backend) => {
    expect(await runBash(without(program, backend))).toEqual({
      code: 3,
      stdout: "",
      stderr: `nftpol: the program ${program} is not installed\n  install the package ${packageName}\n`,
    });
  });

  it("but without nft, iptables takes its place", async () => {
    expect(await runBash(without("nft", "auto"))).toMatchObject({ code: 0, stderr: "" });
  });
});

describeKernel("without the kernel's module br_netfilter", () => {
  /** In a mount namespace of its own: a kernel that does not show the switches of bridges. */
  const hidden = (argv: string) =>
    `unshare -m sh -c '
      if [ -d /proc/sys/net/bridge ]; then mount -t tmpfs none /proc/sys/net/bridge; fi
      exec nftpol lab run -f ${EXAMPLE} ${argv}
    '`;

  it.each(["bridged", "vxlan"])(
    "--topology %s ends with exit code 3: its packets would pass the rules by",
    async (topology) => {
      expect(await runBash(hidden(`--topology ${topology}`))).toEqual({
        code: 3,
        stdout: "",
        stderr: `nftpol: --topology ${topology} needs the kernel's module br_netfilter, which is not loaded\n  modprobe br_netfilter, or take --topology routed\n`,
      });
    },
  );

  it("--topology routed needs nothing of it", async () => {
    expect(await runBash(hidden("--topology routed"))).toMatchObject({ code: 0, stderr: "" });
  });
});

describeKernel("lab run", () => {
  const SUMMARY =
    /measured = meant: \d+ flows among \d+ endpoints on 1 node, \d+ packets; set up in [\d.]+ s, measured in [\d.]+ s\n/;

  it("prints the matrix as measured, and that it is as meant", async () => {
    const { code, stdout, stderr } = await runNftpol(["lab", "run", "-f", EXAMPLE]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const { stdout: meant } = await runNftpol(["matrix", "-f", EXAMPLE]);
    expect(stdout).toMatch(SUMMARY);
    expect(stdout.replace(SUMMARY, "")).toBe(`${meant}\n`);
  });

  it("prints rows as JSON, and nothing else on stdout", async () => {
    const { code, stdout, stderr } = await runNftpol([
      "lab",
      "run",
      "-f",
      EXAMPLE,
      "-o",
      "json",
      "--port",
      "80,ICMP,proto/47",
    ]);
    expect(code).toBe(0);
    expect(stderr).toMatch(SUMMARY);
    const rows = JSON.parse(stdout) as Record<string, unknown>[];
    expect(rows).toHaveLength(18);
    expect(rows[0]).toEqual({
      ...{ from: "batch/report", to: "web/backend", protocol: "TCP", port: 80, family: "IPv4" },
      ...{ meant: "deny", measured: "deny" },
    });
    expect(rows.filter(({ meant, measured }) => meant !== measured)).toEqual([]);
  });

  it("prints JUnit, and nothing else on stdout", async () => {
    const { code, stdout } = await runNftpol(["lab", "run", "-f", EXAMPLE, "-o", "junit"]);
    expect(code).toBe(0);
    const root = parseXml(stdout);
    expect(root.attributes).toMatchObject({ tests: "6", failures: "0" });
    expect(root.children.map(({ attributes }) => attributes.name)).toEqual(["batch/report", "web/backend", "web/site"]);
  });

  it("reads standard input", async () => {
    const { code, stdout, stderr } = await runNftpol(["lab", "run", "-f", "-", "--port", "9090"], {
      input: `${CLUSTER}---\n${POLICIES}`,
    });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(SUMMARY);
  });

  it("holds packets against the expectations of an example", async () => {
    const { code, stdout, stderr } = await runNftpol(["lab", "run", "-f", EXAMPLE, "--expect", EXAMPLE]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^note: 1 expected row about ingress or egress: .*\n$/);
    expect(stdout).toMatch(/\nexpectations: rows (\d+) ok \/ \1\n$/);
  });

  it("ends with exit code 1 when packets contradict an expectation: text, JSON and JUnit", async () => {
    const folder = folderOf({
      "x.expect.yaml": "allow:\n  - web/site -> web/backend : 8080/TCP\n  - web/site -> 8.8.8.8 : 53/UDP\n",
    });
    const argv = ["lab", "run", "-f", EXAMPLE, "--expect", `${folder}/x.expect.yaml`];
    const text = await runNftpol(argv);
    expect(text.code).toBe(1);
    expect(text.stdout).toContain(
      "x.expect.yaml:2: web/site -> web/backend : 8080/TCP (IPv4): expected allow, got deny\n    egress allow:",
    );
    expect(text.stdout).toMatch(/measured = meant: .*\nexpectations: rows 1 ok \/ 2\n$/);

    const json = await runNftpol([...argv, "-o", "json"]);
    expect(json.code).toBe(1);
    const rows = JSON.parse(json.stdout) as { from: string; to: string; measured: string; expected?: string }[];
    expect(rows.filter(({ expected }) => expected !== undefined)).toMatchObject([
      { from: "web/site", to: "web/backend", measured: "deny", expected: "allow" },
      { from: "web/site", to: "8.8.8.8", measured: "allow", expected: "allow" },
    ]);
    expect(json.stderr).toContain("expected allow, got deny");

    const junit = await runNftpol([...argv, "-o", "junit"]);
    expect(junit.code).toBe(1);
    const root = parseXml(junit.stdout);
    expect(root.attributes.failures).toBe("1");
    const suite = root.children.find(({ attributes }) => attributes.name === folder);
    expect(suite?.children.map(({ attributes, children }) => `${attributes.name}: ${children.length}`)).toEqual([
      "web/site -> web/backend : 8080/TCP is allow: 1",
      "web/site -> 8.8.8.8 : 53/UDP is allow: 0",
    ]);
  });
});
