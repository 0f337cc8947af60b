// Options that several verbs have, each described once.

import type { OptionSpec } from "./command-spec.ts";

/** Where an agent tells of itself, and is asked, unless it is told otherwise. */
export const DEFAULT_HEALTH_ADDRESS = "127.0.0.1:10360";

/** Where manifests come from, for verbs that read nothing else. */
export const MANIFEST_OPTIONS: readonly OptionSpec[] = [
  {
    flags: "-f, --filename <path>",
    description: "manifest file or folder, - for standard input; repeatable",
    repeatable: true,
    completes: "files",
  },
  { flags: "-R, --recursive", description: "search folders given with -f recursively" },
];

/** Where the cluster comes from. */
export const INPUT_OPTIONS: readonly OptionSpec[] = [
  {
    flags: "-f, --filename <path>",
    description: "manifest file or folder, - for standard input; without it: the current kube context",
    repeatable: true,
    completes: "files",
  },
  { flags: "-R, --recursive", description: "search folders given with -f recursively" },
  { flags: "--kubeconfig <file>", description: "kubeconfig to use where there is no -f", completes: "files" },
  { flags: "--context <name>", description: "kubeconfig context to use where there is no -f" },
];

export const NODE_OPTION: OptionSpec = {
  flags: "--node <name>",
  description: "the node to look at; needed where pods are on several",
};

/** How the rules of a node are made. */
export const PROGRAM_OPTIONS: readonly OptionSpec[] = [
  {
    flags: "--pod-to-own-node <mode>",
    description: "whether egress rules of NetworkPolicies judge a pod's traffic to its own node",
    choices: ["allow", "enforce"],
    default: "allow",
  },
  {
    flags: "--service-proxy <mode>",
    description: "how services are translated on the node",
    choices: ["netfilter", "ipvs"],
    default: "netfilter",
  },
  {
    flags: "--unknown-local-pods <mode>",
    description: "what becomes of addresses in the node's pod CIDRs that no known pod has",
    choices: ["allow", "drop"],
    default: "allow",
  },
];

/** Whose rules are shown or compared; nothing is written. */
export function rulesBackendOption(fallback: string): OptionSpec {
  return {
    flags: "--backend <name>",
    description: `whose rules: nft, or iptables (with ipset); default: ${fallback}`,
    choices: ["nft", "iptables"],
  };
}

/** What writes the rules of a node. */
export const BACKEND_OPTIONS: readonly OptionSpec[] = [
  {
    flags: "--backend <name>",
    description: "what enforces: nft, iptables (with ipset), or auto: nft where it works, else iptables",
    choices: ["auto", "nft", "iptables"],
    default: "auto",
  },
  {
    flags: "--iptables-variant <name>",
    description: "which iptables; auto: the one that other software on the node uses",
    choices: ["auto", "nft", "legacy"],
    default: "auto",
  },
];

export const POD_TO_OWN_NODE_OPTION: OptionSpec = PROGRAM_OPTIONS[0] as OptionSpec;

export const FAMILY_OPTION: OptionSpec = {
  flags: "--family <family>",
  description: "only this address family",
  choices: ["IPv4", "IPv6"],
};

/** What a matrix is asked about. */
export const MATRIX_OPTIONS: readonly OptionSpec[] = [
  {
    flags: "--port <port>",
    description: "ask about this port (80/TCP, 53/UDP, ICMP, proto/47); repeatable; default: those that occur",
    repeatable: true,
  },
  {
    flags: "--ip <address>",
    description: "a plain address as one more row and column; repeatable",
    repeatable: true,
  },
  FAMILY_OPTION,
  { flags: "-n, --namespace <name>", description: "only flows from or to this namespace" },
];

export const BY_POD_OPTION: OptionSpec = {
  flags: "--by-pod",
  description: "one row for each pod: do not group by workload",
};

/** `-o`; the first format is the default. */
export function outputOption(...formats: readonly [string, ...string[]]): OptionSpec {
  return { flags: "-o, --output <format>", description: "output format", choices: formats, default: formats[0] };
}
