// A point of the grid as policies: one number varies, the others stay what they are at BASE. Owns what the numbers mean. The client is
// always in the last of the server's policies, and sends to the last of its ports: the longest way through rules that are asked in turn.

import { addressBits, addressFamily, addressValue } from "../../src/net/address.ts";
import { cidrBlock } from "../../src/net/cidr.ts";
import type { BenchBackend } from "./backend.ts";
import {
  type BenchBlock,
  type BenchNetworkPolicy,
  type BenchPolicies,
  SERVER_GROUP,
  type TierRule,
} from "./bench-cluster.ts";
import { mixedBlocks } from "./mixed-blocks.ts";
import type { Ends, Outcome, Scenario } from "./variant.ts";

export interface GridShape {
  /** About the server, each for pods of its own on the same ports. */
  readonly policies: number;
  readonly peersPerPolicy: number;
  readonly ports: number;
  /** Of the node, client and server among them; each but the client has a policy of its own. */
  readonly localPods: number;
  /** In place of the last policy's pods; 0: none. */
  readonly cidrs: number;
  readonly withExcepts: boolean;
  /** Accept and Deny in turn, each for pods of its own; the last is Pass, and the client is in it. */
  readonly adminRules: number;
  /** `own`: another one for every Admin rule; `shared`: the one that is sent to for all. */
  readonly adminPorts: "own" | "shared";
}

export const BASE: GridShape = {
  policies: 10,
  peersPerPolicy: 100,
  ports: 1,
  localPods: 10,
  cidrs: 0,
  withExcepts: false,
  adminRules: 0,
  adminPorts: "own",
};

const FIRST_PORT = 8000;
/** Of Admin rules that are not met. */
const FIRST_OTHER_PORT = 9000;
/** Crowds of Admin rules follow. */
const FIRST_ADMIN_CROWD = 1_000;
/** The client's block among the last policy's. */
const CLIENT_BLOCK_BITS = { 4: 24, 6: 112 } as const;

/** undefined: this shape of rules has no such policies. */
export function gridScenario(
  shape: GridShape,
  outcome: Outcome,
  ends: Ends,
  backend: BenchBackend,
): Scenario | undefined {
  const rules = backend.compile(gridPolicies(shape, outcome, ends), ends);
  if (rules === undefined) return undefined;
  // The union of many, where the rules are ours.
  return { rules, port: lastPort(shape), decidedBy: undefined };
}

export function gridPolicies(shape: GridShape, outcome: Outcome, ends: Ends): BenchPolicies {
  const { policies, ports, localPods, adminRules } = shape;
  const isDenied = outcome === "denied";
  const openPorts = Array.from({ length: ports }, (_, index) => FIRST_PORT + index);
  const ofServer = Array.from({ length: policies }, (_, index): BenchNetworkPolicy => {
    const hasBlocks = shape.cidrs > 0 && index === policies - 1;
    const from = hasBlocks ? blocks(shape, isDenied, ends) : index;
    return { name: `server-${index}`, subject: SERVER_GROUP, rules: [{ from, ports: openPorts }] };
  });
  const neighbours = Array.from({ length: Math.max(0, localPods - 2) }, (_, index) => `neighbour-${index}`);
  const ofNeighbours = neighbours.map(
    (group): BenchNetworkPolicy => ({ name: group, subject: group, rules: [{ from: "client", ports: [FIRST_PORT] }] }),
  );
  return {
    crowdsOfClient: [
      ...(isDenied || shape.cidrs > 0 ? [] : [policies - 1]),
      ...(adminRules > 0 ? [FIRST_ADMIN_CROWD + adminRules - 1] : []),
    ],
    podsOfCrowd: shape.peersPerPolicy,
    protocol: outcome === "connected" ? "tcp" : "udp",
    networkPolicies: [...ofServer, ...ofNeighbours],
    neighbours,
    adminRules: Array.from({ length: adminRules }, (_, index) => adminRule(shape, index)),
  };
}

function lastPort({ ports }: GridShape): number {
  return FIRST_PORT + ports - 1;
}

function adminRule(shape: GridShape, index: number): TierRule {
  const isLast = index === shape.adminRules - 1;
  return {
    action: isLast ? "Pass" : index % 2 === 0 ? "Accept" : "Deny",
    crowd: FIRST_ADMIN_CROWD + index,
    port: isLast || shape.adminPorts === "shared" ? lastPort(shape) : FIRST_OTHER_PORT + index,
  };
}

/** The client's own block is the last; where it is to be denied, that block leaves it out, or is another one. */
function blocks({ cidrs, withExcepts }: GridShape, isDenied: boolean, { client }: Ends): BenchBlock[] {
  const family = addressFamily(client);
  if (isDenied && !withExcepts) return mixedBlocks(cidrs, family, false);
  const host = `${client}/${addressBits(family)}`;
  const own = cidrBlock(family, addressValue(client), CLIENT_BLOCK_BITS[family]).text;
  return [...mixedBlocks(cidrs - 1, family, withExcepts), { cidr: own, excepts: isDenied ? [host] : [] }];
}
