import { describe, expect, it } from "vitest";
import { formatQuestion, parseTraffic, trafficOf } from "./traffic-text.ts";

describe("ports on the command line", () => {
  it.each([
    ["80", "80/TCP"],
    ["80/tcp", "80/TCP"],
    [" 53/UDP ", "53/UDP"],
    ["9/SCTP", "9/SCTP"],
    ["0/TCP", "0/TCP"],
    ["65535/TCP", "65535/TCP"],
    ["icmp", "ICMP"],
    ["ICMPv6", "ICMP"],
    ["proto/47", "proto/47"],
    ["proto/58", "ICMP"],
    ["proto/1", "ICMP"],
  ])("%j is %s", (text, formatted) => {
    const question = parseTraffic(text);
    expect(question && formatQuestion(question)).toBe(formatted);
  });

  it.each(["", "http", "65536", "-1", "80/", "80/ICMP", "TCP/80", "proto/6", "proto/256", "proto/", "1e3", "80/TCP x"])(
    "%j is none",
    (text) => {
      expect(parseTraffic(text)).toBeUndefined();
    },
  );

  it("ICMP is the echo request of the family", () => {
    expect(trafficOf({ kind: "icmp" }, 4)).toEqual({ kind: "icmp", protocol: 1, type: 8 });
    expect(trafficOf({ kind: "icmp" }, 6)).toEqual({ kind: "icmp", protocol: 58, type: 128 });
  });
});
