import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { BRIDGE_CALLS, FORWARDING, interfaceForwarding, SysctlError, Sysctls, sysctlName } from "./sysctls.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "nfpt-sysctls-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function put(path: string, value: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), value);
}

const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe("reading", () => {
  it("gives the value without its newline", async () => {
    put(FORWARDING[4], "1\n");
    expect(await new Sysctls(root).read(FORWARDING[4])).toBe("1");
  });

  it("gives nothing for a switch that the kernel does not have", async () => {
    put(FORWARDING[4], "1\n");
    expect(await new Sysctls(root).read(BRIDGE_CALLS[4])).toBeUndefined();
  });

  it("takes a root without any switches for a mistake, not for a kernel without modules", async () => {
    expect(await failureOf(new Sysctls(root).read(BRIDGE_CALLS[4]))).toMatchObject({
      name: "SysctlError",
      kind: "no-root",
      message: `there are no sysctls below ${root}`,
      hint: expect.stringContaining("--sysctl-root"),
    });
  });

  it("fails loudly when it is something else than a switch", async () => {
    mkdirSync(join(root, FORWARDING[4]), { recursive: true });
    expect(await failureOf(new Sysctls(root).read(FORWARDING[4]))).toMatchObject({ kind: "failed" });
  });
});

describe("setting", () => {
  it("writes the value", async () => {
    put(FORWARDING[4], "0\n");
    await new Sysctls(root).write(FORWARDING[4], "1");
    expect(readFileSync(join(root, FORWARDING[4]), "utf8")).toBe("1\n");
  });

  it("never makes a file, and says what to load", async () => {
    put(FORWARDING[4], "1\n");
    put("net/bridge/other", "1\n");
    const error = await failureOf(new Sysctls(root).write(BRIDGE_CALLS[6], "1"));
    expect(error).toBeInstanceOf(SysctlError);
    expect(error).toMatchObject({
      kind: "missing",
      message: "net.bridge.bridge-nf-call-ip6tables cannot be set: there is no such switch",
      hint: "load the module on the node: modprobe br_netfilter",
      cause: { code: "ENOENT" },
    });
  });
});

it.each([
  ["net/ipv4/ip_forward", "net.ipv4.ip_forward"],
  ["net/bridge/bridge-nf-call-iptables", "net.bridge.bridge-nf-call-iptables"],
  [interfaceForwarding(4, "eth0.100"), "net.ipv4.conf.eth0/100.forwarding"],
])("names %s as sysctl(8) does: %s", (path, name) => {
  expect(sysctlName(path)).toBe(name);
});
