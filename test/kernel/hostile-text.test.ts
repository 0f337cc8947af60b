// Names, labels and comments that would be syntax, put into the model past all validation: the kernel holds them as comments, and
// nothing else changes. Through the session too, where each line is a command.
import { describe, expect, it } from "vitest";
import { VARIANTS } from "../../src/backends/iptables/xtables-version.ts";
import { RuleGraph } from "../../src/graph/rule-graph.ts";
import { podKey } from "../../src/model/cluster.ts";
import { policyKey } from "../../src/model/policy.ts";
import type { ClusterEvent } from "../../src/state/change.ts";
import { ClusterStore } from "../../src/state/store.ts";
import { expectedText } from "../support/comparable-ruleset.ts";
import { withIptablesKernelBench } from "../support/iptables-kernel-bench.ts";
import { describeKernel } from "../support/kernel.ts";
import { waysToWrite, withKernelBench } from "../support/nft-kernel-bench.ts";
import { allowingPolicy, numberedPod, SUITE_OPTIONS } from "../support/policy-cluster.ts";
import { type ApiObject, eventOf } from "../support/random-cluster.ts";
import { XTABLES_PROGRAMS } from "../support/xtables-in-netns.ts";

const HOSTILE = [
  '" accept comment "',
  '"; flush ruleset; #',
  "x\ndelete table inet nftpolicy\n",
  "}\n}\nflush ruleset\n",
  'include "/etc/passwd"',
  "zzend_2",
  "\nzzend_2\n      ^\n",
  'trailing\\"',
  "$variable @isolated4 # comment",
  "\u0000\u001b[2J\u2028",
  "ünïcödé 🦊",
  '"'.repeat(253),
  "é".repeat(253),
];

/** The object with the text in every place that is free. */
function poisoned(object: ApiObject, text: string): ClusterEvent {
  const event = eventOf(object);
  const position = { file: text, line: 1, column: 1 };
  if (event.kind === "pod" && event.pod !== undefined) {
    const key = podKey(text, event.pod.name);
    const ports = [{ name: text, protocol: "TCP" as const, port: 8080 }];
    return {
      kind: "pod",
      key,
      pod: { ...event.pod, key, namespace: text, workload: text, ports, position },
    };
  }
  if (event.kind === "policy" && event.policy?.tier === "namespace") {
    const { policy } = event;
    const key = policyKey(policy.kind, text, text);
    const subject = { ...policy.subject, namespaces: { kind: "name" as const, name: text } };
    const ingress = policy.rules.ingress.map((rule) => ({
      ...rule,
      ports: [{ kind: "named" as const, protocol: "TCP" as const, name: text }],
    }));
    const egress = policy.rules.egress.map((rule) => ({ ...rule, ports: ingress[0]?.ports ?? rule.ports }));
    return {
      kind: "policy",
      key,
      policy: { ...policy, key, namespace: text, name: text, subject, rules: { ingress, egress }, position },
    };
  }
  throw new Error(`not to be poisoned: ${object.kind}`);
}

describeKernel("hostile text", () => {
  describe.each(waysToWrite())("with nft of $name", ({ path, writer }) => {
    it("stays text", () =>
      withKernelBench(path, writer, async ({ open, found }) => {
        const graph = new RuleGraph(new ClusterStore(), "n1", SUITE_OPTIONS);
        const backend = open();
        graph.flush();
        await backend.install(graph.program());
        for (const [index, text] of HOSTILE.entries()) {
          graph.apply({
            kind: "namespace",
            name: text,
            namespace: { name: text, labels: { [text]: text }, position: { file: text, line: 1, column: 1 } },
          });
          graph.apply(poisoned(numberedPod(index, { app: "web" }, "n1"), text));
          graph.apply(poisoned(allowingPolicy("web", "web", "client"), text));
          expect(await backend.apply(graph.flush())).toMatchObject({ how: "delta" });
        }
        expect(await found()).toBe(expectedText(graph));
        expect(await backend.verify()).toEqual({ differences: [], repair: undefined });
        const next = open();
        expect(await next.install(graph.program())).toEqual({ how: "adopted", operations: 0, elements: 0 });
      }));
  });
});

/** What iptables and ipset read has lines and quotes of its own. */
const HOSTILE_TO_RESTORE = [
  ...HOSTILE,
  "x\nCOMMIT\n*filter\n-F\n",
  "' -j ACCEPT '",
  "\\' -j ACCEPT",
  "-t nat",
  "! --comment",
  "END\n",
  "$(iptables -F) `ipset destroy`",
];

describeKernel(
  "hostile text in iptables",
  () => {
    it.each(VARIANTS)("stays text, with the variant %s", (variant) =>
      withIptablesKernelBench(variant, async ({ open, found, expected }) => {
        const graph = new RuleGraph(new ClusterStore(), "n1", SUITE_OPTIONS);
        graph.flush();
        const backend = open();
        await backend.install(graph.program());
        for (const [index, text] of HOSTILE_TO_RESTORE.entries()) {
          graph.apply(poisoned(numberedPod(index, { app: "web" }, "n1"), text));
          graph.apply(poisoned(allowingPolicy("web", "web", "client"), text));
        }
        expect(await backend.apply(graph.flush())).toMatchObject({ how: "delta" });
        expect(await found()).toBe(expected(graph));
        expect(await backend.verify()).toEqual({ differences: [], repair: undefined });
        expect(await open().install(graph.program())).toEqual({ how: "adopted", operations: 0, elements: 0 });
      }),
    );
  },
  XTABLES_PROGRAMS,
);
