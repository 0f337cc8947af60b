import { describe, expect, it } from "vitest";
import {
  makeNamespace,
  makePod,
  makePolicy,
  setNamespace,
  setPod,
  setPolicy,
} from "../../test/support/model-objects.ts";
import type { Policy } from "../model/policy.ts";
import type { Address, Family } from "../net/address.ts";
import type { TrackedConnection } from "../netlink/connection-tracker.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../program/program.ts";
import { ClusterStore } from "../state/store.ts";
import { ConnectionJudge, flowOf } from "./connection-judge.ts";

interface Ends {
  readonly from: string;
  readonly to: string;
  readonly port?: number;
  readonly protocol?: number;
  /** The service's address and port that the client asked for. */
  readonly service?: readonly [string, number];
  /** The source that the server saw. */
  readonly masquerade?: string;
  readonly icmpType?: number;
}

function connection({ from, to, port = 80, protocol = 6, service, masquerade, icmpType }: Ends): TrackedConnection {
  const [asked, askedPort] = service ?? [to, port];
  return {
    family: (from.includes(":") ? 6 : 4) as Family,
    protocol,
    original: {
      source: from as Address,
      destination: asked as Address,
      sourcePort: 40_000,
      destinationPort: askedPort,
    },
    reply: {
      source: to as Address,
      destination: (masquerade ?? from) as Address,
      sourcePort: port,
      destinationPort: 40_000,
    },
    icmpType,
    handle: undefined,
  };
}

function judge(policies: readonly Policy[], options: Partial<ConstructorParameters<typeof ConnectionJudge>[1]> = {}) {
  const store = new ClusterStore();
  store.apply(setNamespace(makeNamespace("a")));
  const pods = [
    makePod("web", "10.0.0.1 fd00::1"),
    makePod("db", "10.0.0.2 fd00::2"),
    makePod("far", "10.0.1.1", { node: "node-2" }),
    makePod("far-too", "10.0.1.2", { node: "node-2" }),
  ];
  for (const pod of pods) store.apply(setPod(pod));
  for (const policy of policies) store.apply(setPolicy(policy));
  const judge = new ConnectionJudge(store, {
    ...DEFAULT_PROGRAM_OPTIONS,
    nodeName: "node-1",
    nodeAddresses: new Set(["192.168.0.1", "10.0.0.254"]),
    ...options,
  });
  return (ends: Ends) => judge.allows(connection(ends));
}

const DENY_INGRESS = makePolicy("deny", { podSelector: { matchLabels: { app: "db" } } });
const DENY_ALL = makePolicy("deny-all", { podSelector: {}, policyTypes: ["Ingress", "Egress"] });
const ALLOW_ALL_EGRESS = makePolicy("out", { podSelector: {}, policyTypes: ["Egress"], egress: [{}] });
const ALLOW_WEB_5432 = makePolicy("allow", {
  podSelector: { matchLabels: { app: "db" } },
  ingress: [{ from: [{ podSelector: { matchLabels: { app: "web" } } }], ports: [{ port: 5432 }] }],
});

describe("the flow of a connection", () => {
  it("has the translated destination and the source before masquerading", () => {
    const through = connection({
      from: "10.0.0.1",
      to: "10.0.0.2",
      port: 5432,
      service: ["10.96.0.1", 80],
      masquerade: "192.168.0.1",
    });
    expect(flowOf(through)).toEqual({
      source: "10.0.0.1",
      destination: "10.0.0.2",
      traffic: { kind: "ports", protocol: "TCP", port: 5432, sourcePort: 40_000 },
    });
  });

  it.each([
    [
      { protocol: 1, icmpType: 8 },
      { kind: "icmp", protocol: 1, type: 8 },
    ],
    [{ protocol: 47 }, { kind: "other", protocol: 47 }],
    [{ protocol: 132 }, { kind: "ports", protocol: "SCTP", port: 80, sourcePort: 40_000 }],
  ])("of protocol %j is %j", (fields, traffic) => {
    expect(flowOf(connection({ from: "10.0.0.1", to: "10.0.0.2", ...fields })).traffic).toEqual(traffic);
  });
});

describe("a connection is denied", () => {
  it("when the destination's policies do not allow it, in both families", () => {
    const allows = judge([DENY_INGRESS]);
    expect(allows({ from: "10.0.0.1", to: "10.0.0.2" })).toBe(false);
    expect(allows({ from: "fd00::1", to: "fd00::2" })).toBe(false);
    expect(allows({ from: "10.0.1.1", to: "10.0.0.2" })).toBe(false);
  });

  it("when the source's policies do not allow it, wherever it goes", () => {
    const allows = judge([DENY_ALL]);
    expect(allows({ from: "10.0.0.1", to: "10.0.1.1" })).toBe(false);
    expect(allows({ from: "10.0.0.1", to: "203.0.113.7" })).toBe(false);
  });

  it("by the port behind the service, not the service's", () => {
    const allows = judge([ALLOW_WEB_5432]);
    expect(allows({ from: "10.0.0.1", to: "10.0.0.2", port: 5432, service: ["10.96.0.1", 80] })).toBe(true);
    expect(allows({ from: "10.0.0.1", to: "10.0.0.2", port: 80, service: ["10.96.0.1", 5432] })).toBe(false);
  });
});

it("with strict start costs no walk over the cluster's nodes, and closed addresses keep what they have", () => {
  const store = new ClusterStore();
  store.apply(setPod(makePod("db", "10.0.0.2")));
  store.apply(setPolicy(DENY_INGRESS));
  store.apply(setPolicy(ALLOW_ALL_EGRESS));
  let walks = 0;
  store.nodes = () => {
    walks++;
    return [];
  };
  const judge = new ConnectionJudge(store, {
    ...DEFAULT_PROGRAM_OPTIONS,
    unknownLocalPods: "drop",
    nodeName: "node-1",
    nodeAddresses: new Set(),
  });
  expect(judge.allows(connection({ from: "203.0.113.7", to: "10.0.0.2" }))).toBe(false);
  expect(judge.allows(connection({ from: "10.0.0.2", to: "10.0.0.99" }))).toBe(true);
  expect(walks).toBe(0);
});

describe("a connection is left alone", () => {
  it("when the policies allow it", () => {
    const allows = judge([DENY_INGRESS, ALLOW_WEB_5432]);
    expect(allows({ from: "10.0.0.1", to: "10.0.0.2", port: 5432 })).toBe(true);
    // Not the other way round: db is not isolated for egress, web not for ingress.
    expect(allows({ from: "10.0.0.2", to: "10.0.0.1" })).toBe(true);
  });

  it("when another node decides it", () => {
    const allows = judge([DENY_ALL]);
    expect(allows({ from: "10.0.1.1", to: "10.0.1.2" })).toBe(true);
    expect(allows({ from: "203.0.113.7", to: "10.0.1.1" })).toBe(true);
  });

  it("when the node itself speaks, by any of its addresses", () => {
    const allows = judge([DENY_ALL]);
    expect(allows({ from: "192.168.0.1", to: "10.0.0.2" })).toBe(true);
    expect(allows({ from: "10.0.0.254", to: "10.0.0.2" })).toBe(true);
  });

  it("when a pod speaks to its node, unless that is judged too", () => {
    expect(judge([DENY_ALL])({ from: "10.0.0.1", to: "10.0.0.254" })).toBe(true);
    expect(judge([DENY_ALL], { podToOwnNode: "enforce" })({ from: "10.0.0.1", to: "10.0.0.254" })).toBe(false);
  });

  it("when a pod reaches itself through a service", () => {
    const allows = judge([DENY_ALL]);
    expect(allows({ from: "10.0.0.1", to: "10.0.0.1", service: ["10.96.0.1", 80], masquerade: "192.168.0.1" })).toBe(
      true,
    );
  });
});
