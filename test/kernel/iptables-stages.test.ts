// The kernel takes and refuses what the stand-in in memory does (src/backends/iptables/memory-kernel-rules.test.ts).
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { IptablesKernelRules } from "../../src/backends/iptables/io/iptables-kernel-rules.ts";
import { MemoryKernelRules } from "../../src/backends/iptables/memory-kernel-rules.ts";
import { VARIANTS } from "../../src/backends/iptables/xtables-version.ts";
import { foundText } from "../support/comparable-iptables.ts";
import { programName } from "../support/iptables-kernel-bench.ts";
import { describeKernel } from "../support/kernel.ts";
import { REFUSED, START, type StageCase, TAKEN } from "../support/refused-stages.ts";
import { withXtables, XTABLES_PROGRAMS, type XtablesInNetns } from "../support/xtables-in-netns.ts";

describeKernel(
  "the kernel",
  () => {
    describe.each(VARIANTS)("through the variant %s", (variant) => {
      const over = Promise.withResolvers<void>();
      let xtables: XtablesInNetns;
      let kernel: IptablesKernelRules;
      let ended: Promise<void>;

      beforeAll(async () => {
        await new Promise<void>((resolve, reject) => {
          ended = withXtables((opened) => {
            xtables = opened;
            resolve();
            return over.promise;
          });
          ended.catch(reject);
        });
        const { settings, ipset, procNet } = xtables;
        kernel = new IptablesKernelRules({ variant, xtables: settings, ipset, procNet, watchEveryMs: 0 });
      });
      afterAll(async () => {
        over.resolve();
        await ended;
      });
      beforeEach(async () => {
        const ipt = programName(variant, 4);
        await xtables.sh(`${ipt} -F; ${ipt} -X; ipset destroy`);
        await kernel.write(START);
      });

      const ofVariant = ({ only }: StageCase) => only === undefined || only === variant;

      it.each(REFUSED.filter(ofVariant))("refuses $name", async ({ stage }) => {
        const before = foundText(await kernel.read());
        // Sets that cannot be destroyed are no failure.
        if (stage.kind === "destroy-sets") await kernel.write([stage]);
        else await expect(kernel.write([stage])).rejects.toMatchObject({ name: "BackendError" });
        // ipset takes what comes before what it refuses: the set itself, or the elements that fit.
        const isInPart = stage.kind === "change-elements" || stage.kind === "create-sets";
        if (!isInPart) expect(foundText(await kernel.read())).toBe(before);
      });

      it.each(TAKEN.filter(ofVariant))("takes $name", async ({ stage, only }) => {
        await kernel.write([stage]);
        // The memory is as strict as nft.
        if (only === "legacy") return;
        const memory = new MemoryKernelRules();
        memory.tamper([...START, stage]);
        expect(foundText(await kernel.read())).toBe(foundText(memory.found()));
      });
    });
  },
  XTABLES_PROGRAMS,
);
