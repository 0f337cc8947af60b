// Kubeconfig files for the fake API server, written into a folder that disappears with the test. JSON is YAML, too.

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { FakeApiServer } from "./fake-api-server.ts";

export type ConfigEntry = Readonly<Record<string, unknown>>;

export interface KubeconfigContent {
  readonly context?: string;
  readonly currentContext?: string;
  readonly cluster: ConfigEntry;
  /** undefined: the context has no user. */
  readonly user?: ConfigEntry | undefined;
}

export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "nftpol-kube-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The path of a new kubeconfig with one context, `test` where nothing else is said. */
export function writeKubeconfig(content: KubeconfigContent, folder = temporaryFolder(), file = "config"): string {
  const { context = "test", currentContext = context, cluster, user } = content;
  const path = join(folder, file);
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": currentContext,
    clusters: [{ name: `${context}-cluster`, cluster }],
    users: user === undefined ? [] : [{ name: `${context}-user`, user }],
    contexts: [
      {
        name: context,
        context: { cluster: `${context}-cluster`, ...(user === undefined ? {} : { user: `${context}-user` }) },
      },
    ],
  };
  writeFileSync(path, JSON.stringify(config, null, 1), { mode: 0o600 });
  return path;
}

/** The cluster entry that trusts the server. */
export function clusterOf(server: FakeApiServer): ConfigEntry {
  return {
    server: server.url,
    "certificate-authority-data": Buffer.from(server.authority.certPem).toString("base64"),
  };
}
