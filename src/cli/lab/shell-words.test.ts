import { describe, expect, it } from "vitest";
import type { LabPlan } from "../../lab/plan.ts";
import type { Pod, PodKey } from "../../model/cluster.ts";
import { limitsOf, type Welcome, welcomeText } from "./shell-words.ts";

function pod(namespace: string, name: string, address: string, ports: readonly unknown[] = []): Pod {
  return {
    key: `${namespace}/${name}`,
    namespace,
    name,
    addresses: [address],
    ports,
    nodeName: "n1",
  } as unknown as Pod;
}

const OWN = pod("shop", "api", "10.0.0.1");
const DNS = pod("dns", "dns", "10.0.0.3", [{ name: "", protocol: "UDP", port: 53 }]);
const DB = pod("shop", "db", "10.0.0.2", [{ name: "sql", protocol: "TCP", port: 5432 }]);

function welcome(more: Partial<Welcome> = {}): string {
  const plan = { nodes: [{ name: "n1" }], outside: ["192.0.2.1"] } as unknown as LabPlan;
  return welcomeText({ own: OWN, pods: [DNS, OWN, DB], plan, policies: 1, paths: ["shop/"], named: true, ...more });
}

describe("the welcome", () => {
  it("says where one is, who else is there, one's own namespace first, and what to try", () => {
    expect(welcome()).toBe(`You are in shop/api (10.0.0.1); 1 policy in force. There are:
  db.shop  10.0.0.2   5432/TCP (sql)
  dns.dns  10.0.0.3   53/UDP
  outside  192.0.2.1
Try: curl -m 2 http://db.shop:5432; nc -zv -w 2 db.shop 5432; ping -c 1 -W 2 db.shop
Edit shop/: what you save comes into force. The lab ends with this shell.
`);
  });

  it("without names of its own the shell has addresses only", () => {
    const ipv6 = pod("shop", "db", "fd00::2", [{ name: "sql", protocol: "TCP", port: 5432 }]);
    const text = welcome({ named: false, pods: [OWN, ipv6] });
    expect(text).toContain("  shop/db  fd00::2    5432/TCP (sql)\n");
    expect(text).toContain("curl -m 2 http://[fd00::2]:5432; nc -zv -w 2 fd00::2 5432");
    expect(text).not.toContain("db.shop");
  });

  it("of many pods it shows some, and a terminal is not driven by their names", () => {
    const many = Array.from({ length: 25 }, (_, index) => pod("shop", `p${index}\u001b[2J`, "10.0.0.9"));
    const text = welcome({ pods: [OWN, ...many] });
    expect(text).toContain("  … and 5 pods more\n");
    expect(text).toContain("p0\\u{1b}[2J.shop");
    expect(text).not.toContain("\u001b");
  });
});

it("what a running lab cannot show is said, with what to do", () => {
  const [a, b] = ["shop/a", "shop/b"] as PodKey[] as [PodKey, PodKey];
  expect(limitsOf({ added: [], removed: [], moved: [] })).toEqual([]);
  expect(limitsOf({ added: [a, b], removed: [], moved: [] })).toEqual([
    "shop/a, shop/b: new, without a network namespace here; start nftpol lab shell again to have it",
  ]);
  expect(limitsOf({ added: [], removed: [a], moved: [b] })).toEqual([
    expect.stringMatching(/^shop\/a: no longer in the manifests/),
    expect.stringMatching(/^shop\/b: keeps its addresses of before/),
  ]);
});
