// What is measured, and how large: the defaults of the issue, or what the environment chooses. Owns the names of the variables.

export interface ScaleSettings {
  /** Of other nodes: a first sync for each number, ascending. */
  readonly pods: readonly number[];
  readonly localPods: number;
  readonly policies: number;
  readonly nodes: number;
  readonly podBytes: number;
  /** Starts of the agent for each number of pods. */
  readonly rounds: number;
  /** Between ready and steady. */
  readonly settleSeconds: number;
  /** Pod events of each kind, with the largest number of pods; 0: none. */
  readonly events: number;
  readonly eventsPerSecond: number;
  /** At once; 0: none. */
  readonly floodEvents: number;
  readonly churnPods: number;
  /** Simulated; 0: no churn. */
  readonly hours: number;
  /** In an hour. */
  readonly replacedPods: number;
  readonly relabelledPods: number;
  readonly changedPolicies: number;
  /** Of Node.js instead of the launcher's, to profile with. */
  readonly nodeFlags: string | undefined;
}

export function settingsFrom(env: NodeJS.ProcessEnv): ScaleSettings {
  const number = (name: string, usual: number) => {
    const text = env[`NFTPOL_BENCH_${name}`];
    const value = text === undefined ? usual : Number(text);
    if (!Number.isSafeInteger(value) || value < 0) throw new Error(`NFTPOL_BENCH_${name}: ${text} is no number`);
    return value;
  };
  const pods = (env.NFTPOL_BENCH_PODS ?? "10000,50000,150000").split(",").map(Number);
  if (pods.some((count) => !Number.isSafeInteger(count) || count < 1_000)) {
    throw new Error("NFTPOL_BENCH_PODS: numbers from 1000 on, with commas between them");
  }
  return {
    pods: pods.sort((a, b) => a - b),
    localPods: 110,
    policies: number("POLICIES", 10_000),
    nodes: Math.max(2, number("NODES", 5_000)),
    podBytes: 6_000,
    rounds: Math.max(1, number("ROUNDS", 1)),
    settleSeconds: number("SETTLE_SECONDS", 30),
    events: number("EVENTS", 20_000),
    eventsPerSecond: 2_000,
    floodEvents: number("FLOOD", 100_000),
    churnPods: number("CHURN_PODS", Math.min(20_000, ...pods.slice(-1))),
    hours: number("HOURS", 24),
    replacedPods: 1_500,
    relabelledPods: 1_000,
    changedPolicies: 20,
    nodeFlags: env.NFTPOL_BENCH_NODE_FLAGS,
  };
}
