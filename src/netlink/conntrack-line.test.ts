import { describe, expect, it } from "vitest";
import { readConntrackLine } from "./conntrack-line.ts";

/** `10.0.0.1:1000>10.0.0.2:80`, both directions, then what else there is. */
function summary(line: string): string | undefined {
  const connection = readConntrackLine(line);
  if (connection === undefined) return undefined;
  const { family, protocol, original, reply, icmpType, handle } = connection;
  const ends = [original, reply].map((t) => `${t.source}:${t.sourcePort}>${t.destination}:${t.destinationPort}`);
  const icmp = icmpType === undefined ? "" : ` icmp ${icmpType}/${handle.icmpCode} id ${handle.icmpId}`;
  return `ipv${family} ${protocol} ${ends.join(" ")}${icmp} zone ${handle.zone}`;
}

describe("a line of conntrack", () => {
  it.each([
    [
      "TCP",
      "ipv4     2 tcp      6 431999 ESTABLISHED src=10.0.0.1 dst=10.0.0.2 sport=1000 dport=80 src=10.0.0.2 dst=10.0.0.1 sport=80 dport=1000 [ASSURED] mark=0 use=1 id=4071483077",
      "ipv4 6 10.0.0.1:1000>10.0.0.2:80 10.0.0.2:80>10.0.0.1:1000 zone 0",
    ],
    [
      "translated UDP without an answer, in a zone",
      "ipv4     2 udp      17 99 src=10.0.0.1 dst=10.96.0.2 sport=1000 dport=53 [UNREPLIED] src=10.0.0.9 dst=10.0.0.1 sport=5353 dport=1000 mark=0 zone=5 use=1 id=7",
      "ipv4 17 10.0.0.1:1000>10.96.0.2:53 10.0.0.9:5353>10.0.0.1:1000 zone 5",
    ],
    [
      "ICMP, whose id is not the entry's",
      "ipv4     2 icmp     1 99 src=10.0.0.1 dst=10.0.0.2 type=8 code=3 id=77 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 type=0 code=0 id=77 mark=0 use=1 id=3719766725",
      "ipv4 1 10.0.0.1:0>10.0.0.2:0 10.0.0.2:0>10.0.0.1:0 icmp 8/3 id 77 zone 0",
    ],
    [
      "ICMPv6",
      "ipv6     10 icmpv6   58 29 src=fd00::1 dst=fd00::2 type=128 code=0 id=72 src=fd00::2 dst=fd00::1 type=129 code=0 id=72 mark=0 use=1 id=2237839699",
      "ipv6 58 fd00::1:0>fd00::2:0 fd00::2:0>fd00::1:0 icmp 128/0 id 72 zone 0",
    ],
    [
      "counters, times and zones of one direction",
      "ipv4     2 udp      17 99 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 zone-orig=3 packets=5 bytes=99 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 zone-reply=4 packets=0 bytes=0 [ASSURED] [OFFLOAD] mark=1030 delta-time=0 [start=Sat Nov 21 15:41:59 2026] helper=ftp use=1 id=1",
      "ipv4 17 10.0.0.1:1>10.0.0.2:2 10.0.0.2:2>10.0.0.1:1 zone 0",
    ],
    [
      "GRE, whose keys stand for ports",
      "ipv4     2 gre      47 99 src=10.0.0.1 dst=10.0.0.2 srckey=0x1f dstkey=0x2 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 srckey=0x2 dstkey=0x1f mark=0 use=1 id=2",
      "ipv4 47 10.0.0.1:31>10.0.0.2:2 10.0.0.2:2>10.0.0.1:31 zone 0",
    ],
    [
      "a protocol without ports",
      "ipv4     2 unknown  253 99 src=10.0.0.1 dst=10.0.0.2 [UNREPLIED] src=10.0.0.2 dst=10.0.0.1 mark=0 use=1 id=3",
      "ipv4 253 10.0.0.1:0>10.0.0.2:0 10.0.0.2:0>10.0.0.1:0 zone 0",
    ],
    [
      "a state that is a number, and offload instead of a time",
      "ipv4     2 tcp      6 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 [OFFLOAD] mark=0 use=2 id=4",
      "ipv4 6 10.0.0.1:1>10.0.0.2:2 10.0.0.2:2>10.0.0.1:1 zone 0",
    ],
  ])("of %s is read", (_name, line, expected) => {
    expect(summary(line)).toBe(expected);
  });

  const whole =
    "ipv4     2 udp      17 99 src=10.0.0.1 dst=10.0.0.2 sport=1 dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=1 mark=0 use=1 id=4";

  it.each([
    ["empty", ""],
    ["of a table that is not IP", whole.replace("ipv4", "arp")],
    ["without the layer in front", whole.slice("ipv4     2 ".length)],
    ["without a second direction", whole.replace("src=10.0.0.2 dst=10.0.0.1", "")],
    ["with three directions", `${whole} src=10.0.0.7 dst=10.0.0.8`],
    ["without a destination", whole.replace("dst=10.0.0.2", "")],
    ["with an address that is none", whole.replace("10.0.0.2", "10.0.0.256")],
    ["with a port that is none", whole.replace("sport=1", "sport=ssh")],
    ["of ICMP without a type", whole.replace("udp      17", "icmp     1")],
    ["with a zone that is none", whole.replace("mark=0", "zone=x")],
  ])("%s is not read as a connection", (_name, line) => {
    expect(readConntrackLine(line)).toBeUndefined();
  });

  it("of the control group of these cases is read", () => {
    expect(summary(whole)).toBeDefined();
  });
});
