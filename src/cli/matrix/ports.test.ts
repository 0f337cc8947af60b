import { describe, expect, it } from "vitest";
import { type ApiObject, storeOf } from "../../../test/support/random-cluster.ts";
import { formatQuestion, parseTraffic, type TrafficQuestion } from "../traffic-text.ts";
import { defaultPorts, MAX_DEFAULT_PORTS, sortPorts } from "./ports.ts";

function pod(name: string, ports: readonly unknown[], phase = "Running"): ApiObject {
  const index = name.charCodeAt(0);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "x" },
    spec: { containers: [{ name: "c", ports }] },
    status: { phase, podIPs: [{ ip: `10.0.0.${index}` }] },
  };
}

function policy(ports: readonly unknown[]): ApiObject {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name: "p", namespace: "x" },
    spec: { podSelector: {}, ingress: [{ ports }], policyTypes: ["Ingress"] },
  };
}

function texts(objects: readonly ApiObject[]): string[] {
  return defaultPorts(storeOf(objects)).ports.map(formatQuestion);
}

describe("defaultPorts", () => {
  it("has what selectable pods declare, once each, by protocol and number", () => {
    const both = [{ containerPort: 443 }, { containerPort: 53, protocol: "UDP" }];
    const finished = pod("b", [{ containerPort: 9 }], "Succeeded");
    expect(texts([pod("a", both), pod("c", [...both, { containerPort: 80 }]), finished])).toEqual([
      "80/TCP",
      "443/TCP",
      "53/UDP",
    ]);
  });

  it("has the numbers that policies name, of a range both ends, of a name and of a whole protocol none", () => {
    const named = [{ port: 8443 }, { port: 1000, endPort: 2000 }, { port: "http" }, { protocol: "SCTP" }];
    expect(texts([policy(named)])).toEqual(["1000/TCP", "2000/TCP", "8443/TCP"]);
  });

  it("guesses 80/TCP where nothing names a port, and says that it is a guess", () => {
    expect(defaultPorts(storeOf([pod("a", []), policy([])]))).toMatchObject({ leftOut: 0, guessed: true });
    expect(texts([pod("a", [])])).toEqual(["80/TCP"]);
  });

  it("keeps those that occur most where there are too many, and says how many it left out", () => {
    const many = Array.from({ length: MAX_DEFAULT_PORTS + 5 }, (_, index) => ({ containerPort: 1000 + index }));
    const often = { containerPort: 60000 };
    const found = defaultPorts(storeOf([pod("a", [...many, often]), pod("b", [often])]));
    expect(found.leftOut).toBe(6);
    expect(found.ports).toHaveLength(MAX_DEFAULT_PORTS);
    expect(found.ports.map(formatQuestion)).toContain("60000/TCP");
  });
});

describe("sortPorts", () => {
  it("puts TCP before UDP before SCTP before ICMP before other protocols, and drops what was said twice", () => {
    const words = ["proto/50", "ICMP", "proto/47", "9/SCTP", "53/UDP", "443", "80/tcp", "80"];
    const ports = sortPorts(words.map((word) => parseTraffic(word) as TrafficQuestion));
    const expected = ["80/TCP", "443/TCP", "53/UDP", "9/SCTP", "ICMP", "proto/47", "proto/50"];
    expect(ports.map(formatQuestion)).toEqual(expected);
  });
});
