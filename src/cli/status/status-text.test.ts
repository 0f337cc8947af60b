import { describe, expect, it } from "vitest";
import type { AgentStatus, PodStatus } from "../../agent/agent-status.ts";
import type { SourceStatus } from "../../agent/cluster-change.ts";
import { formatStatus, sinceText } from "./status-text.ts";

const STATUS: AgentStatus = {
  apiVersion: "nftpol/v1",
  kind: "AgentStatus",
  node: "worker-1",
  version: "0.1.0",
  backend: { name: "nft", version: "nftables v1.1.3", writer: "nft -i", warnings: [] },
  dryRun: false,
  sources: [
    {
      resource: "pods",
      installed: true,
      synced: true,
      lastEventAgeSeconds: 2,
      relists: 0,
      watches: 1,
      failures: 0,
      lastFailure: undefined,
    },
    {
      resource: "nodes",
      installed: true,
      synced: true,
      lastEventAgeSeconds: 40,
      relists: 0,
      watches: 1,
      failures: 0,
      lastFailure: undefined,
    },
  ],
  sync: {
    inForce: true,
    reason: undefined,
    lastCommitAt: "2026-01-01T00:00:00Z",
    commits: 7,
    failures: 0,
    lastFailure: undefined,
  },
  verification: { lastAt: "2026-01-01T00:00:50Z", repairedDifferences: 0, lastDifferences: [] },
  existingConnections: { mode: "recheck", tracker: "ctnetlink", cut: 3 },
  packetPath: [],
  dropped: { ingress: 5, egress: 0, midstream: 1, unknown: 0 },
  size: { sets: 9, elements: 4, chains: 5, rules: 17 },
  policies: 1,
  unenforcedKinds: [],
  pods: [
    {
      pod: "shop/db",
      addresses: ["10.0.0.2"],
      ingress: ["shop/db"],
      egress: null,
      toOwnNode: null,
      classes: ["ingress4_x"],
    },
    { pod: "shop/web", addresses: ["10.0.0.1", "fd00::1"], ingress: null, egress: null, toOwnNode: null, classes: [] },
  ],
  findings: [],
};
const now = Date.parse("2026-01-01T00:01:00Z");

describe("the status of a node", () => {
  it("that is well fits on a screen", () => {
    expect(formatStatus(STATUS, { now, wide: false, columns: 100 })).toBe(`node         worker-1
agent        nftpol 0.1.0, nftables v1.1.3, nft -i
rules        in force, last changed 60s ago (7 changes)
table        17 rules, 9 sets, 4 elements
verified     10s ago, 0 foreign changes repaired
policies     1
connections  rechecked through ctnetlink, 3 cut
dropped      ingress 5, egress 0, midstream 1, unknown 0 packets
reads        pods: synced, heard 2s ago
             nodes: synced, heard 40s ago

PODS
  POD       ADDRESS            INGRESS  EGRESS
  shop/db   10.0.0.2           shop/db  open
  shop/web  10.0.0.1, fd00::1  open     open
`);
  });

  it("names kinds of policies that the cluster does not have, and those of which that is not known", () => {
    const [pods] = STATUS.sources as readonly [SourceStatus];
    const kind = { ...pods, resource: "clusternetworkpolicies", lastEventAgeSeconds: undefined };
    const lastFailure = "whether it is installed is not known: forbidden";
    const sources = [
      { ...kind, installed: false },
      { ...kind, installed: undefined, synced: false, lastFailure },
    ];
    const text = formatStatus({ ...STATUS, sources }, { now, wide: false, columns: 100 });
    expect(text).toContain(`reads        clusternetworkpolicies: not installed
             clusternetworkpolicies: NOT synced

PROBLEMS
  clusternetworkpolicies: ${lastFailure}
`);
  });

  it("has its problems above the pods, and nothing in them drives the terminal", () => {
    const text = formatStatus(
      {
        ...STATUS,
        sync: { ...STATUS.sync, inForce: false, reason: "no memory" },
        packetPath: ["bridge cni0 …"],
        findings: [{ object: "policy x", severity: "error", field: "spec", message: "bad \u001b[31m", hint: "better" }],
        verification: {
          ...STATUS.verification,
          repairedDifferences: 2,
          lastDifferences: ["chain forward lacks a rule"],
        },
      },
      { now, wide: false, columns: 100 },
    );
    expect(text).toContain("rules        NOT as the policies say");
    expect(text).toContain(`PROBLEMS
  rules: no memory
  packet path: bridge cni0 …
  changed by others and repaired: chain forward lacks a rule
  error: policy x: spec: bad \\u{1b}[31m (better)
`);
  });

  it("with -o wide names the chains, below their pod", () => {
    expect(formatStatus(STATUS, { now, wide: true, columns: 100 })).toContain(`
  shop/db   10.0.0.2           shop/db  open
    ingress4_x
  shop/web  10.0.0.1, fd00::1  open     open
`);
  });

  it.each([70, 100])("keeps within %d columns, whatever is to be told", (columns) => {
    const sentence = "a sentence of words that goes on and on until it does not fit any more ";
    const chain = `ingress4_${"x".repeat(45)}`;
    const text = formatStatus(
      {
        ...STATUS,
        packetPath: [sentence.repeat(4).trim()],
        findings: [{ object: "policy x", severity: "error", field: "spec", message: sentence.repeat(2).trim() }],
        pods: STATUS.pods.map((pod) => ({ ...pod, classes: [chain, chain, chain] })),
      },
      { now, wide: true, columns },
    );
    expect(text.split("\n").filter((line) => line.length > columns)).toEqual([]);
    expect(text.replace(/\s+/g, " ")).toContain(`packet path: ${sentence.repeat(4)}`);
  });

  it("of a dry run says that nothing is in force", () => {
    const sync = { inForce: false, reason: "dry run: …", lastCommitAt: undefined, commits: 0, failures: 0 };
    const text = formatStatus(
      { ...STATUS, dryRun: true, sync: { ...sync, lastFailure: undefined }, dropped: undefined },
      { now, wide: false, columns: 100 },
    );
    expect(text).toContain("\nrules        NOT in force: dry run: …\n");
    expect(text).toContain("\ntable        would have 17 rules, 9 sets, 4 elements\n");
  });

  it("without an agent's first commit says so", () => {
    const sync = { ...STATUS.sync, inForce: false, reason: "not …", lastCommitAt: undefined, commits: 0 };
    const text = formatStatus({ ...STATUS, sync, pods: [] }, { now, wide: false, columns: 100 });
    expect(text).toContain("none that policies can select");
    expect(text).toContain("\ntable        not written yet: rules of before stay\n");
    expect(text).not.toContain("17 rules");
  });
});

it.each([
  [0, "0s"],
  [119_000, "119s"],
  [120_000, "2m"],
  [7_200_000, "2h"],
  [172_800_000, "2d"],
])("%d ms are %s", (ms, text) => expect(sinceText(ms)).toBe(text));

it("what pods send to this node has a column where any of it is judged", () => {
  const guarded = ["ClusterNetworkPolicy/guard"];
  const [db, web] = STATUS.pods as [PodStatus, PodStatus];
  const pods = [{ ...db, egress: guarded, toOwnNode: guarded }, web];
  const text = formatStatus({ ...STATUS, pods }, { now, wide: false, columns: 100 });
  expect(text.slice(text.indexOf("PODS"))).toContain(`PODS
  POD       ADDRESS            INGRESS  EGRESS                      TO THIS NODE
  shop/db   10.0.0.2           shop/db  ClusterNetworkPolicy/guard  ClusterNetworkPolicy/guard
  shop/web  10.0.0.1, fd00::1  open     open                        open`);
});
