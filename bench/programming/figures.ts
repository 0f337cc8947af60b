// From the samples of a run to figures. Pure; the words around them are report.ts's.

import { median, quantile } from "../packets/statistics.ts";
import { CHANGE_KINDS, type ChangeKind } from "./changes.ts";
import type { RunResult, Sample } from "./sample.ts";
import type { Stages } from "./stopwatch.ts";

/** Milliseconds; NaN where nothing was measured. */
export interface KindFigures {
  readonly kind: ChangeKind;
  readonly samples: number;
  readonly elements: number;
  readonly transactions: number;
  readonly cleanUps: number;
  /** From the bytes' arrival to the commit. */
  readonly p50: number;
  readonly p99: number;
  readonly quartiles: readonly [number, number];
  /** From the API server's write to the commit. */
  readonly sentP50: number;
  /** Of one change: what it takes more than the same time without one. */
  readonly cpuAgent: number;
  readonly cpuNft: number;
  readonly bareP50: number;
  readonly childP50: number;
  readonly stages: StageFigures;
}

/** Medians. */
export interface StageFigures extends Omit<Stages, "netlink"> {
  readonly text: number;
  /** Of writing, what text and the bare nft of the same change do not account for. */
  readonly session: number;
  /** NaN: not all of the changes went to the kernel without nft. */
  readonly netlink: number;
}

export function kindFigures(run: RunResult): readonly KindFigures[] {
  return CHANGE_KINDS.map((kind) => ({ kind, ...figuresOf(run, [kind]) }));
}

/** Of all changes of these kinds together. */
export function figuresOf(run: RunResult, kinds: readonly ChangeKind[]): Omit<KindFigures, "kind"> {
  const samples = run.samples.filter(({ kind }) => kinds.includes(kind));
  const whole = samples.map(({ stages }) => stages.whole);
  const idle = { agent: median(run.idleCpu.map(({ agent }) => agent)), nft: median(run.idleCpu.map(({ nft }) => nft)) };
  const stage = (name: keyof Stages) => middle(samples, ({ stages }) => stages[name]);
  return {
    samples: samples.length,
    elements: middle(samples, ({ elements }) => elements),
    cleanUps: middle(samples, ({ cleanUps }) => cleanUps),
    transactions: middle(samples, ({ transactions }) => transactions),
    p50: median(whole),
    p99: quantile(whole, 0.99),
    quartiles: [quantile(whole, 0.25), quantile(whole, 0.75)],
    sentP50: middle(samples, ({ travelMs, stages }) => travelMs + stages.whole),
    cpuAgent: middle(samples, ({ cpu }) => cpu?.agent) - idle.agent,
    cpuNft: middle(samples, ({ cpu }) => cpu?.nft) - idle.nft,
    bareP50: middle(samples, ({ bareMs }) => bareMs),
    childP50: middle(samples, ({ childMs }) => childMs),
    stages: {
      decode: stage("decode"),
      wait: stage("wait"),
      graph: stage("graph"),
      transaction: stage("transaction"),
      text: middle(samples, ({ textMs }) => textMs),
      session: middle(samples, ({ stages: { write }, textMs, bareMs }) =>
        bareMs === undefined ? undefined : write - textMs - bareMs,
      ),
      write: stage("write"),
      netlink: samples.every(isWithoutNft) ? stage("netlink") : Number.NaN,
      cleanUp: stage("cleanUp"),
      whole: stage("whole"),
    },
  };
}

function isWithoutNft({ transactions, stages }: Sample): boolean {
  return transactions === 1 && stages.netlink !== undefined;
}

function middle(samples: readonly Sample[], value: (sample: Sample) => number | undefined): number {
  return median(samples.flatMap((sample) => value(sample) ?? []));
}
