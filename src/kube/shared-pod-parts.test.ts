import { describe, expect, it } from "vitest";
import { makePod } from "../../test/support/model-objects.ts";
import type { Address } from "../net/address.ts";
import { SharedPodParts } from "./shared-pod-parts.ts";

/** As from a parser: equal pods with nothing in common. */
const fresh = (name: string) =>
  structuredClone({
    ...makePod(name, "10.0.0.1 fd00::1", { labels: { app: "web" } }),
    hostAddresses: ["192.0.2.1" as Address],
    ports: [{ name: "http", protocol: "TCP" as const, port: 8080 }],
  });

describe("pods with shared parts", () => {
  it("are equal to what they were", () => {
    const parts = new SharedPodParts();
    for (const name of ["a", "b", "a"]) expect(parts.share(fresh(name))).toEqual(fresh(name));
    const bare = { ...makePod("c", "", { labels: {} }), nodeName: undefined };
    expect(parts.share(bare)).toEqual(bare);
  });

  it("share equal labels, ports and host addresses, and nothing else", () => {
    const parts = new SharedPodParts();
    const a = parts.share(fresh("a"));
    const b = parts.share(fresh("b"));
    expect(b.labels).toBe(a.labels);
    expect(b.ports).toBe(a.ports);
    expect(b.hostAddresses).toBe(a.hostAddresses);
    const other = parts.share({ ...fresh("c"), labels: { app: "web", tier: "x" }, ports: [] });
    expect(other.labels).toEqual({ app: "web", tier: "x" });
    expect(other.ports).toEqual([]);
  });

  it("keep a label named __proto__, and labels that look alike apart", () => {
    const parts = new SharedPodParts();
    const hostile = JSON.parse('{"__proto__":"x","a":"b"}');
    const shared = parts.share({ ...fresh("a"), labels: hostile }).labels;
    expect(Object.keys(shared)).toEqual(["__proto__", "a"]);
    expect(Object.getPrototypeOf(shared)).toBe(Object.prototype);
    expect(parts.share({ ...fresh("a"), labels: { a: 'b","c":"d' } }).labels).toEqual({ a: 'b","c":"d' });
    expect(parts.share({ ...fresh("a"), labels: { a: "b", c: "d" } }).labels).toEqual({ a: "b", c: "d" });
  });

  it("stay right with more kinds of pods than are kept", () => {
    const parts = new SharedPodParts();
    for (let index = 0; index < 30_000; index++) {
      const labels = { job: `job-${index}` };
      expect(parts.share({ ...makePod("a", "10.0.0.1"), labels }).labels).toEqual(labels);
    }
  });
});
