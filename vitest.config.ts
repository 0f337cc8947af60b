// Owns which files belong to which suite, and the time each suite's tests may take.
// Each suite is a project: `vitest run --project unit`.
import { defineConfig } from "vitest/config";

function suite(name: string, include: readonly string[], testTimeoutSeconds: number, sequential = false) {
  return {
    extends: true as const,
    test: {
      name,
      include: [...include],
      testTimeout: testTimeoutSeconds * 1000,
      hookTimeout: testTimeoutSeconds * 1000,
      fileParallelism: !sequential,
    },
  };
}

export default defineConfig({
  test: {
    environment: "node",
    pool: "forks",
    maxWorkers: 2,
    passWithNoTests: true,
    restoreMocks: true,
    projects: [
      suite("unit", ["src/**/*.test.ts", "bench/**/*.test.ts", "test/unit/**/*.test.ts"], 10),
      suite("property", ["test/property/**/*.test.ts"], 120),
      suite("examples", ["test/examples/**/*.test.ts"], 120),
      suite("cli", ["test/cli/**/*.test.ts"], 60),
      suite("api-server", ["test/api-server/**/*.test.ts"], 60),
      suite("scenarios", ["test/scenarios/**/*.test.ts"], 60),
      // Rules into kernels and back, each in a namespace of its own.
      suite("backends", ["test/kernel/{backend,backend-faults,hostile-text,iptables-*,rules-in-*}.test.ts"], 120),
      // One file at a time: these measure real packets and must not be starved by each other.
      suite("kernel", ["test/kernel/!(backend|backend-faults|hostile-text|iptables-*|rules-in-*).test.ts"], 120, true),
      suite("packets", ["test/packets/!(lab-)*.test.ts"], 120, true),
      // These judge by arrival, with patience: two at a time take nothing from each other but time.
      suite("lab", ["test/packets/lab-*.test.ts"], 120),
      suite("browser", ["test/browser/**/*.test.ts"], 120, true),
    ],
  },
});
