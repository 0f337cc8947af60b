import type { RunResult } from "./sample.ts";
export const tablesOf = (_: readonly RunResult[]) => [];
export const plotsOf = (_: readonly RunResult[]) => [];
export const figuresOf = (r: readonly RunResult[]) => r;
