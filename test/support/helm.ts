// Runs helm on charts, with folders and a cluster of its own (none). Owns how values get in, and objects or a refusal out.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { loadAll } from "js-yaml";
import type { KubernetesObject } from "./kustomize.ts";

export interface Values {
  readonly [name: string]: unknown;
}

export interface HelmRun {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export class Helm {
  readonly #program: string;
  readonly #home = mkdtempSync(join(tmpdir(), "nftpol-helm-"));

  constructor(program: string) {
    this.#program = program;
  }

  run(args: readonly string[], input = ""): HelmRun {
    const env = {
      PATH: process.env.PATH,
      HOME: this.#home,
      HELM_CACHE_HOME: join(this.#home, "cache"),
      HELM_CONFIG_HOME: join(this.#home, "config"),
      HELM_DATA_HOME: join(this.#home, "data"),
      KUBECONFIG: join(this.#home, "no-cluster"),
    };
    const { status, stdout, stderr, error } = spawnSync(this.#program, args, {
      env,
      input,
      encoding: "utf8",
      maxBuffer: 64 << 20,
    });
    if (error !== undefined) throw error;
    return { code: status, stdout, stderr };
  }

  /** What the chart would put into the cluster. Throws with what helm says when it refuses. */
  render(chart: string, values: Values = {}, namespace = "kube-system"): readonly KubernetesObject[] {
    const args = ["template", "nftpol", chart, "--namespace", namespace, "--values", "-"];
    const { code, stdout, stderr } = this.run(args, JSON.stringify(values));
    if (code !== 0) throw new Error(stderr);
    return loadAll(stdout).filter((object) => object !== null) as KubernetesObject[];
  }

  remove(): void {
    rmSync(this.#home, { recursive: true, force: true });
  }
}
