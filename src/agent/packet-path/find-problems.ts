// Whether the packets of this node's pods cross our rules: facts in, problems out. Pure. Owns what is wrong, in sentences
// that are true of this node; where a pod hangs is places.ts's, reading the facts reader.ts's.

import { type Address, addressFamily, FAMILIES, type Family } from "../../net/address.ts";
import type { Link } from "../../netlink/links.ts";
import type { Route } from "../../netlink/routes.ts";
import { bypassProblems } from "./bypasses.ts";
import { NodeLinks, type PlacedPod, podsByLink } from "./places.ts";
import { type PathProblem, podList } from "./problem.ts";
import { BRIDGE_CALLS, FORWARDING, type SysctlPath, sysctlName } from "./sysctls.ts";

export interface PodPath {
  readonly address: Address;
  readonly route: Route;
  /** For how long the route has been the same. */
  readonly settledMs: number;
}

export interface PathSwitches {
  /** Whether bridged packets cross the rules; undefined: br_netfilter is not loaded. */
  readonly bridgeCalls: Readonly<Record<Family, boolean | undefined>>;
  /** Indexes of bridges that have them cross by a switch of their own. */
  readonly callingBridges: Readonly<Record<Family, ReadonlySet<number>>>;
  readonly forwarding: Readonly<Record<Family, boolean>>;
  /** Indexes of interfaces that forward by a switch of their own. Read only where forwarding is off. */
  readonly forwardingLinks: Readonly<Record<Family, ReadonlySet<number>>>;
  /** The node would lose its IPv6 routes, which are advertised to it, if it forwarded. */
  readonly forwardingCostsRoutes: boolean;
}

export interface PathFacts {
  readonly links: readonly Link[];
  readonly pods: readonly PodPath[];
  /** Index of the interface to everywhere else; undefined: there is none. */
  readonly uplinks: Readonly<Record<Family, number | undefined>>;
  readonly switches: PathSwitches;
  /** Whether our rules judge what IPVS sends out (`--service-proxy=ipvs`). */
  readonly judgesIpvs: boolean;
  /** Packets from local pod to local pod were lately seen to cross the kernel's hooks. */
  readonly podsSeenCrossing: boolean;
}

/** A pod whose interface is just being made or taken away has no route of its own either. */
const SETTLED_MS = 60_000;

/** Where each pod hangs; without those of which that cannot be said, or not yet. */
export function placePods(facts: PathFacts): readonly PlacedPod[] {
  const links = new NodeLinks(facts.links);
  return facts.pods.flatMap(({ address, route, settledMs }) => {
    const place = links.placeOf(route, facts.uplinks[addressFamily(address)]);
    if (place === undefined) return [];
    const isUnusual = place.kind === "outside" || place.kind === "own" || place.kind === "unrouted";
    return isUnusual && settledMs < SETTLED_MS ? [] : [{ address, place }];
  });
}

/** Empty: as far as can be read, all is well. Cost: links and pods. */
export function findPathProblems(facts: PathFacts): readonly PathProblem[] {
  const pods = placePods(facts);
  return [
    ...bridgeProblems(pods, facts.switches),
    ...forwardingProblems(pods, facts.switches),
    ...bypassProblems(pods, facts),
  ];
}

function bridgeProblems(pods: readonly PlacedPod[], switches: PathSwitches): readonly PathProblem[] {
  const bridged = pods.filter(({ place }) => place.kind === "bridged");
  return podsByLink(bridged).flatMap(({ link, addresses }) => {
    const bypass = (which: readonly Address[]) =>
      `packets from pod to pod on the bridge ${link.name} do not cross the rules (${podList(which)})`;
    return FAMILIES.flatMap((family): PathProblem[] => {
      const concerned = addresses.filter((address) => addressFamily(address) === family);
      if (concerned.length === 0) return [];
      const path = BRIDGE_CALLS[family];
      const known = { family, interfaceName: link.name, pods: concerned };
      if (switches.bridgeCalls[family] === undefined) {
        const message = `the kernel module br_netfilter is not loaded: IPv${family} ${bypass(concerned)}`;
        const hint = `load it on the node (modprobe br_netfilter, and a line in /etc/modules-load.d) with ${sysctlName(path)} = 1`;
        return [{ ...known, code: "br-netfilter-missing", message, hint, fix: undefined }];
      }
      if (switches.bridgeCalls[family] || switches.callingBridges[family].has(link.index)) return [];
      const message = `${sysctlName(path)} is 0: IPv${family} ${bypass(concerned)}`;
      return [{ ...known, code: "bridge-calls-off", message, hint: setHint(path), fix: { path, value: "1" } }];
    });
  });
}

/** Nothing passes that should not; but the pods' network does not work, and it looks as if policies denied everything. */
function forwardingProblems(pods: readonly PlacedPod[], switches: PathSwitches): readonly PathProblem[] {
  return FAMILIES.filter((family) => !switches.forwarding[family]).flatMap((family): PathProblem[] => {
    const concerned = pods.flatMap(({ address, place }) => {
      if (place.kind !== "routed" && place.kind !== "bridged") return [];
      if (addressFamily(address) !== family || switches.forwardingLinks[family].has(place.link.index)) return [];
      return [address];
    });
    if (concerned.length === 0) return [];
    const path = FORWARDING[family];
    const isRisky = family === 6 && switches.forwardingCostsRoutes;
    return [
      {
        code: "forwarding-off",
        family,
        interfaceName: undefined,
        pods: concerned,
        message: `${sysctlName(path)} is 0: this node routes no IPv${family} packets from or to ${podList(concerned)}`,
        hint: isRisky
          ? `set accept_ra = 2 on the uplink first, or the node loses the routes that are advertised to it, then ${sysctlName(path)} = 1`
          : setHint(path),
        fix: isRisky ? undefined : { path, value: "1" },
      },
    ];
  });
}

function setHint(path: SysctlPath): string {
  return `set it on the node (sysctl -w ${sysctlName(path)}=1, and a line in /etc/sysctl.d), or run the agent with --manage-sysctls`;
}
