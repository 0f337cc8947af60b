// A small document for tests: nothing in it was measured.

import type { BenchDocument } from "../document.ts";

interface Ids {
  readonly tables?: readonly string[];
  readonly plots?: readonly string[];
}

export function benchDocument(bench: string, { tables = [], plots = [] }: Ids = {}): BenchDocument {
  return {
    bench,
    machine: {
      date: "2026-11-22",
      cpu: "Some CPU",
      cpus: 2,
      memoryGiB: 8,
      kernel: "6.18.0",
      node: "v24.0.0",
      nft: "nftables v1.0.6",
      revision: "abc1234",
      loadBefore: 1,
      loadAfter: 2,
      stolenSeconds: 0.5,
      seconds: 60,
    },
    settings: { rounds: 3 },
    tables: tables.map((id) => ({ id, title: `Title of ${id}`, columns: ["a"], rows: [["1"]], note: "made up" })),
    plots: plots.map((id) => ({
      id,
      title: `Plot ${id}`,
      xLabel: "x",
      yLabel: "y",
      xScale: "linear",
      yScale: "linear",
      series: [{ name: "ours", isOurs: true, points: [{ x: 1, y: 2 }] }],
    })),
    figures: [1, 2, 3],
  };
}
