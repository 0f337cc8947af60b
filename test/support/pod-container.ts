// A pod of deploy/ as a container: what the kubelet would ask a container engine for. What is not understood here throws, so that
// nothing in the manifests goes untested.

import { GenericContainer } from "testcontainers";
import type { KubernetesObject } from "./kustomize.ts";

interface ContainerSpec {
  readonly args: readonly string[];
  readonly env: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[];
  readonly securityContext: Readonly<Record<string, unknown>>;
  readonly volumeMounts: readonly { readonly name: string; readonly mountPath: string }[];
}

interface Volume {
  readonly name: string;
  readonly emptyDir?: { readonly medium: string; readonly sizeLimit: string };
  readonly hostPath?: { readonly path: string; readonly type: string };
}

interface PodSpec {
  readonly hostNetwork: boolean;
  readonly securityContext: unknown;
  readonly containers: readonly [ContainerSpec];
  readonly volumes: readonly Volume[];
}

export interface KubeletChoices {
  readonly image: string;
  readonly nodeName: string;
  /** The folder with the service account's token. */
  readonly serviceAccount: string;
  readonly apiServer: { readonly host: string; readonly port: number };
  /** Behind those of the pod. */
  readonly args?: readonly string[];
  /** Capabilities that the node refuses to give. */
  readonly withheld?: readonly string[];
}

const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

export class PodContainer extends GenericContainer {
  readOnlyRoot(): this {
    this.hostConfig.ReadonlyRootfs = true;
    return this;
  }
}

/** The only container of the DaemonSet among these objects, on a node's network; not started yet. */
export function podContainer(objects: readonly KubernetesObject[], kubelet: KubeletChoices): PodContainer {
  const daemonSet = objects.find(({ kind }) => kind === "DaemonSet");
  if (daemonSet === undefined) throw new Error("there is no DaemonSet");
  const pod = (daemonSet.spec as { readonly template: { readonly spec: PodSpec } }).template.spec;
  const [spec] = pod.containers;
  const { host, port } = kubelet.apiServer;
  const container = new PodContainer(kubelet.image)
    .withCommand([...spec.args, ...(kubelet.args ?? [])])
    .withEnvironment({
      ...environment(spec, kubelet.nodeName),
      KUBERNETES_SERVICE_HOST: host,
      KUBERNETES_SERVICE_PORT: `${port}`,
    })
    .withNetworkMode(pod.hostNetwork ? "host" : "none");
  restrict(container, spec, kubelet.withheld ?? []);
  expectKeys("securityContext of the pod", pod.securityContext, { seccompProfile: { type: "RuntimeDefault" } });
  return mount(container, spec, pod.volumes, kubelet.serviceAccount);
}

function environment({ env }: ContainerSpec, nodeName: string): Record<string, string> {
  return Object.fromEntries(
    env.map(({ name, value, valueFrom }) => {
      if (value !== undefined) return [name, value];
      expectKeys(name, valueFrom, { fieldRef: { fieldPath: "spec.nodeName" } });
      return [name, nodeName];
    }),
  );
}

function restrict(container: PodContainer, { securityContext }: ContainerSpec, withheld: readonly string[]): void {
  const { runAsUser, runAsGroup, capabilities, ...rest } = securityContext;
  const { add, drop } = capabilities as { readonly add: readonly string[]; readonly drop: readonly string[] };
  expectKeys("securityContext", rest, {
    privileged: false,
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
  });
  container
    .withUser(`${runAsUser}:${runAsGroup}`)
    .withDroppedCapabilities(...drop)
    .withAddedCapabilities(...add.filter((capability) => !withheld.includes(capability)))
    .withSecurityOpt("no-new-privileges")
    .readOnlyRoot();
}

function mount(
  container: PodContainer,
  { volumeMounts }: ContainerSpec,
  volumes: readonly Volume[],
  serviceAccount: string,
): PodContainer {
  const temporary: Record<string, string> = {};
  const binds = [{ source: serviceAccount, target: SERVICE_ACCOUNT, mode: "ro" as "ro" | "rw" }];
  for (const { name, mountPath } of volumeMounts) {
    const { emptyDir, hostPath } = volumes.find((volume) => volume.name === name) ?? {};
    if (emptyDir?.medium === "Memory") temporary[mountPath] = `rw,size=${emptyDir.sizeLimit.replace("Mi", "m")}`;
    else if (hostPath !== undefined) binds.push({ source: hostPath.path, target: mountPath, mode: "rw" });
    else throw new Error(`the volume ${name} is of a kind that is not tested`);
  }
  return container.withTmpFs(temporary).withBindMounts(binds);
}

function expectKeys(what: string, found: unknown, known: unknown): void {
  if (JSON.stringify(found) !== JSON.stringify(known))
    throw new Error(`${what}: not tested: ${JSON.stringify(found)}, only ${JSON.stringify(known)}`);
}
