// Owns which files belong to which suite, and the time each suite's tests may take.
// Each suite is a project: `vitest run --project unit`.
import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

interface SuiteSettings {
  readonly testTimeoutSeconds: number;
  /** One file at a time. Default: two. */
  readonly sequential?: boolean;
  /** Files share a process and its modules, which halves the time of many small files. Default: each has its own. */
  readonly shared?: boolean;
}

function suite(name: string, include: readonly string[], settings: SuiteSettings) {
  const timeout = settings.testTimeoutSeconds * 1000;
  return {
    extends: true as const,
    test: {
      name,
      include: [...include],
      testTimeout: timeout,
      hookTimeout: timeout,
      fileParallelism: settings.sequential !== true,
      isolate: settings.shared !== true,
    },
  };
}

const UNIT = ["src/**/*.test.ts", "bench/**/*.test.ts", "test/unit/**/*.test.ts"];
/** Of test/kernel: rules into kernels and back. */
const BACKENDS = "backend|backend-faults|hostile-text|iptables-*|rules-in-*";

export default defineConfig({
  test: {
    environment: "node",
    pool: "forks",
    maxWorkers: 2,
    passWithNoTests: true,
    restoreMocks: true,
    // What tests start from the sources, hundreds of times, is compiled once.
    env: { NODE_COMPILE_CACHE: resolve(import.meta.dirname, ".tools/compile-cache") },
    projects: [
      suite("unit", UNIT, { testTimeoutSeconds: 10, shared: true }),
      suite("property", ["test/property/**/*.test.ts"], { testTimeoutSeconds: 120 }),
      suite("examples", ["test/examples/**/*.test.ts"], { testTimeoutSeconds: 120 }),
      suite("cli", ["test/cli/**/*.test.ts"], { testTimeoutSeconds: 60, shared: true }),
      suite("api-server", ["test/api-server/**/*.test.ts"], { testTimeoutSeconds: 60, shared: true }),
      suite("scenarios", ["test/scenarios/**/*.test.ts"], { testTimeoutSeconds: 60 }),
      // Each in a namespace of its own; what they judge by arrival they judge with patience: two at a time take nothing from
      // each other but time.
      suite("backends", [`test/kernel/@(${BACKENDS}).test.ts`], { testTimeoutSeconds: 120 }),
      suite("kernel", [`test/kernel/!(${BACKENDS}).test.ts`], { testTimeoutSeconds: 120 }),
      suite("packets", ["test/packets/!(lab-)*.test.ts"], { testTimeoutSeconds: 120 }),
      suite("lab", ["test/packets/lab-*.test.ts"], { testTimeoutSeconds: 120 }),
      // What users get into their hands: packages, plugin, single file; and the image, in a container engine of its own.
      suite("delivery", ["test/delivery/**/*.test.ts"], { testTimeoutSeconds: 120 }),
      suite("image", ["test/image/**/*.test.ts"], { testTimeoutSeconds: 400, sequential: true }),
      // The commands of the pages for users.
      suite("docs", ["test/docs/**/*.test.ts"], { testTimeoutSeconds: 60 }),
      suite("browser", ["test/browser/**/*.test.ts"], { testTimeoutSeconds: 120, sequential: true }),
    ],
  },
});
