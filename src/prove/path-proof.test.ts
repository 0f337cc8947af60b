// Rules that dispatch by a tree over sets of addresses: which classes the prover makes of them, and that it finds a wrong leaf.

import { describe, expect, it } from "vitest";
import { type HandMadeChains, handMadeRules } from "../../test/support/hand-made-rules.ts";
import {
  makeNamespace,
  makePod,
  makePolicy,
  setNamespace,
  setPod,
  setPolicy,
} from "../../test/support/model-objects.ts";
import { type Packet, UDP } from "../backends/packet.ts";
import { NEIGHBOUR_DISCOVERY_TYPES } from "../model/flow.ts";
import { DHCP_PORTS, isLinkScope } from "../model/link-scope.ts";
import { DEFAULT_PROGRAM_OPTIONS } from "../program/program.ts";
import { ClusterStore } from "../state/store.ts";
import { AddressSides } from "./address-sides.ts";
import { proveNode } from "./prove.ts";
import { ReachedChains } from "./reached-chains.ts";

const [A, B, C, D] = ["10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4"];

const store = new ClusterStore();
store.apply(setNamespace(makeNamespace("a")));
for (const [name, address] of Object.entries({ a: A, b: B, c: C, d: D })) store.apply(setPod(makePod(name, address)));
const only = (app: string) => ({ matchLabels: { app } });
const http = [{ port: 80 }];
const fromAnywhere = [{ ipBlock: { cidr: "192.0.2.0/24" } }];
for (const policy of [
  makePolicy("a", {
    podSelector: only("a"),
    egress: [{ to: [{ podSelector: only("c") }], ports: http }],
    policyTypes: ["Egress"],
  }),
  makePolicy("b", { podSelector: only("b"), policyTypes: ["Egress"] }),
  makePolicy("c", {
    podSelector: only("c"),
    ingress: [{ from: [{ podSelector: only("a") }], ports: http }, { from: fromAnywhere }],
  }),
  makePolicy("d", { podSelector: only("d"), ingress: [{ ports: [{ port: 443 }] }] }),
])
  store.apply(setPolicy(policy));

/** What those policies mean, as rules: two levels of sets lead to what judges a source, two others to what judges a destination. */
const TREE: HandMadeChains = {
  forward: [
    { when: ({ state }) => state === "established" || state === "related", verdict: "accept" },
    { when: isMidstream, verdict: "jump midstream" },
    { when: (packet) => isLinkScope(packet) && !isKeptOnLink(packet), verdict: "drop" },
    { when: ({ source, destination }) => source === destination, verdict: "accept" },
    { verdict: "jump egress" },
    { verdict: "jump ingress" },
  ],
  midstream: [
    { source: [A, B, C, D], verdict: "drop" },
    { destination: [A, B, C, D], verdict: "drop" },
  ],
  egress: [
    { source: [A, B], verdict: "goto egress-1" },
    { source: [C, D], verdict: "return" },
  ],
  "egress-1": [
    { source: [A], verdict: "goto from-A" },
    { source: [B], verdict: "goto from-B" },
  ],
  "from-A": [{ destination: [C], port: 80, when: isTcp, verdict: "return" }, { verdict: "goto deny" }],
  "from-B": [{ verdict: "goto deny" }],
  ingress: [
    { when: isDhcpAnswer, verdict: "return" },
    { destination: [C, D], verdict: "goto ingress-1" },
  ],
  "ingress-1": [
    { destination: [C], verdict: "goto to-C" },
    { destination: [D], verdict: "goto to-D" },
  ],
  "to-C": [
    { source: [A], port: 80, when: isTcp, verdict: "return" },
    { source: ["192.0.2.0/24"], verdict: "return" },
    { verdict: "goto deny" },
  ],
  "to-D": [{ port: 443, when: isTcp, verdict: "return" }, { verdict: "goto deny" }],
  deny: [{ verdict: "drop" }],
};

function isTcp({ protocol }: Packet): boolean {
  return protocol === 6;
}

function isMidstream({ protocol, tcpFlags }: Packet): boolean {
  return protocol === 6 && !(tcpFlags.has("syn") && tcpFlags.size === 1);
}

function isKeptOnLink({ protocol, destinationPort, icmpv6Type }: Packet): boolean {
  if (icmpv6Type !== undefined) return NEIGHBOUR_DISCOVERY_TYPES.includes(icmpv6Type);
  return protocol === UDP && DHCP_PORTS.includes(destinationPort ?? -1);
}

function isDhcpAnswer({ protocol, sourcePort, destinationPort }: Packet): boolean {
  return protocol === UDP && sourcePort === 67 && destinationPort === 68;
}

function withChain(name: string, rules: HandMadeChains[string]): HandMadeChains {
  return { ...TREE, [name]: rules };
}

function reachedIn(chains: HandMadeChains): { readonly sides: AddressSides; readonly reached: ReachedChains } {
  const sides = new AddressSides(store, "node-1", handMadeRules(chains), 4, DEFAULT_PROGRAM_OPTIONS);
  return { sides, reached: new ReachedChains(sides, ["forward"]) };
}

/** Of A to D and of an address that no rule names: the chains beyond the base that it leads to. */
function ledFrom(chains: HandMadeChains, side: "source" | "destination"): Record<string, string[]> {
  const { sides, reached } = reachedIn(chains);
  const atoms = sides.atoms.filter(({ address }) => [A, B, C, D, "0.0.0.0"].includes(address));
  const led = atoms.map((atom) => reached.beyondBase(side, [atom]).map((beyond) => [...beyond.chains].sort()));
  return Object.fromEntries(atoms.map(({ address }, index) => [address, led[index]?.flat() ?? []]));
}

describe("the chains that addresses lead to", () => {
  it("are found level by level, each address's own", () => {
    expect(ledFrom(TREE, "source")).toEqual({
      "0.0.0.0": [],
      [A]: ["deny", "egress-1", "from-A"],
      [B]: ["deny", "egress-1", "from-B"],
      [C]: [],
      [D]: [],
    });
    expect(ledFrom(TREE, "destination")).toEqual({
      "0.0.0.0": [],
      [A]: [],
      [B]: [],
      [C]: ["deny", "ingress-1", "to-C"],
      [D]: ["deny", "ingress-1", "to-D"],
    });
  });

  it("are no part of the base, which all packets reach", () => {
    const base = ["egress", "forward", "ingress", "midstream"];
    expect([...reachedIn(TREE).reached.base].sort()).toEqual(base);
  });

  it("may depend on the other side's address too: then they count for every address of that side", () => {
    const chains = withChain("from-A", [{ destination: [C], verdict: "goto from-A-to-C" }, { verdict: "goto deny" }]);
    const found = ledFrom({ ...chains, "from-A-to-C": [{ verdict: "return" }] }, "source");
    expect(found[A]).toEqual(["deny", "egress-1", "from-A", "from-A-to-C"]);
    expect(found[B]).toEqual(["deny", "egress-1", "from-B"]);
  });

  it("end at a chain that does not exist, and where chains lead in a circle", () => {
    const chains = withChain("from-A", [{ verdict: "goto gone" }]);
    const found = ledFrom({ ...chains, "from-B": [{ source: [B], verdict: "goto egress-1" }] }, "source");
    expect(found[A]).toEqual(["egress-1", "from-A"]);
    expect(found[B]).toEqual(["egress-1", "from-B"]);
  });

  it("tell addresses apart that were alike on the level before", () => {
    const { sides, reached } = reachedIn(TREE);
    const alike = sides.atoms.filter(({ address }) => address === A || address === B);
    const groups = reached.beyondBase("source", alike);
    expect(groups.map(({ atoms }) => atoms.map(({ address }) => address))).toEqual([[A], [B]]);
  });
});

function prove(chains: HandMadeChains) {
  return proveNode(store, "node-1", handMadeRules(chains), DEFAULT_PROGRAM_OPTIONS);
}

describe("a tree of rules", () => {
  it("that does what the policies mean is proven", () => {
    expect(prove(TREE)).toMatchObject({ outcome: "equal", exhaustive: true });
  });

  it.each<[string, HandMadeChains, object]>([
    ["an empty leaf", withChain("from-B", []), { source: B }],
    [
      "a leaf with another port",
      withChain("to-D", [{ port: 444, when: isTcp, verdict: "return" }, { verdict: "goto deny" }]),
      { destination: D, destinationPort: 443 },
    ],
    [
      "a leaf that lets one address too many in",
      withChain("to-C", [{ source: [D], verdict: "return" }, ...(TREE["to-C"] ?? [])]),
      { source: D, destination: C },
    ],
    [
      "a leaf that lets in a part of a block",
      withChain("to-C", [
        { source: [A], port: 80, when: isTcp, verdict: "return" },
        { source: ["192.0.2.0/25"], verdict: "return" },
        { verdict: "goto deny" },
      ]),
      { source: "192.0.2.128", destination: C },
    ],
    [
      "leaves that changed places",
      withChain("ingress-1", [
        { destination: [D], verdict: "goto to-C" },
        { destination: [C], verdict: "goto to-D" },
      ]),
      {},
    ],
    ["a branch that lost an address", withChain("egress", [{ source: [A], verdict: "goto egress-1" }]), { source: B }],
    [
      "a branch with an address too many",
      withChain("ingress", [
        { when: isDhcpAnswer, verdict: "return" },
        { destination: [C], verdict: "goto ingress-1" },
        { verdict: "goto to-D" },
      ]),
      {},
    ],
    [
      "a last step that is missing",
      withChain("ingress-1", [{ destination: [C], verdict: "goto to-C" }]),
      { destination: D },
    ],
  ])("is told wrong by %s", (_, chains, packet) => {
    expect(prove(chains)).toMatchObject({ outcome: "different", counterexample: { packet } });
  });
});
