// A lab of named pods on named nodes, for tests of single packets: where everything is, other policies, and flows that are expected to
// arrive or not. Owns the names; packets are sent and judged by lab-verdicts.ts.

import { openProbeLine, type RawProbeLine } from "../../src/lab/raw-probe-line.ts";
import type { Topology } from "../../src/lab/topology.ts";
import type { PodKey, PortProtocol } from "../../src/model/cluster.ts";
import { ICMP, ICMPV6, PROTOCOL_NUMBER } from "../../src/model/flow.ts";
import { FAMILIES, type Family } from "../../src/net/address.ts";
import type { ProgramOptions } from "../../src/program/program.ts";
import { type Addresses, manifestText, nodeAddresses, nodeObject, podAddresses, podObject } from "./lab-manifests.ts";
import { arriveBefore, type ExpectedProbe, wrongVerdicts } from "./lab-verdicts.ts";
import { type TestLab, withTestLab } from "./packet-lab.ts";

export interface SceneText {
  /** Name of each pod, with the name of its node. */
  readonly pods: Readonly<Record<string, string>>;
  readonly topology: Topology;
  readonly program?: Partial<ProgramOptions>;
}

/** A pod, a node or the outside. */
export interface Place {
  readonly name: string;
  readonly ns: string;
  readonly addresses: Addresses;
}

/** One packet of each family. */
export interface SceneFlow {
  readonly from: Place;
  readonly to: Place;
  /** What the sender dials, if that is translated to the destination on the way. */
  readonly dials?: Addresses;
  readonly protocol?: PortProtocol | "ICMP";
  readonly families?: readonly Family[];
  readonly allowed: boolean;
}

/** Outside of the cluster. */
export const OUTSIDE: Addresses = { 4: "198.51.100.7", 6: "2001:db8:7::7" } as Addresses;
const PORT = 8080;

export class Scene {
  readonly lab: TestLab["lab"];
  readonly outside: Place;
  readonly #test: TestLab;
  readonly #objects: readonly unknown[];
  readonly #places: ReadonlyMap<string, Place>;
  readonly #line: RawProbeLine;

  constructor(test: TestLab, objects: readonly unknown[], places: readonly Place[], line: RawProbeLine) {
    this.lab = test.lab;
    this.#test = test;
    this.#objects = objects;
    this.#places = new Map(places.map((place) => [place.name, place]));
    this.#line = line;
    this.outside = { name: "outside", ns: test.lab.network.outside, addresses: OUTSIDE };
  }

  /** A pod or a node. */
  at(name: string): Place {
    const place = this.#places.get(name);
    if (place === undefined) throw new Error(`nobody is called ${name} here`);
    return place;
  }

  /** Resolves when the rules of exactly these policies are in force. */
  async enforce(...policies: readonly unknown[]): Promise<void> {
    await this.#test.replace({ yaml: manifestText([...this.#objects, ...policies]) });
  }

  /** What does not arrive, or does, against expectation; in sentences. */
  async wrong(flows: readonly SceneFlow[]): Promise<string[]> {
    return await wrongVerdicts(this.#line, flows.flatMap(probesOf));
  }

  /** The same of a cluster without policies, where all of these packets must arrive: only then do the expectations mean something. */
  async wrongWithoutPolicies(flows: readonly SceneFlow[]): Promise<string[]> {
    await this.enforce();
    return await this.wrong(flows.map((flow) => ({ ...flow, allowed: true })));
  }

  /** Which of these packets have arrived when `control`, which has to get through and comes after them, has. */
  async arriving(flows: readonly SceneFlow[], control: () => Promise<void>): Promise<string[]> {
    return await arriveBefore(this.#line, flows.flatMap(probesOf), control);
  }
}

/** Calls `body` with a lab of these pods, dual-stack, without policies; nothing of it remains. */
export async function withScene(text: SceneText, body: (scene: Scene) => Promise<void>): Promise<void> {
  const nodeNames = [...new Set(Object.values(text.pods))].sort();
  const nodes = nodeNames.map((name, index) => ({ name, addresses: nodeAddresses(index + 11) }));
  const pods = Object.keys(text.pods).map((name, index) => ({ name, addresses: podAddresses(index + 11) }));
  const objects = [
    ...nodes.map(({ name, addresses }) => nodeObject(name, addresses)),
    ...pods.map(({ name, addresses }) => podObject(name, text.pods[name] as string, addresses)),
  ];
  const { topology, program = {} } = text;
  const addresses = FAMILIES.map((family) => OUTSIDE[family]);
  await withTestLab({ yaml: manifestText(objects) }, { topology, program, addresses }, async (test) => {
    const { network } = test.lab;
    const places = [
      ...nodes.map((node) => ({ ...node, ns: network.node(node.name) })),
      ...pods.map((pod) => ({ ...pod, ns: network.pod(`default/${pod.name}` as PodKey) })),
    ];
    const line = await openProbeLine(network);
    try {
      await body(new Scene(test, objects, places, line));
    } finally {
      line.close();
    }
  });
}

function probesOf({ from, to, dials, protocol = "UDP", families = FAMILIES, allowed }: SceneFlow): ExpectedProbe[] {
  return families.map((family) => ({
    name: `${from.name} -> ${to.name}${dials === undefined ? "" : " through its service"}, ${protocol} IPv${family}`,
    probe: {
      from: { ns: from.ns, address: from.addresses[family] },
      to: { ns: to.ns, address: (dials ?? to.addresses)[family] },
      protocol: protocol === "ICMP" ? (family === 4 ? ICMP : ICMPV6) : PROTOCOL_NUMBER[protocol],
      port: protocol === "ICMP" ? undefined : PORT,
    },
    allowed,
  }));
}
