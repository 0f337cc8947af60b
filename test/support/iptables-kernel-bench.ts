// Owns the iptables backend's place in a namespace: our backend with one variant, beside chains and sets of other software that must
// stay what they are.
import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { IpsetProgram } from "../../src/backends/iptables/io/ipset-program.ts";
import { IptablesKernelRules, type IptablesSettings } from "../../src/backends/iptables/io/iptables-kernel-rules.ts";
import type { XtablesPrograms } from "../../src/backends/iptables/io/xtables-programs.ts";
import { IptablesBackend } from "../../src/backends/iptables/iptables-backend.ts";
import { type FoundRules, readBack } from "../../src/backends/iptables/read-back.ts";
import { stageText } from "../../src/backends/iptables/stages.ts";
import type { Variant } from "../../src/backends/iptables/xtables-version.ts";
import { FAMILIES, type Family } from "../../src/net/address.ts";
import type { BackendBench } from "./backend-suite.ts";
import { iptablesBench } from "./iptables-bench.ts";
import { SUITE_OPTIONS } from "./policy-cluster.ts";
import { withVariant, type XtablesInNetns } from "./xtables-in-netns.ts";

export interface IptablesKernelBench extends BackendBench {
  readonly xtables: XtablesInNetns;
  readonly programs: XtablesPrograms;
  /** What `open` opens, to be changed for another start. */
  readonly settings: IptablesSettings;
  open(onTransaction?: (text: string) => void, settings?: IptablesSettings): IptablesBackend;
  rules(): Promise<FoundRules>;
  /** What of other software is there, without counters. */
  others(): Promise<string>;
  /** Other software begins anew, with tables of its own alone: ours are gone. */
  restartOthers(): Promise<void>;
  /** Removes what is ours, and expects that of others to be as at the beginning; done at the end in any case. */
  end(): Promise<void>;
}

/** Rules of other software, with names like ours; kube-proxy's before and after its own. */
function otherRules(family: Family): string {
  const [net, address] = family === 4 ? ["198.51.100.0/24", "10.96.0.1/32"] : ["2001:db8::/32", "fd96::1/128"];
  const endpoint = family === 4 ? "10.0.0.1:6443" : "[fd00::1]:6443";
  return `*filter
:INPUT ACCEPT [0:0]
:FORWARD ACCEPT [0:0]
:OUTPUT ACCEPT [0:0]
:KUBE-FORWARD - [0:0]
:KUBE-FIREWALL - [0:0]
:NFTPOL - [0:0]
:NFTPOLX - [0:0]
-A INPUT -j KUBE-FIREWALL
-A FORWARD -m comment --comment "kubernetes forwarding rules, not -j NFTPOL-FORWARD" -j KUBE-FORWARD
-A FORWARD -s ${net} -m set --match-set NFTPOLX${family} dst -j DROP
-A OUTPUT -j KUBE-FIREWALL
-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP
-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT
-A KUBE-FIREWALL -m mark --mark 0x8000/0x8000 -j DROP
-A NFTPOLX -m comment --comment nftpol -j NFTPOL
COMMIT
*nat
:KUBE-SERVICES - [0:0]
:NFTPOL-FORWARD - [0:0]
-A PREROUTING -j KUBE-SERVICES
-A KUBE-SERVICES -d ${address} -p tcp -m tcp --dport 443 -j DNAT --to-destination ${endpoint}
-A NFTPOL-FORWARD -j RETURN
COMMIT
*mangle
:KUBE-IPTABLES-HINT - [0:0]
COMMIT
`;
}

const OTHER_SETS = `create NFTPOL hash:ip family inet
add NFTPOL 10.1.0.0
create NFTPOLX4 hash:net family inet counters
add NFTPOLX4 10.1.0.0/16
create NFTPOLX6 hash:net family inet6 comment
add NFTPOLX6 fd01::/64 comment "NFTPOL-isolated6"
create nftpol-p4 hash:ip family inet timeout 0
add nftpol-p4 10.1.0.1
create KUBE-CLUSTER-IP hash:ip,port family inet
add KUBE-CLUSTER-IP 10.96.0.1,tcp:443
`;

export async function withIptablesKernelBench(
  variant: Variant,
  body: (bench: IptablesKernelBench) => Promise<void>,
): Promise<void> {
  await withVariant(variant, async (programs, xtables) => {
    const { sh } = xtables;
    await xtables.ipset.restore(OTHER_SETS);
    const restartOthers = async () => {
      for (const family of FAMILIES) await sh(`${programName(variant, family)}-restore`, otherRules(family));
    };
    await restartOthers();
    const others = async () => othersOf(await savedTables(variant, xtables), await xtables.ipset.save());
    const before = await others();
    const backends: IptablesBackend[] = [];
    const settings: IptablesSettings = {
      options: SUITE_OPTIONS,
      variant,
      xtables: xtables.settings,
      ipset: new IpsetProgram({ binary: collidingIpset(xtables), timeoutMs: 30_000 }),
      procNet: xtables.procNet,
      watchEveryMs: 0,
    };
    // Choosing the variant takes ten children, each time: only those that are told something else choose for themselves.
    const kernel = new IptablesKernelRules(settings);
    const open = (onTransaction?: (text: string) => void, other?: IptablesSettings) => {
      const own = other === undefined ? kernel : new IptablesKernelRules(other);
      const backend = new IptablesBackend(own, { onTransaction });
      backends.push(backend);
      return backend;
    };
    const rules = async () => {
      const [four, six] = [await programs.save(4), await programs.save(6)];
      return readBack({ rules: { 4: four, 6: six }, sets: await xtables.ipset.save() });
    };
    const bench = iptablesBench({
      open,
      rules,
      foreign: async (stages) => {
        for (const stage of stages) {
          if (stage.kind === "rules") await programs.restore(stage.family, stageText(stage));
          else await xtables.ipset.restore(stageText(stage));
        }
      },
      refuseNextSet: async () => writeFileSync(join(xtables.folder, "collide"), ""),
      fingerprint: async () => {
        const handles = variant === "nft" ? await sh("nft -a list ruleset") : "";
        const counters = FAMILIES.map((family) => programs.save(family, { counters: true }));
        return [handles, ...(await Promise.all(counters)).map(withoutTime), await sh("ipset list")].join("\n");
      },
    });
    const end = async () => {
      for (const backend of backends.splice(0)) await backend.close();
      await kernel.remove();
      expect(await others()).toBe(before);
      expect(await bench.found()).toBe("none");
    };
    await body({ ...bench, open, rules, others, restartOthers, end, settings, programs, xtables });
    await end();
  });
}

/** One for all tests of a `describe`: a namespace with its programs takes its time. */
export function sharedIptablesBench(variant: Variant): () => IptablesKernelBench {
  let bench: IptablesKernelBench | undefined;
  let ended: Promise<void> | undefined;
  const over = Promise.withResolvers<void>();
  beforeAll(async () => {
    await new Promise<void>((resolve, reject) => {
      ended = withIptablesKernelBench(variant, (opened) => {
        bench = opened;
        resolve();
        return over.promise;
      });
      ended.catch(reject);
    });
  });
  afterAll(async () => {
    over.resolve();
    await ended;
  });
  return () => bench as IptablesKernelBench;
}

export function programName(variant: Variant, family: Family): string {
  return `${family === 4 ? "iptables" : "ip6tables"}-${variant}`;
}

/** All tables of both families. */
async function savedTables(variant: Variant, { sh }: XtablesInNetns): Promise<string> {
  return sh(FAMILIES.map((family) => `${programName(variant, family)}-save`).join("; "));
}

/** What is not ours: outside of the table filter everything. */
function othersOf(saved: string, sets: string): string {
  let table = "";
  const lines = saved.split("\n").filter((line) => {
    if (line.startsWith("*")) table = line;
    const isOurs = /^:NFTPOL-|^-A NFTPOL-|^-A \S+ -m comment --comment nftpol -j NFTPOL-/.test(line);
    return !line.startsWith("#") && !(table === "*filter" && isOurs);
  });
  const otherSets = sets
    .split("\n")
    .filter((line) => !/^\w+ NFTPOL-/.test(line))
    .sort();
  return [...lines.map((line) => line.replace(/ \[\d+:\d+\]$/, "")), ...otherSets].join("\n");
}

function withoutTime(saved: string): string {
  return saved.replace(/^#.*\n/gm, "");
}

/** An ipset that, told so, is too late: somebody else has just made the first set that it is to make. */
function collidingIpset({ folder }: XtablesInNetns): string {
  const path = join(folder, "ipset-too-late");
  const script = `#!/bin/sh
dir='${folder}'
if [ -e "$dir/collide" ] && [ "$*" = restore ]; then
  rm "$dir/collide"
  cat > "$dir/input"
  "$dir/ipset" create "$(sed -n 's/^create \\([^ ]*\\) .*/\\1/p; T; q' "$dir/input")" hash:net
  exec "$dir/ipset" "$@" < "$dir/input"
fi
exec "$dir/ipset" "$@"
`;
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return path;
}
