// One clock for several processes: what one of them read can be compared with what another did.

/** Milliseconds of CLOCK_MONOTONIC, with nanoseconds behind the point. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}
