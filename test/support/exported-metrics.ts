// What an agent serves at /metrics that has seen everything once, and what is in it: names, types, labels and their values.

import { AgentMetrics } from "../../src/agent/metrics.ts";

export interface ExportedMetric {
  readonly name: string;
  /** As Prometheus calls it: `counter`, `gauge`, `histogram`, `summary`. */
  readonly type: string;
  /** Each label with the values that it had; without `le`. */
  readonly labels: ReadonlyMap<string, ReadonlySet<string>>;
}

/** A line of Prometheus' text format: `nftpol_local_pods{state="known"}`. */
const SAMPLE = /^([a-zA-Z_:]\w*)(\{.*\})? \S+$/gm;

export function everyMetric(): Promise<string> {
  const metrics = new AgentMetrics({ version: "1", backend: "nft" });
  metrics.observe({
    inForce: () => true,
    size: () => ({ sets: 1, elements: 1, chains: 1, rules: 1 }),
    sources: () => [
      {
        resource: "pods",
        installed: true,
        synced: true,
        lastEventAgeSeconds: 1,
        relists: 1,
        watches: 1,
        failures: 1,
        lastFailure: undefined,
      },
    ],
    dropped: () => ({ ingress: 1, egress: 1, midstream: 1, unknown: 1 }),
    localPods: () => ({ isolated: 1, known: 1 }),
    policies: () => 1,
    findings: () => [{ kind: "policy", severity: "error", objects: 1 }],
    pathProblems: () => 1,
    unenforcedKinds: () => ["adminnetworkpolicies.policy.networking.k8s.io"],
    eventLoopDelay: () => ({ p99: 1, longest: 1 }),
  });
  metrics.committed({ how: "delta", operations: 1, elements: 1 }, 1, 1);
  metrics.inForce([1], [1]);
  metrics.syncFailed("refused");
  metrics.verified(0, 1);
  metrics.verified(1, 1);
  metrics.verificationFailed(1);
  metrics.rechecked(1, 1);
  metrics.eventReported("created");
  return metrics.text();
}

export function readMetrics(text: string): readonly ExportedMetric[] {
  const samples = samplesOf(text);
  return [...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = "", type = ""]) => {
    const own = samples.filter((sample) => sample.metric === name || sample.metric === `${name}_bucket`);
    const labels = new Map<string, Set<string>>();
    for (const [, label = "", value = ""] of own.flatMap((sample) => [...sample.labels.matchAll(/(\w+)="([^"]*)"/g)])) {
      if (label !== "le") labels.set(label, (labels.get(label) ?? new Set()).add(value));
    }
    return { name, type, labels };
  });
}

/** Each series: its metric and what stands between its braces. */
export function samplesOf(text: string): readonly { readonly metric: string; readonly labels: string }[] {
  return [...text.matchAll(SAMPLE)].map(([, metric = "", braces = ""]) => ({ metric, labels: braces.slice(1, -1) }));
}

/** What expressions may ask of them: of a histogram also its parts. */
export function seriesNames(metrics: readonly ExportedMetric[]): readonly string[] {
  return metrics.flatMap(({ name, type }) =>
    type === "histogram" ? [name, `${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
  );
}
