// The verbs of nftpol. Parser, help, completion and docs are all made from this table.

import { TOPOLOGIES } from "../lab/topology.ts";
import type { CommandSpec } from "./command-spec.ts";
import {
  BACKEND_OPTIONS,
  BY_POD_OPTION,
  DEFAULT_HEALTH_ADDRESS,
  FAMILY_OPTION,
  INPUT_OPTIONS,
  MANIFEST_OPTIONS,
  MATRIX_OPTIONS,
  NODE_OPTION,
  outputOption,
  POD_TO_OWN_NODE_OPTION,
  PROGRAM_OPTIONS,
  rulesBackendOption,
} from "./shared-options.ts";

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: "render",
    summary: "the exact ruleset of a node, ready for nft -f -, or for iptables and ipset",
    description:
      "Prints what nftpol would load on the node: a dry run. Nothing is changed.\n-o nft: for nft -f -.\n-o iptables: a shell script with the input of ipset and of both families' iptables-restore, for nodes without nft; it may be run again, and over older rules.\n-o json: libnftables JSON, or sets and chains of iptables as data.",
    arguments: [],
    options: [
      ...INPUT_OPTIONS,
      { flags: "--node <name>", description: "the node to render, or all; needed where pods are on several" },
      {
        flags: "--output-dir <dir>",
        description: "write <node>.nft, .sh (iptables) or .json files there",
        completes: "files",
      },
      rulesBackendOption("nft, or what -o says"),
      {
        flags: "-o, --output <format>",
        description: "output format; default: the backend's own",
        choices: ["nft", "json", "iptables"],
      },
      { flags: "--json-typeof", description: "with -o json of nft: declare sets by typeof (nft 1.1.3 and newer)" },
      ...PROGRAM_OPTIONS,
    ],
    examples: [
      { command: "nftpol render -f shop/", does: "the table of the only node" },
      { command: "helm template shop | nftpol render -f - | nft -c -f -", does: "check what a chart would load" },
      { command: "nftpol render -f cluster/ -R --node all --output-dir out/", does: "one file for each node" },
      { command: "nftpol render -f shop/ -o iptables | ssh worker-1 sudo sh", does: "a node without nft" },
    ],
  },
  {
    name: "matrix",
    summary: "who reaches whom, and on which ports",
    description: "Pods of one workload are shown as one where they have the same verdicts.",
    arguments: [],
    options: [
      ...INPUT_OPTIONS,
      ...MATRIX_OPTIONS,
      outputOption("table", "wide", "json", "csv", "md", "mermaid", "dot", "html"),
      BY_POD_OPTION,
      POD_TO_OWN_NODE_OPTION,
    ],
    examples: [
      { command: "nftpol matrix -f shop/", does: "a table of all workloads" },
      { command: "helm template shop | nftpol matrix -f - -o md", does: "for a review" },
      {
        command: "nftpol matrix -f shop/ --port 5432/TCP --ip 203.0.113.7",
        does: "one port, and an address on the internet",
      },
    ],
  },
  {
    name: "explain",
    summary: "why a flow is allowed or denied: policy, rule, line, and the rules of the node it meets",
    description:
      "FROM and TO: namespace/pod, a pod (see -n), namespace/workload, an IP address, or node/NAME.\nPORT: 80/TCP, 80 (TCP), 53/UDP, 9/SCTP, ICMP, proto/47.",
    arguments: [
      { name: "FROM", description: "who sends" },
      { name: "TO", description: "who receives" },
      { name: "PORT", description: "destination port and protocol" },
    ],
    options: [
      ...INPUT_OPTIONS,
      { flags: "-n, --namespace <name>", description: "namespace of names without one", default: "default" },
      FAMILY_OPTION,
      outputOption("text", "wide", "json"),
      rulesBackendOption("nft"),
      ...PROGRAM_OPTIONS,
    ],
    examples: [
      { command: "nftpol explain shop/frontend shop/api 8080/TCP -f shop/", does: "by workload" },
      { command: "nftpol explain -n shop api-0 203.0.113.7 443 -f shop/", does: "a pod to the internet" },
      { command: "nftpol explain node/worker-1 shop/db 5432/TCP -f shop/ -o json", does: "for a script" },
    ],
  },
  {
    name: "test",
    summary: "compare policies with expectation files (*.expect.yaml, expected.json)",
    description: "Folders are searched recursively. The last line of the output says how many folders and rows agree.",
    arguments: [
      { name: "PATH", description: "folder, *.expect.yaml or expected.json", variadic: true, completes: "files" },
    ],
    options: [outputOption("text", "json", "junit"), POD_TO_OWN_NODE_OPTION],
    examples: [
      { command: "nftpol test policies/", does: "every expectation below the folder" },
      { command: "nftpol test policies/shop/shop.expect.yaml", does: "one file" },
      { command: "nftpol test policies/ -o junit > report.xml", does: "for a CI server" },
    ],
  },
  {
    name: "prove",
    summary: "prove that the rules of a node mean exactly what the policies say",
    description: "Compares both sides over all classes of packets; prints a counterexample where they differ.",
    arguments: [],
    options: [
      ...INPUT_OPTIONS,
      { flags: "--node <name>", description: "only this node; default: every node" },
      { flags: "--live", description: "compare the rules in the kernel (of the current network namespace)" },
      rulesBackendOption("nft, with --live what is there"),
      {
        flags: "--iptables-variant <name>",
        description: "with --live: which iptables, where both hold rules of nftpol",
        choices: ["nft", "legacy"],
      },
      {
        flags: "--max-packets <number>",
        description: "stop after so many packet classes, and say so; default: no bound",
      },
      outputOption("text", "json"),
      ...PROGRAM_OPTIONS,
    ],
    examples: [
      { command: "nftpol prove -f shop/", does: "every node, with the rules as rendered" },
      { command: "nftpol prove -f shop/ --node worker-1 --live", does: "the rules in this kernel (needs root)" },
    ],
  },
  {
    name: "graph",
    summary: "the rule graph: policies, selections, classes, address sets, and who uses what",
    arguments: [],
    options: [...INPUT_OPTIONS, NODE_OPTION, outputOption("table", "json", "mermaid", "dot"), ...PROGRAM_OPTIONS],
    examples: [
      { command: "nftpol graph -f shop/", does: "as tables" },
      { command: "nftpol graph -f shop/ -o dot | dot -Tsvg > graph.svg", does: "as a picture" },
    ],
  },
  {
    name: "lint",
    summary: "find policies that are invalid, or valid and may not mean what was meant",
    description:
      "Findings go to stdout: what every verb reports about its input, policies of one tier and one priority that do different things with one flow, and address blocks that hold pods. Exit code 1 where there are any, 2 where something cannot be read.",
    arguments: [],
    options: [...INPUT_OPTIONS, outputOption("text", "json")],
    examples: [
      { command: "nftpol lint -f policies/ -R", does: "a gate in CI: exit code 0 without findings" },
      { command: "nftpol lint", does: "the policies and pods of the current kube context" },
    ],
  },
  {
    name: "lab",
    summary: "try policies with real packets in network namespaces, without a cluster",
    description:
      "run: every pod is a network namespace, the rules are loaded as the agent loads them, every flow is a packet or some; prints who reached whom, and what differs from what the policies mean.\ndemo: a small shop, closed policy by policy, and an open connection that is cut; without root it shows the same as computed.\nshell: a shell in the pod POD while the policies are enforced; what is saved in the manifests comes into force, and the exit code is the shell's.\nNeeds root, nft and iproute2. Nothing outside of the lab's own network namespaces is touched, and nothing of them remains.",
    arguments: [
      { name: "ACTION", description: "what to do", choices: ["run", "demo", "shell"] },
      { name: "POD", description: "for shell: namespace/pod or namespace/workload", optional: true },
    ],
    options: [
      ...MANIFEST_OPTIONS,
      ...MATRIX_OPTIONS,
      {
        flags: "--nodes <number>",
        description: "as-is: as the pods say; or so many nodes, the pods spread over them",
        default: "as-is",
      },
      {
        flags: "--topology <name>",
        description: "how pods and nodes are joined (docs/cni.md)",
        choices: TOPOLOGIES,
        default: TOPOLOGIES[0],
      },
      {
        flags: "--dual-stack",
        description: "give every pod addresses of both families, made up where they are missing",
      },
      {
        flags: "--expect <path>",
        description: "expectation file (*.expect.yaml) or folder of such: what packets must find; repeatable",
        repeatable: true,
        completes: "files",
      },
      outputOption("table", "json", "junit"),
      BY_POD_OPTION,
      ...BACKEND_OPTIONS,
      ...PROGRAM_OPTIONS,
    ],
    examples: [
      { command: "sudo nftpol lab demo", does: "what nftpol is about, in a quarter of a minute" },
      { command: "sudo nftpol lab run -f shop/", does: "who reaches whom, found by packets" },
      {
        command: "sudo nftpol lab run -f shop/ --nodes 2 --topology vxlan --port ICMP",
        does: "on two nodes as with Flannel",
      },
      {
        command: "sudo nftpol lab run -f shop/ --expect shop/ -o junit > report.xml",
        does: "for a CI server: what is expected, as packets find it",
      },
      { command: "sudo nftpol lab shell -f shop/ shop/api", does: "be a pod: curl, nc and ping meet the policies" },
    ],
  },
  {
    name: "agent",
    summary: "keep this node's rules equal to the policies of the cluster",
    description:
      "Watches the API server (or a folder) and writes the kernel's rules; needs CAP_NET_ADMIN in the node's network namespace. On SIGTERM it ends and leaves the rules; nftpol cleanup removes them.",
    arguments: [],
    options: [
      { flags: "--node-name <name>", description: "this node; default: $NODE_NAME, else the host's name" },
      {
        flags: "--manifests <dir>",
        description: "watch this folder of manifests instead of an API server",
        completes: "files",
      },
      {
        flags: "--kubeconfig <file>",
        description: "kubeconfig; default: as kubectl, or the pod's service account",
        completes: "files",
      },
      { flags: "--context <name>", description: "kubeconfig context" },
      {
        flags: "--existing-connections <mode>",
        description: "connections that policies no longer allow: cut them, or keep them",
        choices: ["recheck", "keep"],
        default: "recheck",
      },
      ...BACKEND_OPTIONS,
      ...PROGRAM_OPTIONS,
      {
        flags: "--manage-sysctls",
        description: "set the kernel's switches without which pod traffic passes the rules by",
      },
      { flags: "--sysctl-root <dir>", description: "where the host's /proc/sys is", default: "/proc/sys" },
      {
        flags: "--verify-interval <time>",
        description: "compare the kernel with what should be there; 0: never",
        default: "60s",
      },
      {
        flags: "--min-sync-interval <time>",
        description: "shortest time between two changes of the rules",
        default: "10ms",
      },
      {
        flags: "--health-address <address>",
        description: "/healthz, /readyz and /status; off: not served",
        default: DEFAULT_HEALTH_ADDRESS,
      },
      { flags: "--metrics-address <address>", description: "/metrics; off: not served", default: "127.0.0.1:10361" },
      {
        flags: "--log-level <level>",
        description: "how much is logged",
        choices: ["error", "warn", "info", "debug"],
        default: "info",
      },
      {
        flags: "--nft-writer <writer>",
        description: "how changes reach nft: one that stays (nft -i), or one for each change",
        choices: ["auto", "session", "child"],
        default: "auto",
      },
      {
        flags: "--netlink <when>",
        description: "changes of set elements go to the kernel without nft: where that works, or never",
        choices: ["auto", "off"],
        default: "auto",
      },
      { flags: "--dry-run", description: "log the transactions instead of writing to the kernel" },
    ],
    examples: [
      { command: "nftpol agent --node-name worker-1", does: "with the current kube context, on that node" },
      { command: "nftpol agent --manifests policies/", does: "without a cluster: the folder is watched" },
      { command: "nftpol agent --manifests policies/ --dry-run", does: "only say what would change" },
    ],
  },
  {
    name: "status",
    summary: "what the agent of this node enforces",
    description: "Asks the agent; without one, says what the kernel holds (needs root).",
    arguments: [],
    options: [
      { flags: "--health-address <address>", description: "where the agent answers", default: DEFAULT_HEALTH_ADDRESS },
      outputOption("table", "wide", "json"),
    ],
    examples: [
      { command: "nftpol status", does: "pods, policies, last change, problems" },
      { command: "kubectl -n kube-system exec ds/nftpol -- nftpol status", does: "on one node of a cluster" },
    ],
  },
  {
    name: "cleanup",
    summary: "remove nftpol's rules from this kernel, and nothing else",
    description:
      "Of any backend: the nft table, and chains and sets of both variants of iptables. Nothing is enforced afterwards. Stop the agent first: it would write its rules again.",
    arguments: [],
    options: [{ flags: "--dry-run", description: "only say what would be removed" }],
    examples: [{ command: "nftpol cleanup", does: "on the node, as root" }],
  },
  {
    name: "completion",
    summary: "shell completion",
    description:
      "kubectl: the program kubectl_complete-nftpol, which kubectl 1.26 and newer looks for in the PATH to complete kubectl nftpol.",
    arguments: [{ name: "SHELL", description: "which shell", choices: ["bash", "zsh", "fish", "kubectl"] }],
    options: [],
    examples: [
      { command: "source <(nftpol completion bash)", does: "for this shell" },
      { command: "nftpol completion fish > ~/.config/fish/completions/nftpol.fish", does: "for good" },
    ],
  },
  {
    name: "version",
    summary: "version, revision, how it was delivered, runtime, and the versions of nft, iptables and ipset",
    arguments: [],
    options: [{ flags: "--short", description: "one line, as nftpol -V" }, outputOption("text", "json")],
    examples: [{ command: "nftpol version -o json", does: "for a script" }],
  },
];
