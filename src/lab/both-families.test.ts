// Addresses that pods get for the family that they lack.

import { describe, expect, it } from "vitest";
import { makePod, makePolicy } from "../../test/support/model-objects.ts";
import { addressFamily, addressValue } from "../net/address.ts";
import { cidrContains, parseCidr } from "../net/cidr.ts";
import { withBothFamilies } from "./both-families.ts";

const A = makePod("a", "10.0.0.1");
const B = makePod("b", "fd00::2");
const BOTH = makePod("both", "10.0.0.3 fd00::3");
const NONE = makePod("none", "");

function blocks(...cidrs: readonly string[]) {
  return makePolicy("p", { podSelector: {}, ingress: [{ from: cidrs.map((cidr) => ({ ipBlock: { cidr } })) }] });
}

function addressesOf(pods: ReturnType<typeof withBothFamilies>) {
  return Object.fromEntries(pods.map(({ name, addresses }) => [name, addresses]));
}

describe("withBothFamilies", () => {
  it("adds what is missing, after the pod's own, and leaves a pod with both as it is", () => {
    expect(addressesOf(withBothFamilies([A, B, BOTH, NONE], []))).toEqual({
      a: ["10.0.0.1", "fd00:10:245::1"],
      b: ["fd00::2", "10.245.0.1"],
      both: ["10.0.0.3", "fd00::3"],
      none: ["10.245.0.2", "fd00:10:245::2"],
    });
  });

  it("gives the same whatever order the pods come in", () => {
    const pods = [A, B, BOTH, NONE];
    expect(withBothFamilies(pods.toReversed(), [])).toEqual(withBothFamilies(pods, []));
  });

  it("gives each pod another address, also among 300, and none that a pod has", () => {
    const taken = makePod("taken", "10.245.0.2 fd00:10:245::5");
    const pods = [taken, ...Array.from({ length: 300 }, (_, index) => makePod(`p${index}`, ""))];
    const all = withBothFamilies(pods, []).flatMap(({ addresses }) => addresses);
    expect(all).toHaveLength(602);
    expect(new Set(all).size).toBe(602);
  });

  it("leaves pods on the host network and finished ones as they are", () => {
    const host = makePod("host", "192.168.0.1", { hostNetwork: true });
    const done = makePod("done", "10.0.0.9", { finished: true });
    expect(withBothFamilies([host, done], [])).toEqual([done, host]);
  });

  it.each([
    ["10.245.3.0/24"],
    ["10.0.0.0/8"],
    ["10.245.0.0/16", "100.64.0.0/10", "fd00:10:245::/48"],
    ["fc00::/8", "fd00::/16"],
  ])("keeps out of the blocks that policies name: %s %s %s", (...cidrs) => {
    const made = withBothFamilies([NONE], [blocks(...cidrs)]).flatMap(({ addresses }) => addresses);
    expect(made).toHaveLength(2);
    for (const cidr of cidrs) {
      const block = parseCidr(cidr)?.block as NonNullable<ReturnType<typeof parseCidr>>["block"];
      expect(made.filter((each) => cidrContains(block, addressFamily(each), addressValue(each)))).toEqual([]);
    }
  });

  it("keeps out of what a block leaves out", () => {
    const policy = makePolicy("p", {
      podSelector: {},
      egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: ["10.245.0.0/16"] } }] }],
    });
    expect(addressesOf(withBothFamilies([NONE], [policy])).none).toEqual(["100.65.0.1", "fd00:10:245::1"]);
  });

  it("takes its first block where policies name all of them", () => {
    expect(addressesOf(withBothFamilies([NONE], [blocks("0.0.0.0/1", "128.0.0.0/1", "fd00::/8")])).none).toEqual([
      "10.245.0.1",
      "fd00:10:245::1",
    ]);
  });
});
