// kubectl makes of deploy/ what test/support/kustomize.ts makes of it, on which all other tests of these folders stand.
import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { load, loadAll } from "js-yaml";
import { describe, expect, it, onTestFinished } from "vitest";
import { describeWithTool } from "../support/deploy-tools.ts";
import { buildKustomization, byName, type KubernetesObject } from "../support/kustomize.ts";

const deploy = resolve(import.meta.dirname, "../../deploy");
const folders = ["base", ...globSync("overlays/*", { cwd: deploy }).sort()];

describeWithTool("kubectl", "kubectl kustomize", (kubectl) => {
  function build(folder: string): readonly KubernetesObject[] {
    const { status, stdout, stderr } = spawnSync(kubectl, ["kustomize", folder], { encoding: "utf8" });
    if (status !== 0) throw new Error(stderr);
    return loadAll(stdout) as KubernetesObject[];
  }

  /** A kustomization, as text and further fields, beside copies of base and components. */
  function buildOver(text: string, fields: object): readonly KubernetesObject[] {
    const copy = mkdtempSync(join(tmpdir(), "nftpol-deploy-"));
    onTestFinished(() => rmSync(copy, { recursive: true }));
    for (const part of ["base", "components"]) cpSync(join(deploy, part), join(copy, part), { recursive: true });
    mkdirSync(join(copy, "mine"));
    const kustomization = { ...(load(text || "{}") as object), ...fields };
    writeFileSync(join(copy, "mine/kustomization.yaml"), JSON.stringify(kustomization));
    return build(join(copy, "mine"));
  }

  it.each(folders)("reads deploy/%s as these tests do", (folder) => {
    const built = build(join(deploy, folder));
    expect(byName(built)).toEqual(byName(buildKustomization(join(deploy, folder)).objects));
  });

  it.each(["nft", "iptables"])("takes every component at once, with %s", (chosen) => {
    const components = globSync("components/*", { cwd: deploy })
      .filter((component) => component === `components/${chosen}` || !/\/(nft|iptables)$/.test(component))
      .sort();
    const built = buildOver("", { resources: ["../base"], components: components.map((each) => `../${each}`) });
    const expected = buildKustomization(
      join(deploy, "base"),
      components.map((component) => join(deploy, component)),
    );
    expect(byName(built)).toEqual(byName(expected.objects));
  });

  describe("with the overlays of docs/install.md", () => {
    const page = readFileSync(resolve(deploy, "../docs/install.md"), "utf8");
    const blocks = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map(([, block = ""]) => block);
    /** The only one of the page that has this in it, its folders where `buildOver` has them. */
    const blockWith = (text: string) => {
      const [block, ...others] = blocks.filter((each) => each.includes(text));
      if (block === undefined || others.length > 0) throw new Error(`${others.length} more blocks have ${text}`);
      return block.replaceAll("../nftpol/deploy/", "../").replaceAll("sha256:…", digest);
    };
    const digest = `sha256:${"0".repeat(64)}`;

    it("runs the reader's image, with components", () => {
      const objects = buildOver(blockWith("# kustomization.yaml"), {});
      expect(containerIn(objects).image).toBe(`REGISTRY/nftpol@${digest}`);
      expect(containerIn(objects).args).toEqual(["agent", "--unknown-local-pods=drop", "--metrics-address=:10361"]);
    });

    it("adds an option", () => {
      const objects = buildOver(blockWith("--service-proxy=ipvs"), { resources: ["../base"] });
      expect(containerIn(objects).args).toEqual(["agent", "--service-proxy=ipvs"]);
    });

    it("takes the API server's address from a ConfigMap that is there", () => {
      const objects = buildOver(blockWith("direct-api-server"), { resources: ["../base"] });
      const map = objects.find(({ kind }) => kind === "ConfigMap");
      expect(map).toMatchObject({ data: { host: "api.cluster.example", port: "6443" } });
      const asked = containerIn(objects).env.flatMap(({ valueFrom }) => valueFrom?.configMapKeyRef ?? []);
      expect(asked).toEqual(["host", "port"].map((key) => ({ name: map?.metadata.name, key })));
    });
  });
});

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly { readonly valueFrom?: { readonly configMapKeyRef?: object } }[];
}

function containerIn(objects: readonly KubernetesObject[]): Container {
  const { spec } = objects.find(({ kind }) => kind === "DaemonSet") as unknown as {
    readonly spec: { readonly template: { readonly spec: { readonly containers: readonly [Container] } } };
  };
  return spec.template.spec.containers[0];
}
