import { describe, expect, it } from "vitest";
import { makePod, makePolicy, setPod, setPolicy } from "../../test/support/model-objects.ts";
import { CLUSTER, type Fields, tierPolicy } from "../../test/support/tier-policies.ts";
import type { Policy } from "../model/policy.ts";
import { ClusterStore } from "../state/store.ts";
import { findBlocksThatCoverPods } from "./block-covers-pods.ts";

const PODS = [
  makePod("web", "10.244.0.1 fd00::1"),
  makePod("api", "10.244.0.2"),
  makePod("done", "10.9.0.1", { finished: true }),
  makePod("host", "192.168.0.1", { hostNetwork: true }),
];

/** `field: message` of each finding. */
function findings(policy: Policy): string[] {
  const store = new ClusterStore();
  for (const pod of PODS) store.apply(setPod(pod));
  store.apply(setPolicy(policy));
  return findBlocksThatCoverPods(store).map(({ field, message }) => `${field}: ${message}`);
}

const from = (...peers: readonly Fields[]) => makePolicy("p", { podSelector: {}, ingress: [{ from: peers }] });
const block = (cidr: string, ...except: readonly string[]) => ({
  ipBlock: { cidr, ...(except.length > 0 ? { except } : {}) },
});
const tier = (action: string, ...networks: readonly string[]) =>
  tierPolicy(CLUSTER, {
    egress: [
      { action: "Accept", to: [{ nodes: {} }] },
      { action, to: [{ nodes: {} }, { networks }] },
    ],
  });

/** networks of a Deny, with a rule before it. */
const behind = (first: Fields) =>
  tierPolicy(CLUSTER, { egress: [first, { action: "Deny", to: [{ networks: ["10.0.0.0/8"] }] }] });
const WEB = { pods: { namespaceSelector: {}, podSelector: { matchLabels: { app: "web" } } } };
const TCP = { protocols: [{ tcp: { destinationPort: { range: { start: 1, end: 65535 } } } }] };

describe("a block that holds addresses of pods is told, with field and pods", () => {
  it.each<[string, Policy, string[]]>([
    [
      "an ipBlock, the second peer",
      from({ podSelector: {} }, block("10.0.0.0/8")),
      [
        "spec.ingress[0].from[1].ipBlock.cidr: 10.0.0.0/8 holds the addresses of 2 pods (a/api, a/web): the rule allows them, whatever the labels",
      ],
    ],
    [
      "whose except leaves out another pod only",
      from(block("10.0.0.0/8", "10.244.0.2/32")),
      [
        "spec.ingress[0].from[0].ipBlock.cidr: 10.0.0.0/8 without its excepts holds the address of pod a/web: the rule allows it, whatever the labels",
      ],
    ],
    [
      "of IPv6",
      from(block("fd00::/8")),
      [
        "spec.ingress[0].from[0].ipBlock.cidr: fd00::/8 holds the address of pod a/web: the rule allows it, whatever the labels",
      ],
    ],
    [
      "one of the networks of a tier's rule",
      tier("Deny", "192.0.2.0/24", "10.244.0.0/24"),
      [
        "spec.egress[1].to[1].networks[1]: 10.244.0.0/24 holds the addresses of 2 pods (a/api, a/web): the rule denies them, whatever the labels",
      ],
    ],
    [
      "each block by itself",
      tier("Pass", "10.244.0.0/16", "fd00::/8"),
      [
        "spec.egress[1].to[1].networks[0]: 10.244.0.0/16 holds the addresses of 2 pods (a/api, a/web): the rule passes them on, whatever the labels",
        "spec.egress[1].to[1].networks[1]: fd00::/8 holds the address of pod a/web: the rule passes it on, whatever the labels",
      ],
    ],
    [
      "networks behind a rule that takes some of the pods",
      behind({ action: "Accept", to: [WEB] }),
      [
        "spec.egress[1].to[0].networks[0]: 10.0.0.0/8 holds the address of pod a/api: the rule denies it, whatever the labels",
      ],
    ],
    [
      "networks behind a rule that takes them on some ports: ICMP is left",
      behind({ action: "Pass", to: [{ namespaces: {} }], ...TCP }),
      [
        "spec.egress[1].to[0].networks[0]: 10.0.0.0/8 holds the addresses of 2 pods (a/api, a/web): the rule denies them, whatever the labels",
      ],
    ],
  ])("%s", (_, policy, expected) => {
    expect(findings(policy)).toEqual(expected);
  });
});

describe("nothing is told of", () => {
  it.each<[string, Policy]>([
    ["a block beside the pods", from(block("10.245.0.0/16"))],
    ["a block whose excepts hold all of them", from(block("10.0.0.0/8", "10.244.0.0/16"))],
    ["all addresses of a family, which says what it does", from(block("0.0.0.0/0"), block("::/0"))],
    ["a pod that has finished: the address is nobody's", from(block("10.9.0.0/16"))],
    ["a pod on the host network: a block is the way to name it", from(block("192.168.0.0/16"))],
    [
      "rules without blocks",
      makePolicy("p", { podSelector: {}, ingress: [{}], egress: [{ to: [{ podSelector: {} }] }] }),
    ],
    ["networks of all addresses", tier("Deny", "0.0.0.0/0", "::/0")],
    ["networks behind a rule that takes the pods first", behind({ action: "Pass", to: [{ namespaces: {} }] })],
  ])("%s", (_, policy) => {
    expect(findings(policy)).toEqual([]);
  });
});

it("what to do depends on what the API has: networks have no except", () => {
  const store = new ClusterStore();
  for (const pod of PODS) store.apply(setPod(pod));
  store.apply(setPolicy(from(block("10.0.0.0/8"))));
  store.apply(setPolicy(tier("Deny", "10.0.0.0/8")));
  expect(findBlocksThatCoverPods(store).map(({ object, hint }) => [object, hint])).toEqual([
    ["NetworkPolicy a/p", "leave the pods' addresses out with except, and select pods by their labels"],
    [
      "ClusterNetworkPolicy default",
      "networks are for addresses outside of the cluster: select pods by their labels, in a rule before this one",
    ],
  ]);
});
