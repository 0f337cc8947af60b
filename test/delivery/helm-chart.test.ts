// The Helm chart puts the same objects into a cluster as the kustomize folders, and refuses values that mean nothing.
import { cpSync, globSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { afterAll, describe, expect, it, onTestFinished } from "vitest";
import { programVersion } from "../../src/cli/version.ts";
import { describeWithTool } from "../support/deploy-tools.ts";
import { Helm, type Values } from "../support/helm.ts";
import { fieldProblems } from "../support/kubernetes-fields.ts";
import { buildKustomization, byName, type KubernetesObject } from "../support/kustomize.ts";

const deploy = resolve(import.meta.dirname, "../../deploy");
const chart = join(deploy, "chart");

/** What the chart is given to be what the folder is. */
const valuesOf: Readonly<Record<string, Values>> = {
  base: {},
  "overlays/cleanup": { cleanup: true },
  "overlays/dry-run": { dryRun: true },
  "overlays/dual-stack": { manageSysctls: true },
  "overlays/iptables": { backend: "iptables" },
  "overlays/manage-sysctls": { manageSysctls: true },
  "overlays/metrics": { metrics: { enabled: true, podMonitor: { enabled: true } } },
  "overlays/nft": { backend: "nft" },
  "overlays/strict-start": { strictStart: true },
};

/** Components in the order in which the chart writes their options, and the values that are all of them. */
const combinations: readonly (readonly [readonly string[], Values])[] = [
  [
    ["iptables", "strict-start", "manage-sysctls", "dry-run", "metrics", "pod-monitor", "alerts", "dashboard"],
    {
      backend: "iptables",
      strictStart: true,
      manageSysctls: true,
      dryRun: true,
      metrics: {
        enabled: true,
        podMonitor: { enabled: true },
        alerts: { enabled: true },
        dashboard: { enabled: true },
      },
    },
  ],
  [
    ["nft", "strict-start", "metrics", "service-monitor"],
    { backend: "nft", strictStart: true, metrics: { enabled: true, serviceMonitor: { enabled: true } } },
  ],
];

const refused: readonly (readonly [why: string, values: Values, message: RegExp])[] = [
  ["a value that does not exist", { strictstart: true }, /additional properties 'strictstart'/],
  ["a value that does not exist, further below", { metrics: { podMonitors: {} } }, /\/metrics'.*'podMonitors'/],
  ["text where yes or no is meant", { dryRun: "true" }, /\/dryRun': got string, want boolean/],
  ["a backend that does not exist", { backend: "ebpf" }, /\/backend'/],
  ["a digest that is none", { image: { digest: "sha256:abc" } }, /\/image\/digest'/],
  ["a tag as part of a digest", { image: { tag: "1@sha256" } }, /\/image\/tag'/],
  ["an argument that is no option", { extraArgs: ["cleanup"] }, /\/extraArgs\/0'/],
  ["no node at all during updates", { updateStrategy: { rollingUpdate: { maxUnavailable: 0 } } }, /maxUnavailable'/],
  ["an address with a scheme", { apiServer: { host: "https://api" } }, /\/apiServer\/host'/],
  ["an option that has a value", { extraArgs: ["--backend=nft"] }, /--backend is what the value backend is for/],
  ["another address for probes", { extraArgs: ["--health-address=off"] }, /the probes ask there/],
  ["a dry run of cleaning up", { cleanup: true, dryRun: true }, /cleanup removes rules whatever dryRun says/],
  ["monitors without metrics", { metrics: { podMonitor: { enabled: true } } }, /need metrics.enabled/],
  [
    "both monitors",
    { metrics: { enabled: true, podMonitor: { enabled: true }, serviceMonitor: { enabled: true } } },
    /counted twice/,
  ],
];

describeWithTool("helm", "the Helm chart", (program) => {
  const helm = new Helm(program);
  afterAll(() => helm.remove());

  const render = (values: Values, namespace?: string) => helm.render(chart, values, namespace);

  it("is compared with every overlay", () => {
    expect(Object.keys(valuesOf)).toEqual(["base", ...globSync("overlays/*", { cwd: deploy }).sort()]);
  });

  it.each(Object.entries(valuesOf))("is equal to deploy/%s with %j", (folder, values) => {
    expect(byName(render(values))).toEqual(byName(buildKustomization(join(deploy, folder)).objects));
  });

  it.each(combinations)("is equal to the base with the components %j", (names, values) => {
    const components = names.map((name) => join(deploy, "components", name));
    expect(byName(render(values))).toEqual(byName(buildKustomization(join(deploy, "base"), components).objects));
  });

  it("says the API server's address itself, which kustomize takes from a ConfigMap", () => {
    const component = join(deploy, "components/direct-api-server");
    const { objects } = buildKustomization(join(deploy, "base"), [component]);
    const literal = new Map([
      ["KUBERNETES_SERVICE_HOST", "api.cluster.example"],
      ["KUBERNETES_SERVICE_PORT", "6443"],
    ]);
    const { env } = containerIn(objects);
    for (const [at, { name }] of env.entries()) {
      const value = literal.get(name);
      if (value !== undefined) env[at] = { name, value };
    }
    expect(byName(render({ apiServer: { host: "api.cluster.example" } }))).toEqual(byName(objects));
  });

  describe("the values that kustomize has no folder for", () => {
    const daemonSet = (values: Values) => byName(render(values))["DaemonSet nftpol"];

    it.each([
      [{ repository: "registry.example/nftpol" }, `registry.example/nftpol:${programVersion()}`],
      [{ tag: "0.1.0-mine" }, "nftpol:0.1.0-mine"],
      [{ digest: `sha256:${"0".repeat(64)}` }, `nftpol@sha256:${"0".repeat(64)}`],
      [{ tag: "0.1.0", digest: `sha256:${"0".repeat(64)}` }, `nftpol:0.1.0@sha256:${"0".repeat(64)}`],
    ])("run the image %j", (image, expected) => {
      expect(containerIn(render({ image })).image).toBe(expected);
    });

    it("are all taken over", () => {
      const values = {
        image: { pullPolicy: "Always", pullSecrets: [{ name: "registry" }] },
        extraArgs: ["--service-proxy=ipvs", "--log-level=debug"],
        resources: { requests: { memory: "500Mi" } },
        nodeSelector: { pool: "workers" },
        tolerations: [{ key: "gpu", operator: "Exists", effect: "NoSchedule" }],
        priorityClassName: "",
        updateStrategy: { type: "OnDelete", rollingUpdate: null },
        seLinuxOptions: { type: "spc_t" },
      };
      const changed = daemonSet(values);
      expect(changed?.spec).toMatchObject({
        updateStrategy: { type: "OnDelete" },
        template: {
          spec: {
            imagePullSecrets: values.image.pullSecrets,
            nodeSelector: { "kubernetes.io/os": "linux", pool: "workers" },
            tolerations: values.tolerations,
            containers: [
              {
                args: ["agent", ...values.extraArgs],
                imagePullPolicy: "Always",
                resources: { requests: { cpu: "50m", memory: "500Mi" }, limits: { memory: "1Gi" } },
                securityContext: { seLinuxOptions: { type: "spc_t" } },
              },
            ],
          },
        },
      });
      expect(JSON.stringify(changed)).not.toMatch(/priorityClassName|maxUnavailable/);
      expect(changed && fieldProblems(changed)).toEqual([]);
    });

    it("label what the operator selects by", () => {
      const labels = { release: "prometheus" };
      const monitoring = { enabled: true, podMonitor: { enabled: true, labels }, alerts: { enabled: true, labels } };
      const objects = byName(render({ metrics: monitoring }));
      for (const name of ["PodMonitor nftpol", "PrometheusRule nftpol"])
        expect(objects[name]?.metadata).toMatchObject({ labels: { "app.kubernetes.io/name": "nftpol", ...labels } });
    });

    it("put everything that has a namespace into that of the release, whatever it looks like, and give the rights to its account", () => {
      const metrics = { enabled: true, serviceMonitor: { enabled: true } };
      const everything = { metrics: { ...metrics, alerts: { enabled: true }, dashboard: { enabled: true } } };
      const objects = byName(render(everything, "007"));
      const outside = Object.entries(objects).filter(([, { metadata }]) => metadata.namespace !== "007");
      expect(outside.map(([name]) => name)).toEqual(["ClusterRole nftpol", "ClusterRoleBinding nftpol"]);
      expect(objects["ClusterRoleBinding nftpol"]).toMatchObject({ subjects: [{ namespace: "007" }] });
    });
  });

  it.each(refused)("refuses %s", (_why, values, message) => {
    expect(() => render(values)).toThrow(message);
  });

  describe("says after an installation", () => {
    // `helm template` leaves the notes out: here they are a file that it renders like any other.
    const folder = mkdtempSync(join(tmpdir(), "nftpol-notes-"));
    afterAll(() => rmSync(folder, { recursive: true }));
    cpSync(chart, folder, { recursive: true });
    renameSync(join(folder, "templates/NOTES.txt"), join(folder, "notes"));
    const text = '{{ tpl (.Files.Get "notes") . | toJson }}';
    writeFileSync(join(folder, "templates/notes.yaml"), `kind: Notes\nmetadata: { name: notes }\ntext: ${text}\n`);
    const notes = (values: Values, namespace?: string) =>
      byName(helm.render(folder, values, namespace))["Notes notes"]?.text;

    it("how to look after the agents", () => {
      expect(notes({})).toMatchInlineSnapshot(`
        "nftpol enforces network policies on every node where its pod is ready.

          kubectl --namespace kube-system rollout status daemonset/nftpol
          kubectl --namespace kube-system exec daemonset/nftpol -- nftpol status

        Uninstalling leaves the rules in the kernels of the nodes. To remove them, upgrade with --set cleanup=true first.
        "
      `);
    });

    it("how to see that the rules are gone", () => {
      expect(notes({ cleanup: true })).toMatchInlineSnapshot(`
        "The rules of nftpol are being removed from every node. Each pod says what it removed; they end and are started again, with
        growing pauses, until the release is uninstalled:

          kubectl --namespace kube-system logs --selector app.kubernetes.io/name=nftpol --prefix --tail=1
          helm uninstall nftpol --namespace kube-system
        "
      `);
    });

    it("what another namespace needs", () => {
      expect(notes({ dryRun: true, backend: "iptables" }, "firewall")).toMatchInlineSnapshot(`
        "This is a dry run of nftpol: transactions are logged, nothing is enforced.

          kubectl --namespace firewall rollout status daemonset/nftpol
          kubectl --namespace firewall exec daemonset/nftpol -- nftpol status

        Uninstalling leaves the rules in the kernels of the nodes. To remove them, upgrade with --set cleanup=true first.

        The pods are on the host network, with NET_ADMIN and NET_RAW. Where Pod Security levels are enforced they need a label:

          kubectl label namespace firewall pod-security.kubernetes.io/enforce=privileged
        "
      `);
    });
  });

  it("is well-formed in helm's own opinion", () => {
    const { code, stdout, stderr } = helm.run(["lint", "--strict", chart]);
    expect({ code, output: code === 0 ? "" : stdout + stderr }).toEqual({ code: 0, output: "" });
  });

  it("is whole when it is packed", () => {
    const folder = mkdtempSync(join(tmpdir(), "nftpol-chart-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    expect(helm.run(["package", chart, "--destination", folder]).stderr).toBe("");
    const [, values] = combinations[0] ?? [];
    expect(helm.render(join(folder, `nftpol-${programVersion()}.tgz`), values)).toEqual(render(values ?? {}));
  });
});

interface Container {
  readonly image: string;
  readonly env: { readonly name: string; readonly value?: string }[];
}

function containerIn(objects: readonly KubernetesObject[]): Container {
  const { spec } = byName(objects)["DaemonSet nftpol"] as unknown as {
    readonly spec: { readonly template: { readonly spec: { readonly containers: readonly [Container] } } };
  };
  return spec.template.spec.containers[0];
}
