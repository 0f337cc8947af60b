// For each alert of deploy/components/alerts: series under which it fires, and series under which it has to be quiet.

/** A sample every 30 s. `1x20`: 1 for ten minutes; `0+1x20`: one more each time. */
type Series = Readonly<Record<string, string>>;

export interface AlertCase {
  readonly alert: string;
  /** What happens. */
  readonly when: string;
  readonly series: Series;
  /** Since the first sample; default: 20 minutes. */
  readonly atMinutes?: number;
  /** undefined: it does not fire. */
  readonly fires?: {
    readonly labels: Readonly<Record<string, string>>;
    /** As the message says it. */
    readonly value?: string;
  };
}

const NODE = 'node="n1", instance="192.0.2.1:10361", job="nftpol"';
const ON_N1 = { node: "n1", instance: "192.0.2.1:10361", job: "nftpol" };
const PODS = { ...ON_N1, resource: "pods" };

export const ALERT_CASES: readonly AlertCase[] = [
  {
    alert: "NftpolNotInPacketPath",
    when: "a bridge carries packets past the rules",
    series: { [`nftpol_packet_path_problems{${NODE}}`]: "0x4 2x40" },
    fires: { labels: ON_N1, value: "2" },
  },
  {
    alert: "NftpolNotInPacketPath",
    when: "problems went away by themselves",
    series: { [`nftpol_packet_path_problems{${NODE}}`]: "0x4 2x6 0x40" },
  },
  {
    alert: "NftpolRulesNotInForce",
    when: "the kernel refuses changes",
    series: { [`nftpol_rules_in_force{${NODE}}`]: "1x4 0x40" },
    fires: { labels: ON_N1 },
  },
  {
    alert: "NftpolRulesNotInForce",
    when: "the agent has been replaced",
    series: { [`nftpol_rules_in_force{${NODE}}`]: "1x10 0x2 1x40" },
  },
  {
    alert: "NftpolDoesNotHearTheApiServer",
    when: "no bookmark comes any more",
    series: { [`nftpol_reflector_last_event_age_seconds{${NODE}, resource="pods"}`]: "0+30x40" },
    fires: { labels: PODS },
  },
  {
    alert: "NftpolDoesNotHearTheApiServer",
    when: "a resource cannot be read after the start",
    series: { [`nftpol_reflector_synced{${NODE}, resource="pods"}`]: "0x40" },
    fires: { labels: PODS },
  },
  {
    alert: "NftpolDoesNotHearTheApiServer",
    when: "bookmarks come",
    series: {
      [`nftpol_reflector_last_event_age_seconds{${NODE}, resource="pods"}`]: "0 30 60 5 35 59x40",
      [`nftpol_reflector_synced{${NODE}, resource="pods"}`]: "1x40",
    },
  },
  {
    alert: "NftpolDoesNotHearTheApiServer",
    when: "nobody touches a folder of manifests",
    series: {
      [`nftpol_reflector_last_event_age_seconds{${NODE}, resource="manifests"}`]: "0+30x40",
      [`nftpol_reflector_synced{${NODE}, resource="manifests"}`]: "1x40",
    },
  },
  {
    alert: "NftpolAgentMissing",
    when: "a node's agent does not become ready",
    series: { 'kube_daemonset_status_number_unavailable{daemonset="nftpol", namespace="kube-system"}': "0x4 1x80" },
    atMinutes: 30,
    fires: { labels: { daemonset: "nftpol", namespace: "kube-system" }, value: "1" },
  },
  {
    alert: "NftpolAgentMissing",
    when: "an update goes from node to node, or the DaemonSet is somebody else's",
    series: {
      'kube_daemonset_status_number_unavailable{daemonset="nftpol", namespace="kube-system"}': "3x16 0x80",
      'kube_daemonset_status_number_unavailable{daemonset="other", namespace="kube-system"}': "1x80",
    },
    atMinutes: 30,
  },
  {
    alert: "NftpolMetricsMissing",
    when: "nobody scrapes the agents",
    series: { "up{}": "1x40" },
    fires: { labels: {} },
  },
  {
    alert: "NftpolMetricsMissing",
    when: "one agent is scraped",
    series: { [`nftpol_build_info{${NODE}}`]: "1x40" },
  },
  {
    alert: "NftpolRestarts",
    when: "the agent began four times",
    series: {
      [`process_start_time_seconds{${NODE}}`]: "1000x5 1150x5 1300x5 1450x5 1600x20",
      [`nftpol_build_info{${NODE}, version="1", backend="nft"}`]: "1x60",
    },
    fires: { labels: ON_N1, value: "4" },
  },
  {
    alert: "NftpolRestarts",
    when: "it was updated, while another program restarts all the time",
    series: {
      [`process_start_time_seconds{${NODE}}`]: "1000x5 1150x40",
      [`nftpol_build_info{${NODE}, version="1", backend="nft"}`]: "1x60",
      'process_start_time_seconds{instance="192.0.2.1:9100", job="other"}': "0+30x40",
    },
  },
  {
    alert: "NftpolTableChangedByOthers",
    when: "somebody flushed the table once",
    series: { [`nftpol_drift_total{${NODE}}`]: "0x20 12x20" },
    fires: { labels: ON_N1 },
  },
  {
    alert: "NftpolTableChangedByOthers",
    when: "that was long ago",
    series: { [`nftpol_drift_total{${NODE}}`]: "12x240" },
    atMinutes: 120,
  },
  {
    alert: "NftpolCannotVerify",
    when: "the table cannot be read back for minutes",
    series: { [`nftpol_verifications_total{${NODE}, result="failed"}`]: "0x10 0+1x40" },
    fires: { labels: { ...ON_N1, result: "failed" } },
  },
  {
    alert: "NftpolCannotVerify",
    when: "that failed once",
    series: {
      [`nftpol_verifications_total{${NODE}, result="failed"}`]: "0x20 1x40",
      [`nftpol_verifications_total{${NODE}, result="equal"}`]: "0+1x40",
    },
  },
  {
    alert: "NftpolConnectionsNotRechecked",
    when: "every pass fails",
    series: { [`nftpol_connection_recheck_failures_total{${NODE}}`]: "0+1x40" },
    fires: { labels: ON_N1 },
  },
  {
    alert: "NftpolConnectionsNotRechecked",
    when: "one pass failed and was repeated",
    series: { [`nftpol_connection_recheck_failures_total{${NODE}}`]: "0x20 1x40" },
  },
  ...(["NftpolSlow", "NftpolPodsProtectedLate"] as const).flatMap((alert): readonly AlertCase[] => {
    const metric = { NftpolSlow: "network_programming", NftpolPodsProtectedLate: "pod_protection" }[alert];
    const bucket = (le: string) => `nftpol_${metric}_duration_seconds_bucket{${NODE}, le="${le}"}`;
    return [
      {
        alert,
        when: "what comes takes 5 to 10 s",
        series: { [bucket("5")]: "0x60", [bucket("10")]: "0+2x60", [bucket("+Inf")]: "0+2x60" },
        atMinutes: 30,
        fires: { labels: { node: "n1" }, value: "9.95s" },
      },
      {
        alert,
        when: "it takes less",
        series: { [bucket("5")]: "0+2x60", [bucket("10")]: "0+2x60", [bucket("+Inf")]: "0+2x60" },
        atMinutes: 30,
      },
      {
        alert,
        when: "nothing changes",
        series: { [bucket("5")]: "3x60", [bucket("10")]: "4x60", [bucket("+Inf")]: "4x60" },
        atMinutes: 30,
      },
    ];
  }),
  {
    alert: "NftpolInvalidPolicies",
    when: "a policy stays invalid, which every agent tells",
    series: {
      [`nftpol_objects_with_findings{${NODE}, kind="policy", severity="error"}`]: "1x120",
      'nftpol_objects_with_findings{node="n2", kind="policy", severity="error"}': "1x120",
    },
    atMinutes: 60,
    fires: { labels: { kind: "policy" }, value: "1" },
  },
  {
    alert: "NftpolInvalidPolicies",
    when: "objects are doubtful only",
    series: { [`nftpol_objects_with_findings{${NODE}, kind="policy", severity="warning"}`]: "3x120" },
    atMinutes: 60,
  },
  {
    alert: "NftpolUnenforcedPolicyKind",
    when: "the cluster has such a kind",
    series: { [`nftpol_unenforced_policy_kind{${NODE}, resource="others.policy.networking.k8s.io"}`]: "1x40" },
    fires: { labels: { resource: "others.policy.networking.k8s.io" } },
  },
  { alert: "NftpolUnenforcedPolicyKind", when: "there is none", series: { [`nftpol_policies{${NODE}}`]: "1x40" } },
];
