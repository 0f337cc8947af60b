// Expectations against what packets found, in a lab without namespaces.

import { describe, expect, it } from "vitest";
import { CLUSTER, POLICIES } from "../../../test/cli/small-cluster.ts";
import { type FakeKernel, faithfulKernel, fakeInput, fakeLab } from "../../../test/support/fake-lab.ts";
import { memoryManifestFiles } from "../../manifests/manifest-files.ts";
import type { Family } from "../../net/address.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../../program/program.ts";
import { failureText } from "../expectations/report.ts";
import { computeMatrix } from "../matrix/compute.ts";
import { sortPorts } from "../matrix/ports.ts";
import { formatQuestion, type TrafficQuestion } from "../traffic-text.ts";
import { judgeCases } from "./expect-outcome.ts";
import { namedAddresses, questionsOf, readExpectedCases, resolveCases } from "./expect-questions.ts";
import { measureMatrix } from "./measured-matrix.ts";

const HOST = `---
apiVersion: v1
kind: Pod
metadata: {name: agent, namespace: ops}
spec: {nodeName: worker-1, hostNetwork: true, containers: [{name: c}]}
status: {podIP: 192.168.0.1, hostIP: 192.168.0.1}
`;
const SHOP = `${CLUSTER}---\n${POLICIES}${HOST}`;

interface Settings {
  readonly kernel?: (faithful: FakeKernel) => FakeKernel;
  readonly namespace?: string;
  readonly families?: readonly Family[];
}

/** As `lab run --expect` does it, but for the lab. */
async function judged(text: string, { kernel = (faithful) => faithful, ...asked }: Settings = {}) {
  const { cases } = await readExpectedCases(["e"], memoryManifestFiles({ "e/x.expect.yaml": text }));
  const { store, plan } = await fakeInput(SHOP, namedAddresses(cases));
  const resolved = resolveCases(store, cases);
  expect(resolved.diagnostics).toEqual([]);
  const more = questionsOf(resolved.cases, plan);
  const matrix = computeMatrix(store, { ports: sortPorts(more.ports), addresses: more.addresses, ...asked });
  const measured = await measureMatrix(matrix, fakeLab(plan, kernel(faithfulKernel(store))));
  const outcome = judgeCases(resolved.cases, { matrix, measured, store, program: DEFAULT_PROGRAM_OPTIONS });
  const failures = outcome.outcomes.flatMap(({ expectations }) =>
    expectations.flatMap((each) => each.failures.map((failure) => failureText(failure))),
  );
  const expected = measured.flows.flatMap((flow) => {
    const verdict = outcome.expectedOf(flow);
    const name = (index: number) => matrix.endpoints[index]?.name;
    const port = formatQuestion(matrix.ports[flow.port] as TrafficQuestion);
    return verdict === undefined ? [] : [`${name(flow.from)} ${name(flow.to)} ${port} ${verdict}`];
  });
  return { failures, notes: outcome.notes, expected };
}

const CLOSED = (): FakeKernel => () => false;

describe("expectations in a lab", () => {
  it("hold when packets find what is expected, and nothing is said", async () => {
    const text = "allow: ['shop/web -> shop/api : 9090/TCP']\ndeny: ['ops/* -> shop/api : 9090/TCP, ICMP, proto/47']\n";
    expect(await judged(text)).toEqual({
      failures: [],
      notes: [],
      expected: [
        ...["ops/tool shop/api 9090/TCP deny", "ops/tool shop/api ICMP deny", "ops/tool shop/api proto/47 deny"],
        "shop/web shop/api 9090/TCP allow",
      ],
    });
  });

  it("are held against packets, not against policies", async () => {
    const { failures } = await judged("allow: ['shop/web -> shop/api : 9090/TCP']\n", { kernel: CLOSED });
    expect(failures).toEqual(["shop/web -> shop/api : 9090/TCP (IPv4): expected allow, got deny"]);
    const leaky = await judged("deny: ['ops/tool -> shop/api : 9090/TCP']\n", { kernel: () => () => true });
    expect(leaky.failures).toEqual(["ops/tool -> shop/api : 9090/TCP (IPv4): expected deny, got allow"]);
  });

  it("have their plain addresses in the lab", async () => {
    const { failures, notes, expected } = await judged(
      "deny: ['8.8.8.8 -> shop/api : 9090/TCP']\nallow: ['ops/tool -> 8.8.4.4 : 53/UDP']\n",
    );
    expect({ failures, notes }).toEqual({ failures: [], notes: [] });
    expect(expected).toEqual(["ops/tool 8.8.4.4 53/UDP allow", "8.8.8.8 shop/api 9090/TCP deny"]);
  });

  it("are asked of a node where they name one, or a pod on its network", async () => {
    const text = "allow: ['node/worker-1 -> shop/api : 1/TCP', 'ops/agent -> shop/api : 1/TCP']\n";
    expect(await judged(text)).toEqual({ failures: [], notes: [], expected: ["192.168.0.1 shop/api 1/TCP allow"] });
    expect((await judged(text, { kernel: CLOSED })).failures).toHaveLength(2);
  });

  it("about halves are the evaluator's to answer, which is said; the whole is the packets'", async () => {
    const text =
      "checks: [{from: ops/tool, to: shop/api, ports: [1, 2], egress: allow, ingress: allow, verdict: deny}]";
    const { failures, notes } = await judged(text);
    expect(failures).toEqual([
      "ops/tool -> shop/api : 1/TCP (IPv4): expected ingress allow, got deny",
      "ops/tool -> shop/api : 2/TCP (IPv4): expected ingress allow, got deny",
    ]);
    expect(notes).toEqual([
      "note: 2 expected rows about ingress or egress: packets show both together, so the evaluator answered for the halves (the first: e/x.expect.yaml:1)",
    ]);
    const half = "checks: [{from: ops/tool, to: shop/api, ports: 1, egress: allow}]";
    expect(await judged(half, { kernel: CLOSED })).toMatchObject({ failures: [], expected: [] });
  });

  it.each([
    ["an address that no host has", "deny: ['127.0.0.1 -> shop/api : 1/TCP']\n", {}],
    ["two ends that no policy judges", "allow: ['8.8.8.8 -> node/worker-1 : 1/TCP']\n", {}],
    ["a namespace that was not asked for", "deny: ['shop/web -> shop/api : 1/TCP']\n", { namespace: "ops" }],
    ["a family that was not asked for", "deny: ['ops/tool -> shop/api : 1/TCP']\n", { families: [6] }],
  ] satisfies [string, string, Settings][])(
    "without a packet are the evaluator's to answer, which is said: %s",
    async (_, text, settings) => {
      const { failures, notes } = await judged(text, { ...settings, kernel: CLOSED });
      expect(failures).toEqual([]);
      expect(notes).toEqual([
        "note: 1 expected row without a packet (an end is not in this lab, or not asked for): the evaluator answered (e/x.expect.yaml:1)",
      ]);
    },
  );

  it("that contradict each other: the one that failed is told of the flow", async () => {
    const text = (first: string, second: string) =>
      `checks: [{from: ops/tool, to: shop/api, ports: 1, verdict: ${first}}, {from: ops/tool, to: shop/api, ports: 1, verdict: ${second}}]`;
    for (const each of [text("allow", "deny"), text("deny", "allow")]) {
      expect(await judged(each)).toMatchObject({
        failures: ["ops/tool -> shop/api : 1/TCP (IPv4): expected allow, got deny"],
        expected: ["ops/tool shop/api 1/TCP allow"],
      });
    }
  });

  it("leave a pod and itself out", async () => {
    const { failures, expected } = await judged("allow: ['shop/web -> shop/web, shop/api : 9090/TCP']\n");
    expect({ failures, expected }).toEqual({ failures: [], expected: ["shop/web shop/api 9090/TCP allow"] });
  });
});

describe("questionsOf", () => {
  it("has the ports, and the addresses that hosts of the lab have; of nodes those that speak for them", async () => {
    const text = "deny: ['127.0.0.1, 8.8.8.8, node/worker-1, ops/tool -> shop/api : 1/TCP, 2/UDP']\n";
    const { cases } = await readExpectedCases(["e"], memoryManifestFiles({ "e/x.expect.yaml": text }));
    const { store, plan } = await fakeInput(SHOP, namedAddresses(cases));
    const { ports, addresses } = questionsOf(resolveCases(store, cases).cases, plan);
    expect(ports.map(formatQuestion)).toEqual(["1/TCP", "2/UDP"]);
    // Of the family that the manifests do not give it, a lab node has one that is made up.
    expect(addresses).toEqual(["8.8.8.8", "192.168.0.1", "2001:db8:6e66::1"]);
  });
});

describe("what cannot be used is told before anything is built", () => {
  it.each([
    ["no such file", ["gone.expect.yaml"], "cannot be read: no such file or folder"],
    ["a folder without expectations", ["empty"], "no expectations here"],
    ["broken YAML", ["broken.expect.yaml"], "flow sequence"],
    ["a file that expects nothing", ["nothing.expect.yaml"], "the file expects nothing"],
  ])("%s", async (_, paths, message) => {
    const files = memoryManifestFiles({
      "empty/x.yaml": "",
      "broken.expect.yaml": "allow: [",
      "nothing.expect.yaml": "description: nothing\n",
    });
    const { diagnostics } = await readExpectedCases(paths, files);
    expect(diagnostics).toHaveLength(1);
    expect(`${diagnostics[0]?.severity}: ${diagnostics[0]?.message}`).toContain(message);
    expect(diagnostics[0]?.severity).toBe("error");
  });

  it("an endpoint or a port that there is not, with its line", async () => {
    const text = "deny:\n  - shop/wbe -> shop/api : 1/TCP\n  - shop/web -> shop/api : http\n";
    const { cases } = await readExpectedCases(["e"], memoryManifestFiles({ "e/x.expect.yaml": text }));
    const { store } = await fakeInput(SHOP);
    const { diagnostics } = resolveCases(store, cases);
    expect(
      diagnostics.map(({ position, message, hint }) => `${position.file}:${position.line}: ${message} (${hint})`),
    ).toEqual([
      "e/x.expect.yaml:2: there is no pod or workload shop/wbe (did you mean shop/web?)",
      expect.stringMatching(/^e\/x\.expect\.yaml:3: "http" is no port/),
    ]);
  });
});
