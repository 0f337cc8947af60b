// Owns deploy/components/dashboard/config-map.yaml: the dashboard, where Grafana's sidecar finds it. `node
// scripts/dashboard-config-map.ts` writes it after a change of dashboard.json.
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

const folder = resolve(import.meta.dirname, "../deploy/components/dashboard");

const HEAD = `# Written by scripts/dashboard-config-map.ts from dashboard.json beside it; change that one.
apiVersion: v1
kind: ConfigMap
metadata:
  name: nftpol-dashboard
  namespace: kube-system
  labels:
    app.kubernetes.io/name: nftpol
    grafana_dashboard: "1"
data:
  nftpol.json: |
`;

/** The manifest that holds this JSON, unchanged. */
export function dashboardConfigMap(json: string): string {
  const lines = json.trimEnd().split("\n");
  return `${HEAD}${lines.map((line) => `    ${line}\n`).join("")}`;
}

if (import.meta.main) {
  const json = readFileSync(join(folder, "dashboard.json"), "utf8");
  writeFileSync(join(folder, "config-map.yaml"), dashboardConfigMap(json));
}
