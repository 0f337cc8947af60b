// The networks that a lab can build, after the CNIs that people run (docs/cni.md). Owns their names and what each means.

/**
 * `routed`: a veth pair and a route for each pod, next hop link-local. `bridged`: the pods of a node on one bridge, routes between
 * nodes. `vxlan`: the same, but nodes reach each other's pods through a VXLAN tunnel.
 */
export const TOPOLOGIES = ["routed", "bridged", "vxlan"] as const;

export type Topology = (typeof TOPOLOGIES)[number];
