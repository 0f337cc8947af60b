// The words for who sends and who receives: a pod, a workload, an address, a node. Text -> addresses, or why not.

import { closestWord } from "../dialects/closest-word.ts";
import { type Pod, type PodKey, podKey } from "../model/cluster.ts";
import { type Address, addressFamily, type Family, parseAddress } from "../net/address.ts";
import type { ClusterView } from "../state/view.ts";

export const ENDPOINT_FORMS = "namespace/pod, namespace/workload, an IP address, or node/NAME";

export interface Endpoint {
  /** `namespace/pod`, an address, or `node/NAME`. */
  readonly name: string;
  readonly kind: "pod" | "address" | "node";
  /** A node's come in the order in which the node lists them: the first of a family speaks for it. */
  readonly addresses: readonly Address[];
}

export interface EndpointFailure {
  readonly message: string;
  readonly hint?: string;
}

export type EndpointResult = { readonly endpoints: readonly Endpoint[]; readonly workload: boolean } | EndpointFailure;

const NODE_PREFIX = "node/";

/** What the word stands for. A workload gives each of its pods; everything else gives one endpoint. */
export function resolveEndpoint(view: ClusterView, word: string, defaultNamespace?: string): EndpointResult {
  const address = parseAddress(word);
  if (address !== undefined) {
    return one({ name: address.address, kind: "address", addresses: [address.address] });
  }
  if (word.startsWith(NODE_PREFIX)) return resolveNode(view, word.slice(NODE_PREFIX.length));
  const parts = word.split("/");
  if (parts.length === 1 && defaultNamespace !== undefined) return resolvePod(view, defaultNamespace, word);
  const [namespace, name] = parts;
  if (parts.length !== 2 || !namespace || !name) {
    return { message: `${JSON.stringify(word)} is no endpoint`, hint: `write ${ENDPOINT_FORMS}` };
  }
  return resolvePod(view, namespace, name);
}

function one(endpoint: Endpoint): EndpointResult {
  return { endpoints: [endpoint], workload: false };
}

function resolveNode(view: ClusterView, name: string): EndpointResult {
  const addresses = view.nodeAddresses(name);
  if (addresses.length > 0) return one({ name: `${NODE_PREFIX}${name}`, kind: "node", addresses });
  const names = new Set([...view.nodes()].map((node) => node.name));
  for (const pod of view.pods()) if (pod.nodeName !== undefined) names.add(pod.nodeName);
  if (names.has(name)) {
    return { message: `node ${name} has no known address`, hint: "a Node object with status.addresses gives it one" };
  }
  return { message: `there is no node ${JSON.stringify(name)}`, ...suggestion(name, [...names], NODE_PREFIX) };
}

function resolvePod(view: ClusterView, namespace: string, name: string): EndpointResult {
  const pod = view.pod(podKey(namespace, name));
  if (pod !== undefined) {
    const endpoint = podEndpoint(view, pod);
    return "message" in endpoint ? endpoint : one(endpoint);
  }
  const known = [...view.pods()].filter((each) => each.namespace === namespace);
  const members = known.filter((each) => workloadName(each) === name);
  const results = members.map((each) => podEndpoint(view, each));
  const usable = results.filter((each) => "addresses" in each);
  if (usable.length > 0) {
    return { endpoints: usable.sort((a, b) => (a.name < b.name ? -1 : 1)), workload: true };
  }
  const failure = results.find((each) => "message" in each);
  if (failure !== undefined) return failure;
  if (known.length === 0) {
    const namespaces = [...view.namespaceNames()];
    const closest = closestWord(namespace, namespaces);
    return {
      message: `there are no pods in namespace ${JSON.stringify(namespace)}`,
      ...(closest === undefined ? {} : { hint: `did you mean ${closest}/${name}?` }),
    };
  }
  const names = [...known.map((each) => each.name), ...known.map(workloadName)];
  return { message: `there is no pod or workload ${namespace}/${name}`, ...suggestion(name, names, `${namespace}/`) };
}

function suggestion(word: string, names: readonly string[], prefix: string): { readonly hint?: string } {
  const unique = [...new Set(names)].sort();
  const closest = closestWord(word, unique);
  if (closest !== undefined) return { hint: `did you mean ${prefix}${closest}?` };
  if (unique.length === 0 || unique.length > 8) return {};
  return { hint: `there are: ${unique.map((name) => `${prefix}${name}`).join(", ")}` };
}

/** `Deployment/web` -> `web`. */
export function workloadName(pod: Pod): string {
  return pod.workload.slice(pod.workload.indexOf("/") + 1);
}

/** A pod by its addresses: its own, or its node's if it is on the host network. */
function podEndpoint(view: ClusterView, pod: Pod): Endpoint | EndpointFailure {
  const endpoint = (addresses: readonly Address[]): Endpoint => ({ name: pod.key, kind: "pod", addresses });
  const selectable = view.selectablePod(pod.key);
  if (selectable !== undefined) return endpoint(selectable.addresses);
  if (pod.finished) {
    return {
      message: `pod ${pod.key} has finished: it sends and receives nothing`,
      hint: "its address may belong to another pod by now; ask about the address itself",
    };
  }
  if (pod.hostNetwork) {
    const host = pod.nodeName === undefined ? [] : view.nodeAddresses(pod.nodeName);
    const addresses = pod.addresses.length > 0 ? pod.addresses : host;
    if (addresses.length > 0) return endpoint(addresses);
    return { message: `pod ${pod.key} is on the host network of a node without a known address` };
  }
  const taken = pod.addresses.length > 0;
  return { message: taken ? `all addresses of pod ${pod.key} belong to a newer pod` : `pod ${pod.key} has no address` };
}

/** Pods that policies can select, as endpoints by key; of one namespace, or of all. */
export function selectableEndpoints(view: ClusterView, namespace?: string): Endpoint[] {
  const pods = namespace === undefined ? view.selectablePods() : view.selectablePodsOf(namespace);
  return [...pods]
    .map((pod): Endpoint => ({ name: pod.key, kind: "pod", addresses: pod.addresses }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The address that speaks for the endpoint in a family. */
export function addressOf(endpoint: Endpoint, family: Family): Address | undefined {
  return endpoint.addresses.find((address) => addressFamily(address) === family);
}

/** Whether both are the same pod. A pod on the host network shares its address with its node and is not that. */
export function isSamePod(a: Endpoint, b: Endpoint): boolean {
  return a.kind === "pod" && b.kind === "pod" && a.name === b.name;
}

export function podKeyOf(endpoint: Endpoint): PodKey | undefined {
  return endpoint.kind === "pod" ? (endpoint.name as PodKey) : undefined;
}
