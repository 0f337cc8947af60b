// Prometheus finds the agents: what monitors select is there, by labels, port names and numbers, and says which node it is.

import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { buildKustomization, type KubernetesObject } from "../support/kustomize.ts";

const deploy = resolve(import.meta.dirname, "../../deploy");

interface Endpoint {
  readonly port: string;
  readonly path: string;
  readonly relabelings: readonly object[];
}

interface Monitor {
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly podMetricsEndpoints?: readonly Endpoint[];
  readonly endpoints?: readonly Endpoint[];
}

interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: { readonly containers: readonly { readonly ports: readonly ContainerPort[] }[] };
}

interface ContainerPort {
  readonly name: string;
  readonly containerPort: number;
}

interface Service {
  readonly clusterIP: string;
  readonly publishNotReadyAddresses: boolean;
  readonly selector: Readonly<Record<string, string>>;
  readonly ports: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[];
}

function objectsWith(...components: readonly string[]): readonly KubernetesObject[] {
  return buildKustomization(
    join(deploy, "base"),
    components.map((component) => join(deploy, "components", component)),
  ).objects;
}

function only(objects: readonly KubernetesObject[], kind: string): KubernetesObject {
  const found = objects.filter((object) => object.kind === kind);
  if (found.length !== 1) throw new Error(`there are ${found.length} objects of the kind ${kind}`);
  return found[0] as KubernetesObject;
}

function agentPods(objects: readonly KubernetesObject[]): PodTemplate {
  return (only(objects, "DaemonSet").spec as { template: PodTemplate }).template;
}

function metricsPort(objects: readonly KubernetesObject[]): ContainerPort | undefined {
  return agentPods(objects).spec.containers[0]?.ports.find(({ name }) => name === "metrics");
}

const NODE_LABEL = { sourceLabels: ["__meta_kubernetes_pod_node_name"], targetLabel: "node" };

describe("pod-monitor", () => {
  const objects = objectsWith("metrics", "pod-monitor");
  const { selector, podMetricsEndpoints = [] } = only(objects, "PodMonitor").spec as Monitor;

  it("selects the agents' pods, in their namespace", () => {
    expect(agentPods(objects).metadata.labels).toMatchObject(selector.matchLabels);
    expect(only(objects, "PodMonitor").metadata.namespace).toBe(only(objects, "DaemonSet").metadata.namespace);
  });

  it("asks the port that the agents have, and keeps the node", () => {
    expect(podMetricsEndpoints).toMatchObject([{ port: metricsPort(objects)?.name, path: "/metrics" }]);
    expect(podMetricsEndpoints[0]?.relabelings).toContainEqual(NODE_LABEL);
  });
});

describe("service-monitor", () => {
  const objects = objectsWith("metrics", "service-monitor");
  const service = only(objects, "Service");
  const { clusterIP, publishNotReadyAddresses, selector, ports } = service.spec as Service;
  const monitor = only(objects, "ServiceMonitor").spec as Monitor;

  it("brings a Service that leads to every agent, ready or not, and to nothing else", () => {
    expect(agentPods(objects).metadata.labels).toMatchObject(selector);
    expect(service.metadata.namespace).toBe(only(objects, "DaemonSet").metadata.namespace);
    expect([clusterIP, publishNotReadyAddresses]).toEqual(["None", true]);
    expect(ports).toMatchObject([
      { port: metricsPort(objects)?.containerPort, targetPort: metricsPort(objects)?.name },
    ]);
  });

  it("selects that Service and asks its port, and keeps the node", () => {
    expect((service.metadata as { labels?: object }).labels).toMatchObject(monitor.selector.matchLabels);
    expect(only(objects, "ServiceMonitor").metadata.namespace).toBe(service.metadata.namespace);
    expect(monitor.endpoints).toMatchObject([{ port: ports[0]?.name, path: "/metrics" }]);
    expect(monitor.endpoints?.[0]?.relabelings).toContainEqual(NODE_LABEL);
  });
});

describe("what is brought besides", () => {
  it.each(["alerts", "dashboard"])("%s changes nothing of the agents", (component) => {
    const added = objectsWith("metrics", component).filter(({ kind }) =>
      ["PrometheusRule", "ConfigMap"].includes(kind),
    );
    expect(added).toHaveLength(1);
    expect(only(objectsWith("metrics", component), "DaemonSet")).toEqual(only(objectsWith("metrics"), "DaemonSet"));
  });
});
