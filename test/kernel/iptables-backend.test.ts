// The iptables backend over a real kernel, with both variants: what every backend has to do. Chains and sets of other software are the
// same before and after each test, to the letter.
import { describe } from "vitest";
import { VARIANTS } from "../../src/backends/iptables/xtables-version.ts";
import { backendSuite } from "../support/backend-suite.ts";
import { sharedIptablesBench } from "../support/iptables-kernel-bench.ts";
import { describeKernel } from "../support/kernel.ts";
import { XTABLES_PROGRAMS } from "../support/xtables-in-netns.ts";

describeKernel(
  "the iptables backend over the kernel",
  () => {
    describe.each(VARIANTS)("with the variant %s", (variant) => {
      const shared = sharedIptablesBench(variant);
      backendSuite(async (body) => {
        try {
          await body(shared());
        } finally {
          await shared().end();
        }
      });
    });
  },
  XTABLES_PROGRAMS,
);
