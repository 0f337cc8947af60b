// No manifest of deploy/ has a field that Kubernetes does not know, or a number where text belongs. kustomize would not notice.
import { globSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { fieldProblems } from "../support/kubernetes-fields.ts";
import { buildKustomization, type KubernetesObject } from "../support/kustomize.ts";

const deploy = resolve(import.meta.dirname, "../../deploy");
/** Custom resources of the Prometheus operator: their types are not at hand. */
const custom = ["PodMonitor", "PrometheusRule", "ServiceMonitor"];

describe.each(["base", ...globSync("{overlays,components}/*", { cwd: deploy }).sort()])("deploy/%s", (folder) => {
  const { objects } = folder.startsWith("components/")
    ? buildKustomization(join(deploy, "base"), [join(deploy, folder)])
    : buildKustomization(join(deploy, folder));

  it("has only fields of Kubernetes, with values of their types", () => {
    expect(objects.flatMap((object) => fieldProblems(object) ?? [])).toEqual([]);
  });

  it("has only kinds whose fields are known here, and custom resources", () => {
    const unknown = objects.filter((object) => fieldProblems(object) === undefined).map(({ kind }) => kind);
    expect(unknown.filter((kind) => !custom.includes(kind))).toEqual([]);
  });
});

describe("this test", () => {
  const daemonSet = (container: object): KubernetesObject => ({
    apiVersion: "apps/v1",
    kind: "DaemonSet",
    metadata: { name: "a" },
    spec: { template: { spec: { containers: [container] } } },
  });
  const at = "DaemonSet.spec.template.spec.containers[0]";

  it.each([
    [{ readinesProbe: {} }, `${at} has no field readinesProbe`],
    [{ env: [{ name: "A", value: 65536 }] }, `${at}.env[0].value is no string`],
    [{ securityContext: { privileged: "false" } }, `${at}.securityContext.privileged is no boolean`],
    [{ args: "agent" }, `${at}.args is no list`],
    [{ resources: { limits: ["1Gi"] } }, `${at}.resources.limits is no mapping`],
  ])("notices %j", (container, problem) => expect(fieldProblems(daemonSet(container))).toEqual([problem]));
});
