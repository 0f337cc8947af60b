// kubectl makes of deploy/ what test/support/kustomize.ts makes of it, on which all other tests of these folders stand.
import { spawnSync } from "node:child_process";
import { cpSync, globSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { loadAll } from "js-yaml";
import { expect, it, onTestFinished } from "vitest";
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

  it.each(folders)("reads deploy/%s as these tests do", (folder) => {
    const built = build(join(deploy, folder));
    expect(byName(built)).toEqual(byName(buildKustomization(join(deploy, folder)).objects));
  });

  it.each(["nft", "iptables"])("takes every component at once, with %s", (chosen) => {
    const components = globSync("components/*", { cwd: deploy })
      .filter((component) => component === `components/${chosen}` || !/\/(nft|iptables)$/.test(component))
      .sort();
    const copy = mkdtempSync(join(tmpdir(), "nftpol-deploy-"));
    onTestFinished(() => rmSync(copy, { recursive: true }));
    for (const part of ["base", "components"]) cpSync(join(deploy, part), join(copy, part), { recursive: true });
    const kustomization = {
      apiVersion: "kustomize.config.k8s.io/v1beta1",
      kind: "Kustomization",
      resources: ["../base"],
      components: components.map((component) => `../${component}`),
    };
    mkdirSync(join(copy, "mine"));
    writeFileSync(join(copy, "mine/kustomization.yaml"), JSON.stringify(kustomization));
    const expected = buildKustomization(
      join(deploy, "base"),
      components.map((component) => join(deploy, component)),
    );
    expect(byName(build(join(copy, "mine")))).toEqual(byName(expected.objects));
  });
});
