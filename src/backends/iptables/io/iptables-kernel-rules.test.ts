// Which stage goes to which program, and what is said of a failure, with programs that pretend to be iptables and ipset. With real ones:
// test/kernel/iptables-*.test.ts.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type FakePrograms, withFakePrograms } from "../../../../test/support/fake-programs.ts";
import type { Family } from "../../../net/address.ts";
import { chain, DROP, rule } from "../build.ts";
import type { IpSet } from "../ruleset.ts";
import type { Stage } from "../stages.ts";
import { IpsetProgram } from "./ipset-program.ts";
import { IptablesKernelRules } from "./iptables-kernel-rules.ts";
import { DEFAULT_XTABLES } from "./xtables-programs.ts";

/** What a program does with its input the first time: `fail-NAME` holds it. */
const meetFault = (name: string) => `
if [ -e "$dir/fail-${name}" ]; then fault=$(cat "$dir/fail-${name}"); rm "$dir/fail-${name}"; eval "$fault"; fi`;

const xtables = (name: string, short: string) => ({
  [`${name}-nft`]: "echo 'iptables v1.8.9 (nf_tables)'",
  [`${name}-nft-save`]: `printf '*filter\\n:FORWARD ACCEPT [0:0]\\nCOMMIT\\n'`,
  [`${name}-nft-restore`]: `cat > "$dir/input"; echo ${short} >> "$dir/log"; ${meetFault(short)}`,
});

const PROGRAMS = {
  ...xtables("iptables", "rules4"),
  ...xtables("ip6tables", "rules6"),
  ipset: `
case "$*" in
  --version) echo 'ipset v7.17, protocol version: 7' ;;
  save) ;;
  *restore)
    cat > "$dir/input"
    read -r word rest < "$dir/input"
    echo "$word $*" >> "$dir/log"
    ${meetFault("ipset")} ;;
  *) cat "$dir/references" 2>/dev/null || true ;;
esac`,
};

const REFUSED_FIRST = "echo 'ipset v7.17: Error in line 1: refused' >&2; exit 1";
const REFUSED_LATER = "echo 'ipset v7.17: Error in line 2: refused' >&2; exit 1";
const REFUSED_RULES = "echo 'iptables-nft-restore: line 2 failed' >&2; exit 1";
const KILLED = "kill -KILL $$";

const set = (name: string, family: Family = 4): IpSet => ({
  name,
  type: "hash:ip",
  family,
  maxElements: 64,
  elements: new Set(["10.0.0.1"]),
});
const create: Stage = { kind: "create-sets", sets: [set("NFTPOL-a")] };
const change: Stage = {
  kind: "change-elements",
  changes: [{ set: "NFTPOL-a", action: "add", elements: ["10.0.0.2"] }],
};
const destroy: Stage = { kind: "destroy-sets", sets: ["NFTPOL-b"] };
const rules = (family: Family): Stage => ({
  kind: "rules",
  family,
  write: [chain("NFTPOL-X", [rule([], DROP)])],
  remove: [],
  hook: [],
  unhook: [],
});

const withKernel = (
  body: (
    kernel: IptablesKernelRules,
    fake: FakePrograms & { fail(program: string, how: string): void },
  ) => Promise<void>,
  hasIpv6 = true,
) =>
  withFakePrograms(PROGRAMS, async (fake) => {
    const procNet = join(fake.folder, "net");
    mkdirSync(procNet);
    if (hasIpv6) writeFileSync(join(procNet, "if_inet6"), "");
    const kernel = new IptablesKernelRules({
      variant: "nft",
      xtables: { ...DEFAULT_XTABLES, folder: fake.folder },
      ipset: new IpsetProgram({ binary: join(fake.folder, "ipset"), timeoutMs: 30_000 }),
      procNet,
      watchEveryMs: 0,
    });
    await body(kernel, { ...fake, fail: (program, how) => writeFileSync(join(fake.folder, `fail-${program}`), how) });
  });

const CREATE = "create restore";
const CHANGE = "add -exist restore";
const DESTROY = "destroy restore";

it("each stage is for one program, in order; what changes elements minds neither what is there nor what is not", () =>
  withKernel(async (kernel, { read }) => {
    await kernel.write([create, change, rules(4), rules(6), destroy]);
    expect(read("log").trim().split("\n")).toEqual([CREATE, CHANGE, "rules4", "rules6", DESTROY]);
  }));

it("without IPv6 in the kernel no program of IPv6 is run", () =>
  withKernel(async (kernel, { read }) => {
    const six: Stage = { kind: "create-sets", sets: [set("NFTPOL-six", 6)] };
    await kernel.write([six, rules(6), rules(4)]);
    expect(read("log")).toBe("rules4\n");
    expect((await kernel.read()).ruleset.sets.has("NFTPOL-six")).toBe(true);
  }, false));

describe("a failure", () => {
  it.each<[sentence: string, stages: readonly Stage[], program: string, how: string, kind: string]>([
    ["of new sets is a refusal: nothing looks them up", [create, rules(4)], "ipset", REFUSED_FIRST, "refused"],
    ["of new sets in the middle, too", [create, rules(4)], "ipset", REFUSED_LATER, "refused"],
    ["of new sets that ends the program, too", [create, rules(4)], "ipset", KILLED, "refused"],
    ["of elements at the first is a refusal", [change, rules(4)], "ipset", REFUSED_FIRST, "refused"],
    ["of elements later is none: some are changed", [change, rules(4)], "ipset", REFUSED_LATER, "broken"],
    ["of elements that ends the program is none", [change, rules(4)], "ipset", KILLED, "broken"],
    ["of the first family's rules is a refusal", [create, rules(4), rules(6)], "rules4", REFUSED_RULES, "refused"],
    ["of the first family's rules that ends the program is none", [create, rules(4)], "rules4", KILLED, "broken"],
    [
      "of the second family's rules is none: the first has new ones",
      [rules(4), rules(6)],
      "rules6",
      REFUSED_RULES,
      "broken",
    ],
    ["of rules after elements is none", [change, rules(4)], "rules4", REFUSED_RULES, "broken"],
  ])("%s", (_, stages, program, how, kind) =>
    withKernel(async (kernel, { fail }) => {
      fail(program, how);
      await expect(kernel.write(stages)).rejects.toMatchObject({ name: "BackendError", kind });
      await kernel.write(stages);
    }),
  );

  it("ends the write: no stage comes after it", () =>
    withKernel(async (kernel, { fail, read }) => {
      fail("rules4", REFUSED_RULES);
      await expect(kernel.write([create, rules(4), rules(6), destroy])).rejects.toMatchObject({ kind: "refused" });
      expect(read("log").trim().split("\n")).toEqual([CREATE, "rules4"]);
    }));

  it("to destroy old sets is none; it is tried again before what comes next", () =>
    withKernel(async (kernel, { fail, read, folder }) => {
      fail("ipset", REFUSED_FIRST);
      await kernel.write([rules(4), destroy]);
      writeFileSync(join(folder, "references"), "Name: NFTPOL-b\nType: hash:ip\nReferences: 0\n");
      await kernel.write([rules(4)]);
      expect(read("log").trim().split("\n")).toEqual(["rules4", DESTROY, DESTROY, "rules4"]);
    }));
});

it("a variant that is not there is looked for again at the next call", () =>
  withFakePrograms({}, async ({ folder }) => {
    const kernel = new IptablesKernelRules({
      variant: "nft",
      xtables: { ...DEFAULT_XTABLES, folder },
      procNet: folder,
    });
    await expect(kernel.write([])).rejects.toMatchObject({ kind: "not-installed" });
    writeFileSync(join(folder, "iptables-nft"), "#!/bin/sh\necho 'iptables v1.8.9 (nf_tables)'\n", { mode: 0o755 });
    writeFileSync(join(folder, "iptables-nft-save"), "#!/bin/sh\n", { mode: 0o755 });
    await kernel.write([]);
  }));
