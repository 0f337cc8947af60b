import { expect, it } from "vitest";
import type { Pod } from "../../model/cluster.ts";
import { hostName, hostsText } from "./shell-names.ts";

function pod(namespace: string, name: string, workload: string, ...addresses: readonly string[]): Pod {
  return { namespace, name, workload, addresses } as unknown as Pod;
}

const DB = pod("shop", "db-0", "StatefulSet/db", "10.0.0.1", "fd00::1");
const ALONE = pod("tools", "probe", "probe", "10.0.0.2");

it("a pod has the names of itself and of its workload, in its own namespace also without that", () => {
  expect(hostsText([DB, ALONE], ALONE).split("\n")).toEqual([
    "127.0.0.1\tlocalhost",
    "::1\tlocalhost",
    "10.0.0.1\tdb-0.shop db.shop",
    "fd00::1\tdb-0.shop db.shop",
    "10.0.0.2\tprobe.tools probe",
    "",
  ]);
  expect(hostsText([DB], DB)).toContain("10.0.0.1\tdb-0.shop db.shop db-0 db\n");
});

it("what is no host's name does not get into the file", () => {
  const wicked = pod("shop", "a\n10.9.9.9 bank", "a\n10.9.9.9 bank", "10.0.0.3");
  expect(hostsText([wicked], DB)).toBe("127.0.0.1\tlocalhost\n::1\tlocalhost\n");
});

it("a host's name has at most 63 characters", () => {
  expect(hostName(pod("shop", "x".repeat(100), "x"))).toHaveLength(63);
});
