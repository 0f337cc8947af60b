// deploy/ agrees with the program: options, ports, rights, version; and the pods stay as restricted as they are. That kubectl
// reads these folders as test/support/kustomize.ts does is shown in test/delivery/kustomize.test.ts.

import { globSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { type OptionSpec, parseFlags } from "../../src/cli/command-spec.ts";
import { COMMANDS } from "../../src/cli/command-table.ts";
import { programVersion } from "../../src/cli/version.ts";
import * as resources from "../../src/kube/resources.ts";
import { buildKustomization, type KubernetesObject } from "../support/kustomize.ts";

const root = resolve(import.meta.dirname, "../..");
const folders = ["base", ...globSync("overlays/*", { cwd: join(root, "deploy") }).sort()];
const agents = folders.filter((folder) => folder !== "overlays/cleanup");
/** What iptables has written takes its rights to be removed. */
const ofIptables = ["overlays/iptables", "overlays/cleanup"];
/** One of these components at a time. */
const alternatives = ["nft", "iptables"];

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly valueFrom?: unknown }[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number; readonly hostIP?: string }[];
  readonly securityContext: unknown;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
  readonly [probe: `${string}Probe`]: { readonly httpGet: { host: string; port: number; path: string } };
}

interface PodSpec {
  readonly [field: string]: unknown;
  readonly containers: readonly [Container];
  readonly volumes: readonly { readonly name: string }[];
}

interface Rule {
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  readonly verbs: readonly string[];
}

function objectsOf(folder: string): readonly KubernetesObject[] {
  return buildKustomization(join(root, "deploy", folder)).objects;
}

function podSpecOf(folder: string): PodSpec {
  return podSpecIn(objectsOf(folder));
}

function podSpecIn(objects: readonly KubernetesObject[]): PodSpec {
  const daemonSet = objects.find(({ kind }) => kind === "DaemonSet");
  if (daemonSet === undefined) throw new Error("there is no DaemonSet");
  return (daemonSet.spec as { template: { spec: PodSpec } }).template.spec;
}

function optionsOf(verb: string | undefined): readonly OptionSpec[] {
  const command = COMMANDS.find(({ name }) => name === verb);
  if (command === undefined) throw new Error(`there is no verb ${verb}`);
  return command.options;
}

function defaultOf(flag: string): string {
  return optionsOf("agent").find(({ flags }) => parseFlags(flags).long === flag)?.default ?? "";
}

/** Why the verb would refuse the argument; undefined: it takes it. */
function refusalOf(verb: string | undefined, argument: string): string | undefined {
  const [name = "", value] = argument.split(/=(.*)/s);
  const option: OptionSpec | undefined = optionsOf(verb).find(({ flags }) => parseFlags(flags).long === name);
  if (option === undefined) return `${name} is no option of ${verb}`;
  if (parseFlags(option.flags).takesValue !== (value !== undefined))
    return `${argument} has a value too many or too few`;
  return option.choices?.includes(value ?? "") === false ? `${argument} is none of its choices` : undefined;
}

describe.each(folders)("deploy/%s", (folder) => {
  const spec = podSpecOf(folder);
  const [container] = spec.containers;

  it("may do what the agent needs, and nothing else", () => {
    expect(container.securityContext).toEqual({
      runAsUser: 0,
      runAsGroup: 0,
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"], add: ofIptables.includes(folder) ? ["NET_ADMIN", "NET_RAW"] : ["NET_ADMIN"] },
    });
    expect(spec.securityContext).toEqual({ seccompProfile: { type: "RuntimeDefault" } });
    for (const shared of ["hostPID", "hostIPC", "shareProcessNamespace", "initContainers"])
      expect(spec).not.toHaveProperty(shared);
    expect(spec.containers).toHaveLength(1);
  });

  it("sees nothing of the host's files but the network's switches, where it is to set them, and the lock of iptables, where it is used", () => {
    const expected = [
      ...(container.args.includes("--manage-sysctls") ? [{ path: "/proc/sys/net", type: "Directory" }] : []),
      ...(ofIptables.includes(folder) ? [{ path: "/run/xtables.lock", type: "FileOrCreate" }] : []),
    ];
    const hostPaths = spec.volumes.flatMap((volume) => ("hostPath" in volume ? [volume.hostPath] : []));
    expect(hostPaths).toEqual(expected);
    const kinds = spec.volumes.map((volume) => Object.keys(volume).find((key) => key !== "name"));
    expect(kinds).toEqual(["emptyDir", ...expected.map(() => "hostPath")]);
  });

  it("takes the node's own lock of iptables, which it may not write, or none", () => {
    const mounts = container.volumeMounts.filter(({ mountPath }) => mountPath.includes("xtables"));
    const lock = { name: "xtables-lock", mountPath: "/run/xtables.lock", readOnly: true };
    expect(mounts).toEqual(ofIptables.includes(folder) ? [lock] : []);
  });

  it("keeps the batches for nft in memory", () => {
    const mounts = container.volumeMounts.filter(({ name }) => name === "batches").map(({ mountPath }) => mountPath);
    expect(mounts).toEqual(["/dev/shm", "/tmp"]);
    expect(spec.volumes).toContainEqual({ name: "batches", emptyDir: { medium: "Memory", sizeLimit: "64Mi" } });
  });

  it("runs on every Linux node, in its network namespace, and is the last to be evicted", () => {
    expect(spec).toMatchObject({
      hostNetwork: true,
      nodeSelector: { "kubernetes.io/os": "linux" },
      tolerations: [{ operator: "Exists" }],
      priorityClassName: "system-node-critical",
    });
  });

  it("gives the program a verb and options that it has", () => {
    const [verb, ...args] = container.args;
    const refusals = args.map((argument) => refusalOf(verb, argument));
    expect(refusals.filter((refusal) => refusal !== undefined)).toEqual([]);
  });

  it("tells the agent which node it is on", () => {
    expect(container.env).toContainEqual({
      name: "NODE_NAME",
      valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } },
    });
  });

  it("runs the version that the repository holds", () => {
    expect(container.image).toBe(`nftpol:${programVersion()}`);
  });

  it("may read what the agent watches and report Events, and nothing else", () => {
    const role = objectsOf(folder).find(({ kind }) => kind === "ClusterRole") as unknown as { rules: readonly Rule[] };
    const granted = role.rules.flatMap(({ apiGroups, resources: names, verbs }) =>
      apiGroups.flatMap((group) => names.flatMap((name) => verbs.map((verb) => `${verb} ${group}/${name}`))),
    );
    const watched = Object.values(resources)
      .flat()
      .flatMap(({ path }) => ["list", "watch"].map((verb) => `${verb} ${groupResource(path)}`));
    expect(granted.sort()).toEqual([...new Set(watched), "create events.k8s.io/events"].sort());
  });

  it("gives these rights to its own service account, whose token no other pod gets unasked", () => {
    const objects = objectsOf(folder);
    const account = objects.find(({ kind }) => kind === "ServiceAccount");
    expect(account).toMatchObject({ automountServiceAccountToken: false, metadata: { namespace: "kube-system" } });
    expect(spec).toMatchObject({ serviceAccountName: account?.metadata.name, automountServiceAccountToken: true });
    const { name, namespace } = account?.metadata ?? {};
    expect(objects.find(({ kind }) => kind === "ClusterRoleBinding")).toMatchObject({
      subjects: [{ kind: "ServiceAccount", name, namespace }],
      roleRef: { kind: "ClusterRole", name: objects.find(({ kind }) => kind === "ClusterRole")?.metadata.name },
    });
  });
});

describe.each(agents)("deploy/%s", (folder) => {
  it("lets nobody open the inspector of Node.js with a signal", () => {
    const options = podSpecOf(folder).containers[0].env.find(({ name }) => name === "NODE_OPTIONS");
    expect(options).toEqual({ name: "NODE_OPTIONS", value: expect.stringContaining("--disable-sigusr1") });
  });

  const [container] = podSpecOf(folder).containers;

  it.each([
    ["startupProbe", "/healthz"],
    ["livenessProbe", "/healthz"],
    ["readinessProbe", "/readyz"],
  ] as const)("asks for health where the agent answers by default: %s", (probe, path) => {
    const { host, port, path: asked } = container[probe]?.httpGet ?? {};
    expect(`${host}:${port}${asked}`).toBe(`${defaultOf("--health-address")}${path}`);
    expect(container.ports).toContainEqual({
      name: "health",
      containerPort: port,
      hostPort: port,
      hostIP: host,
      protocol: "TCP",
    });
  });
});

/** `/apis/networking.k8s.io/v1/networkpolicies` -> `networking.k8s.io/networkpolicies`; the core group is "". */
function groupResource(path: string): string {
  const [, api, group, ...rest] = path.split("/");
  return `${api === "apis" ? group : ""}/${rest.at(-1)}`;
}

describe("deploy/", () => {
  it("adds with each overlay the options that its name promises", () => {
    const added = agents.slice(1).map((folder) => [folder, podSpecOf(folder).containers[0].args.slice(1)]);
    expect(Object.fromEntries(added)).toEqual({
      "overlays/dry-run": ["--dry-run"],
      // Dual stack needs nothing but what nodes often lack for IPv6.
      "overlays/dual-stack": ["--manage-sysctls", "--sysctl-root=/host/proc/sys"],
      "overlays/iptables": ["--backend=iptables"],
      "overlays/manage-sysctls": ["--manage-sysctls", "--sysctl-root=/host/proc/sys"],
      "overlays/metrics": [`--metrics-address=:${defaultOf("--metrics-address").split(":")[1]}`],
      "overlays/nft": ["--backend=nft"],
      "overlays/strict-start": ["--unknown-local-pods=drop"],
    });
  });

  it("cleans up without probes: nobody answers them", () => {
    const [container] = podSpecOf("overlays/cleanup").containers;
    expect(container.args).toEqual(["cleanup"]);
    expect(Object.keys(container).filter((key) => key.endsWith("Probe"))).toEqual([]);
  });

  it("cleans up every node without waiting for others: a pod that has ended is never ready", () => {
    const daemonSet = objectsOf("overlays/cleanup").find(({ kind }) => kind === "DaemonSet");
    expect(daemonSet?.spec).toMatchObject({ updateStrategy: { rollingUpdate: { maxUnavailable: "100%" } } });
  });

  it("mounts the host's switches where --sysctl-root looks for them", () => {
    const { args, volumeMounts } = podSpecOf("overlays/manage-sysctls").containers[0];
    const sysctlRoot = args.find((arg) => arg.startsWith("--sysctl-root="))?.split("=")[1];
    expect(volumeMounts).toContainEqual({ name: "host-sysctls", mountPath: `${sysctlRoot}/net` });
  });

  it("scrapes the port on which the metrics are served", () => {
    const { ports } = podSpecOf("overlays/metrics").containers[0];
    const metricsPort = Number(defaultOf("--metrics-address").split(":")[1]);
    expect(ports.find(({ name }) => name === "metrics")?.containerPort).toBe(metricsPort);
    const monitor = objectsOf("overlays/metrics").find(({ kind }) => kind === "PodMonitor");
    expect(monitor?.spec).toMatchObject({ podMetricsEndpoints: [{ port: "metrics", path: "/metrics" }] });
  });

  it("holds no manifest that nothing uses", () => {
    const all = globSync("deploy/{base,components}/**/*.yaml", { cwd: root }).map((file) => join(root, file));
    const used = alternatives.flatMap((chosen) => withAllOptions(chosen).files);
    expect(all.filter((file) => !used.includes(file))).toEqual([]);
  });

  it.each(alternatives)("holds options that can be combined, with %s", (chosen) => {
    const { containers, volumes, dnsPolicy } = podSpecIn(withAllOptions(chosen).objects);
    const [container] = containers;
    const combined = agents.slice(1).flatMap((folder) => podSpecOf(folder).containers[0].args.slice(1));
    const wanted = new Set(combined.filter((arg) => !arg.startsWith("--backend=") || arg.endsWith(`=${chosen}`)));
    expect([...container.args].sort()).toEqual(["agent", ...wanted].sort());
    for (const named of [container.env, container.ports, volumes]) {
      const names = named.map(({ name }) => name);
      expect(names).toEqual([...new Set(names)]);
    }
    const places = container.volumeMounts.map(({ mountPath }) => mountPath);
    expect(places).toEqual([...new Set(places)]);
    const environment = container.env.map(({ name }) => name);
    expect(environment.slice(-2)).toEqual(["KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"]);
    // The name of the API server must not need the cluster's DNS, which needs the service proxy.
    expect(dnsPolicy).toBe("Default");
  });
});

/** All components but the alternatives to the chosen one. */
function withAllOptions(chosen: string) {
  const deploy = join(root, "deploy");
  const components = globSync("components/*", { cwd: deploy }).sort();
  const others = alternatives.filter((alternative) => alternative !== chosen).map((other) => `components/${other}`);
  return buildKustomization(
    join(deploy, "base"),
    components.filter((component) => !others.includes(component)).map((component) => join(deploy, component)),
  );
}
