// The iptables backend over memory does what every backend has to do, and survives what only memory can be told to do.
import { describe } from "vitest";
import { IptablesBackend } from "../../src/backends/iptables/iptables-backend.ts";
import { MemoryKernelRules } from "../../src/backends/iptables/memory-kernel-rules.ts";
import { backendSuite } from "../support/backend-suite.ts";
import { foundText } from "../support/comparable-iptables.ts";
import { iptablesBench } from "../support/iptables-bench.ts";

describe("over memory", () => {
  backendSuite(async (body) => {
    const kernel = new MemoryKernelRules();
    const place = {
      open: (onTransaction?: (text: string) => void) => new IptablesBackend(kernel, { onTransaction }),
      rules: () => kernel.read(),
      foreign: async (stages: Parameters<typeof kernel.tamper>[0]) => kernel.tamper(stages),
      refuseNextSet: async () => kernel.failWrite({ kind: "refuse" }),
      fingerprint: async () => foundText(kernel.found()),
    };
    await body(iptablesBench(place));
  });
});
