import { describe, expect, it } from "vitest";
import type { IptablesRuleset } from "../../src/backends/iptables/ruleset.ts";
import { ruleText } from "../../src/backends/nft/text.ts";
import type { Address } from "../../src/net/address.ts";
import { type AdminShape, adminScenario } from "./admin-shapes.ts";
import type { BenchBackend } from "./backend.ts";
import { adminOrigin } from "./bench-cluster.ts";
import { IPTABLES, IptablesRules } from "./iptables-rules.ts";
import { type LocalPodShape, localPodScenario } from "./local-pod-shapes.ts";
import { traceScenario } from "./met-rules.ts";
import { NFT, NftRules } from "./nft-rules.ts";
import { type Ends, IPV4_ROUTED, type Outcome, type Scenario, UDP_OUTCOMES } from "./variant.ts";
import { VARIANTS } from "./variants.ts";

const ENDS: Ends = { client: "10.244.1.10" as Address, server: "10.244.1.11" as Address };
const [XTABLES] = IPTABLES as readonly [BenchBackend];

/** Rules of the first chain of the server's class that look at the number of one port. */
function portRules({ rules }: Scenario): string[] {
  if (!(rules instanceof NftRules)) throw new Error("rules of another backend");
  const chains = [...rules.ruleset.chains.values()].filter(({ name }) => /^ingress4_.*[a-z2-7]{16}$/.test(name));
  return chains.flatMap(({ rules }) => rules.map(ruleText)).filter((text) => text.startsWith("udp dport 80"));
}

const IPV6_ENDS: Ends = { client: "fd00:10:244:1::a" as Address, server: "fd00:10:244:1::b" as Address };

/** Rows that a backend has not. */
const ABSENT = { nft: /nft's floor|one rule after the other|one in the middle/, [XTABLES.name]: /^IPv6/ };
/** Those of more pods take seconds to compile, those of 200 policies nearly one; the benchmark itself checks all of them. */
const QUICK_ROWS = VARIANTS.filter(
  ({ axis, name, x = 0 }) => (axis !== "peers" || x <= 1_000) && !/^200$|policies: 200$/.test(name),
);

describe.each([NFT, XTABLES])("$name", (backend) => {
  const flows = QUICK_ROWS.flatMap((row) => (row.outcomes ?? UDP_OUTCOMES).map((outcome) => ({ ...row, outcome })));

  it.each(flows)(
    "$axis, $name: the flow that is to be $outcome is, by the rule that is named",
    ({ axis, name, scenario, outcome, place = IPV4_ROUTED }) => {
      const ends = place.family === 4 ? ENDS : IPV6_ENDS;
      const made = scenario(outcome, ends, backend);
      if (made === undefined) return expect(`${axis}: ${name}`).toMatch(ABSENT[backend.name] as RegExp);
      const { verdict } = traceScenario(made, outcome, ends);
      expect(verdict).toBe(outcome === "denied" ? "drop" : "accept");
    },
  );
});

describe("admin rules", () => {
  const alternating: AdminShape = { rules: 100, actions: "alternating", ports: "own", decidedBy: "last" };

  const scenarioOf = (changes: Partial<AdminShape>, outcome: Outcome): Scenario => {
    const made = adminScenario({ ...alternating, ...changes }, outcome, ENDS, NFT);
    if (made === undefined) throw new Error("no such rules");
    return made;
  };

  it.each(UDP_OUTCOMES)("that alternate are one rule after the other (%s)", (outcome) => {
    expect(portRules(scenarioOf({}, outcome))).toHaveLength(100);
  });

  it.each(UDP_OUTCOMES)("of one action are not (%s)", (outcome) => {
    expect(portRules(scenarioOf({ actions: "one" }, outcome))).toHaveLength(0);
  });

  it.each([
    { decidedBy: "first", index: 0 },
    { decidedBy: "last", index: 99 },
  ] as const)("are decided by the $decidedBy", ({ decidedBy, index }) => {
    expect(scenarioOf({ decidedBy }, "denied").decidedBy).toBe(adminOrigin(index));
  });
});

describe("local pods", () => {
  const shape: LocalPodShape = { pods: 50, classes: "own", position: "last", dispatch: "own" };

  function rulesetOf(changes: Partial<LocalPodShape>): { readonly ruleset: IptablesRuleset; readonly asked: number } {
    const made = localPodScenario({ ...shape, ...changes }, "allowed", ENDS, XTABLES);
    if (!(made?.rules instanceof IptablesRules)) throw new Error("no such rules");
    return { ruleset: made.rules.ruleset, asked: traceScenario(made, "allowed", ENDS).rulesAsked };
  }

  const classChains = ({ chains }: IptablesRuleset) =>
    [...chains[4].values()].filter(
      ({ name, rules }) => /^NFTPOL-i-/.test(name) && rules.some(({ comment }) => comment?.startsWith("bench/")),
    );

  it.each(["own", "linear"] as const)("in classes of their own have one each (%s)", (dispatch) => {
    expect(classChains(rulesetOf({ dispatch }).ruleset)).toHaveLength(50);
  });

  it("in one class share it", () => {
    expect(classChains(rulesetOf({ classes: "shared" }).ruleset)).toHaveLength(1);
  });

  it("one rule after the other are as many rules, and the server's is the last or in the middle", () => {
    const [last, middle] = [rulesetOf({ dispatch: "linear" }), rulesetOf({ dispatch: "linear", position: "middle" })];
    expect(last.ruleset.chains[4].get("NFTPOL-INGRESS")?.rules).toHaveLength(50);
    expect(last.asked - middle.asked).toBe(24);
  });

  it("of a tree are fewer rules, and of those the last is asked for the most", () => {
    const [last, middle] = [rulesetOf({}), rulesetOf({ position: "middle" })];
    expect(last.asked).toBeGreaterThan(middle.asked);
    expect(last.asked).toBeLessThan(rulesetOf({ dispatch: "linear", position: "middle" }).asked);
  });
});

describe("a scenario whose packets meet other rules than it says", () => {
  const scenario = adminScenario({ rules: 10, actions: "one", ports: "own", decidedBy: "last" }, "allowed", ENDS, NFT);
  if (scenario === undefined) throw new Error("no such rules");

  it.each([
    { wrong: "the outcome", outcome: "denied", change: {}, message: /accept, not drop/ },
    { wrong: "the rule", outcome: "allowed", change: { decidedBy: adminOrigin(3) }, message: /not decided by/ },
    { wrong: "the port", outcome: "allowed", change: { port: 1 }, message: /drop, not accept/ },
  ] as const)("is refused: $wrong", ({ outcome, change, message }) => {
    expect(() => traceScenario({ ...scenario, ...change }, outcome, ENDS)).toThrow(message);
  });
});

it("no two rows have one name", () => {
  const names = VARIANTS.map(({ axis, name }) => `${axis}: ${name}`);
  expect(new Set(names).size).toBe(names.length);
});
