// A decoded object as an event of the cluster's state, without a reflector.

import type { decodeObject } from "../../src/dialects/registry.ts";
import type { ClusterEvent } from "../../src/state/change.ts";

/** Throws for what is no object of a benchmark's cluster. */
export function clusterEvent(decoded: ReturnType<typeof decodeObject>, isRemoval: boolean): ClusterEvent {
  if (decoded.type === "pod" && decoded.object !== undefined)
    return { kind: "pod", key: decoded.object.key, pod: isRemoval ? undefined : decoded.object };
  if (decoded.type === "namespace" && decoded.object !== undefined)
    return { kind: "namespace", name: decoded.object.name, namespace: isRemoval ? undefined : decoded.object };
  if (decoded.type === "node" && decoded.object !== undefined)
    return { kind: "node", name: decoded.object.name, node: isRemoval ? undefined : decoded.object };
  if (decoded.type === "policy" && decoded.object !== undefined)
    return { kind: "policy", key: decoded.object.key, policy: isRemoval ? undefined : decoded.object };
  throw new Error(`an object of type ${decoded.type} cannot be read`);
}
