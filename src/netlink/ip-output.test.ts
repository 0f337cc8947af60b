// What ip prints where the real one in test/kernel/netlink-routes.test.ts cannot be made to.

import { describe, expect, it } from "vitest";
import { readIpLinks, readIpRoute } from "./ip-output.ts";

const malformed = expect.objectContaining({ name: "NetlinkError", kind: "malformed" });

describe("links as ip prints them", () => {
  it("may lack what newer and older versions say", () => {
    const printed = [
      { ifindex: 1, ifname: "lo", flags: ["UP"] },
      { ifindex: 2, ifname: "tun0", flags: [], link: null, linkinfo: { info_kind: "ip6tnl" } },
      { ifindex: 3, ifname: "ovs0", flags: [], master: "ovs-system", linkinfo: { info_slave_kind: "openvswitch" } },
      { ifindex: 4, ifname: "ovs-system", flags: [], linkinfo: { info_kind: "openvswitch" }, xdp: { mode: 1 } },
    ];
    const none = {
      masterIndex: undefined,
      parentIndex: undefined,
      parentNetnsId: undefined,
      isUp: false,
      hasXdp: false,
    };
    expect(readIpLinks(JSON.stringify(printed))).toEqual([
      { ...none, index: 1, name: "lo", kind: undefined, isUp: true },
      { ...none, index: 2, name: "tun0", kind: "ip6tnl" },
      { ...none, index: 3, name: "ovs0", kind: undefined, masterIndex: 4 },
      { ...none, index: 4, name: "ovs-system", kind: "openvswitch", hasXdp: true },
    ]);
  });

  it.each([
    ["no JSON", "Usage: ip link"],
    ["no list", "{}"],
    ["a list of something else", "[1]"],
    ["a link without a name", '[{"ifindex":1,"flags":[]}]'],
    ["a link without flags", '[{"ifindex":1,"ifname":"lo"}]'],
  ])("are an error when they are %s", (_name, stdout) => {
    expect(() => readIpLinks(stdout)).toThrow(malformed);
  });
});

describe("a route as ip prints it", () => {
  it("may be one that refuses, where the kernel answers with it", () => {
    expect(readIpRoute('[{"type":"unreachable","dst":"fd09::1","dev":"lo"}]', "")).toBe("unreachable");
    expect(readIpRoute('[{"type":"prohibit","dst":"fd09::1","dev":"lo"}]', "")).toBe("prohibited");
  });

  it.each([
    ["nothing, and no reason that is known", "", "Cannot open netlink socket"],
    ["two routes", '[{"dev":"a"},{"dev":"b"}]', ""],
    ["no interface", '[{"dst":"10.0.0.1"}]', ""],
    ["a type that is not known", '[{"type":"xresolve","dev":"a"}]', ""],
    ["a gateway that is none", '[{"gateway":"somewhere","dev":"a"}]', ""],
  ])("is an error when it is %s", (_name, stdout, stderr) => {
    expect(() => readIpRoute(stdout, stderr)).toThrow(malformed);
  });
});
