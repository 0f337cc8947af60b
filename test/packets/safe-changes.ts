// Changes of the shop, endless and random from a seed, of which every one by itself, whatever came before, leaves friends
// allowed and strangers denied: policies, labels, pods, namespaces. Owns that promise.

import type { ApiObject, ObjectStore } from "../api-server/object-store.ts";
import { type TierRule, tierPods, tierRule } from "../support/lab-manifests.ts";
import type { PacketNetwork } from "../support/packet-network.ts";
import {
  deletePod,
  deletePolicy,
  deleteTierPolicy,
  installClusterPolicies,
  labelSelector,
  OTHER_NODE,
  onlyWith,
  putNamespace,
  putPod,
  putPolicy,
  putTierPolicy,
} from "./cluster.ts";
import { hostsOf, PORTS, putShop, putShopPod } from "./shop.ts";

/** More pods than a set is declared for at first: it has to grow, which replaces it. */
const CROWD = 80;

export class SafeChanges {
  readonly #store: ObjectStore;
  readonly #network: PacketNetwork;
  readonly #random: () => number;
  #webPolicies = 2;
  #crowd = 0;
  #crowdGrows = true;
  #count = 0;

  constructor(store: ObjectStore, network: PacketNetwork, random: () => number) {
    this.#store = store;
    this.#network = network;
    this.#random = random;
  }

  /** The cluster before the first change. */
  putFirstState(): void {
    installClusterPolicies(this.#store);
    putShop(this.#store, this.#network);
    for (const name of ["web-1", "web-2"]) putPolicy(this.#store, name, this.#webPolicy());
    const byVersion = { ...onlyWith("web", [{ podSelector: labelSelector({ app: "friend" }) }]) };
    putPolicy(this.#store, "web-of-version", {
      ...byVersion,
      podSelector: labelSelector({ app: "web", version: "1" }),
    });
    const fromOther = { namespaceSelector: labelSelector({ stage: "1" }), podSelector: labelSelector({ app: "pal" }) };
    putPolicy(this.#store, "web-and-pals", onlyWith("web", [fromOther]));
    putPolicy(this.#store, "meter", onlyWith("meter", [{ podSelector: labelSelector({ app: "tick" }) }]));
    putPod(this.#store, { name: "meter", labels: { app: "meter" }, nodeName: "node-1", addresses: ["10.244.1.250"] });
  }

  /**
   * Makes the next change, and with it one that certainly changes the rules, so that it shows in the agent's log. Returns
   * what was changed.
   */
  makeNext(): string {
    this.#count++;
    const kind = KINDS[Math.floor(this.#random() * KINDS.length)] as (typeof KINDS)[number];
    this[kind]();
    const address = `10.250.${this.#count >> 8}.${this.#count & 255}`;
    putPod(this.#store, { name: "tick", labels: { app: "tick" }, nodeName: OTHER_NODE, addresses: [address] });
    return `change ${this.#count}: ${kind}`;
  }

  editPolicy(): void {
    const name = this.#webPolicies === 2 ? this.#oneOf(["web-1", "web-2"]) : "web-1";
    putPolicy(this.#store, name, this.#webPolicy());
  }

  addOrRemovePolicy(): void {
    if (this.#webPolicies === 2) deletePolicy(this.#store, "web-2");
    else putPolicy(this.#store, "web-2", this.#webPolicy());
    this.#webPolicies = this.#webPolicies === 2 ? 1 : 2;
  }

  /** Friends and strangers get and lose classes of their own, which allow the web both ways. */
  isolatePeer(): void {
    const app = this.#oneOf(["friend", "stranger"]);
    if (this.#random() < 0.5)
      putPolicy(this.#store, app, onlyWith(app, [{ podSelector: labelSelector({ app: "web" }) }]));
    else deletePolicy(this.#store, app);
  }

  /** Before the policies of the web: what it says is final, or passed on to them. Perhaps of the node, too: the input hook comes and goes. */
  editOrRemoveAdmin(): void {
    const name = this.#oneOf(["guard", "guard-2"]);
    if (this.#random() < 0.3) deleteTierPolicy(this.#store, name);
    else putTierPolicy(this.#store, name, "Admin", this.#oneOf([1, 5]), ["web"], this.#oneOf(ADMIN_RULES));
  }

  /** Asked of friends and strangers while no policy of theirs isolates them. */
  editOrRemoveBaseline(): void {
    if (this.#random() < 0.3) deleteTierPolicy(this.#store, "default");
    else putTierPolicy(this.#store, "default", "Baseline", 1, ["friend", "stranger"], this.#oneOf(BASELINE_RULES));
  }

  relabelWeb(): void {
    this.#relabel("web", { version: this.#oneOf(["0", "1"]) });
  }

  relabelFriend(): void {
    this.#relabel("friend", { tier: this.#oneOf(["a", "b", "c"]) });
  }

  relabelStranger(): void {
    this.#relabel("stranger", { tier: this.#oneOf(["a", "b", "c"]) });
  }

  relabelNamespace(): void {
    const [name, labels] = this.#oneOf([
      ["shop", { team: "shop" }],
      ["other", { team: "other" }],
    ] as const);
    putNamespace(this.#store, name, { ...labels, stage: this.#oneOf(["0", "1"]) });
  }

  /** Friends come until they are too many for the sets, then they go. */
  growOrShrinkCrowd(): void {
    for (let i = 0; i < 10; i++) {
      if (this.#crowdGrows) this.#putOneOfCrowd(this.#crowd++);
      else deletePod(this.#store, `friend-${--this.#crowd}`);
    }
    if (this.#crowd === 0 || this.#crowd === CROWD) this.#crowdGrows = !this.#crowdGrows;
  }

  addOrRemoveLocalPod(): void {
    const index = Math.floor(this.#random() * 8);
    if (this.#random() < 0.5) deletePod(this.#store, `web-${index}`);
    else {
      const addresses = [`10.244.1.${index + 90}`, `fd00:10:244:1::${index + 90}`];
      putPod(this.#store, { name: `web-${index}`, labels: { app: "web" }, nodeName: "node-1", addresses });
    }
  }

  addOrRemovePal(): void {
    if (this.#random() < 0.5) deletePod(this.#store, "pal", "other");
    else {
      const addresses = ["10.244.2.200", "fd00:10:244:2::200"];
      putPod(this.#store, { namespace: "other", name: "pal", labels: { app: "pal" }, nodeName: OTHER_NODE, addresses });
    }
  }

  #putOneOfCrowd(index: number): void {
    const addresses = [`10.244.3.${index + 1}`, `fd00:10:244:3::${(index + 1).toString(16)}`];
    const labels = { app: "friend", tier: this.#oneOf(["a", "b"]) };
    putPod(this.#store, { name: `friend-${index}`, labels, nodeName: OTHER_NODE, addresses });
  }

  #relabel(app: "web" | "friend" | "stranger", labels: Readonly<Record<string, string>>): void {
    putShopPod(this.#store, this.#network, this.#oneOf(hostsOf(app)), labels);
  }

  /** For the web, in one of many ways to say friends, and to say the ports. */
  #webPolicy(): ApiObject {
    const ports = this.#oneOf(PORT_LISTS);
    return {
      podSelector: labelSelector({ app: "web" }),
      policyTypes: ["Ingress", "Egress"],
      ingress: [{ from: this.#friends(), ...ports }],
      egress: [{ to: this.#friends(), ...ports }],
    };
  }

  #friends(): readonly ApiObject[] {
    const inTiers = (operator: string) => ({
      podSelector: {
        matchLabels: { app: "friend" },
        matchExpressions: [{ key: "tier", operator, values: ["a", "x"] }],
      },
    });
    const addresses = (names: readonly string[]) =>
      names.flatMap((name) => {
        const host = this.#network.host(name).addresses;
        return [`${host[4]}/32`, `${host[6]}/128`];
      });
    const family = (cidrs: readonly string[], isIpv6: boolean) => cidrs.filter((cidr) => cidr.includes(":") === isIpv6);
    const strangers = addresses(hostsOf("stranger"));
    return this.#oneOf<() => readonly ApiObject[]>([
      () => [{ podSelector: labelSelector({ app: "friend" }) }],
      () => [
        {
          namespaceSelector: labelSelector({ team: "shop" }),
          podSelector: { matchExpressions: [{ key: "app", operator: "In", values: ["friend", "pal"] }] },
        },
      ],
      () => addresses(hostsOf("friend")).map((cidr) => ({ ipBlock: { cidr } })),
      () => [
        { ipBlock: { cidr: "10.244.0.0/16", except: family(strangers, false) } },
        { ipBlock: { cidr: "fd00:10:244::/48", except: family(strangers, true) } },
      ],
      () => [{ podSelector: { matchExpressions: [{ key: "app", operator: "NotIn", values: ["stranger", "web"] }] } }],
      // A friend that changes its tier changes from one peer to the other.
      () => [inTiers("In"), inTiers("NotIn")],
      // Enough selectors for a set of their union.
      () => [
        inTiers("In"),
        inTiers("NotIn"),
        ...["pal", "crowd", "x", "y"].map((app) => ({ podSelector: labelSelector({ app }) })),
      ],
    ])();
  }

  #oneOf<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#random() * choices.length)] as T;
  }
}

const KINDS = [
  "editPolicy",
  "editPolicy",
  "addOrRemovePolicy",
  "isolatePeer",
  "editOrRemoveAdmin",
  "editOrRemoveAdmin",
  "editOrRemoveBaseline",
  "relabelWeb",
  "relabelFriend",
  "relabelFriend",
  "relabelStranger",
  "relabelNamespace",
  "growOrShrinkCrowd",
  "addOrRemoveLocalPod",
  "addOrRemovePal",
] as const;

const FRIENDS = [tierPods("friend")];
const STRANGERS = [tierPods("stranger")];
const EVERYBODY = [{ namespaces: {} }];
const tierPorts = (first: number, end: number) =>
  ["tcp", "udp"].map((protocol) => ({ [protocol]: { destinationPort: { range: { start: first, end } } } }));

/** Each keeps strangers from the web, and leaves friends to it or to its policies. */
const ADMIN_RULES: readonly (readonly TierRule[])[] = [
  [tierRule("Deny", STRANGERS)],
  [tierRule("Deny", [...STRANGERS, { nodes: {} }])],
  [tierRule("Accept", FRIENDS), tierRule("Deny", EVERYBODY)],
  [tierRule("Pass", FRIENDS), tierRule("Deny", EVERYBODY)],
  [tierRule("Pass", EVERYBODY)],
  // Enough groups of ports for a look-up by port, and rules behind it.
  [
    ...[7000, 7200, 7400, 7600].map((first) => tierRule("Accept", FRIENDS, tierPorts(first, first + 99))),
    tierRule("Accept", FRIENDS, tierPorts(1, 1023)),
    tierRule("Deny", STRANGERS, tierPorts(7000, 7999)),
    tierRule("Pass", FRIENDS),
  ],
];
const BASELINE_RULES: readonly (readonly TierRule[])[] = [
  [tierRule("Accept", [tierPods("web")]), tierRule("Deny", EVERYBODY)],
  [tierRule("Pass", EVERYBODY)],
  [tierRule("Deny", [tierPods("nobody")])],
];

const BOTH = ["UDP", "TCP"];
const PORT_LISTS: readonly ApiObject[] = [
  {},
  { ports: BOTH.map((protocol) => ({ protocol })) },
  { ports: BOTH.map((protocol) => ({ protocol, port: PORTS.first, endPort: PORTS.last })) },
  {
    ports: BOTH.flatMap((protocol) => [
      { protocol, port: 80 },
      { protocol, port: PORTS.first, endPort: 7019 },
      { protocol, port: 7020, endPort: PORTS.last },
      { protocol, port: 9000 },
    ]),
  },
];

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
