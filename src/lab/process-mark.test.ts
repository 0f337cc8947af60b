import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { isLeftover, LAB_PREFIX, ownMark } from "./process-mark.ts";

/** `p`, pid namespace, pid, start. */
const [, namespace = "", , start = ""] = /^p(\d+)-(\d+)-(\d+)-$/.exec(ownMark()) ?? [];

function nameOf(pid: number, ofStart = start, ofNamespace = namespace): string {
  return `${LAB_PREFIX}p${ofNamespace}-${pid}-${ofStart}-0-pod1`;
}

async function pidOfAnEndedProcess(): Promise<number> {
  const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
  await once(child, "close");
  return child.pid as number;
}

describe("a name is a leftover", () => {
  it("not while the process that made it lives", () => {
    expect(isLeftover(`${LAB_PREFIX}${ownMark()}0-pod1`)).toBe(false);
  });

  it("when its process has ended", async () => {
    expect(isLeftover(nameOf(await pidOfAnEndedProcess()))).toBe(true);
  });

  it("when another process has its number now", () => {
    expect(isLeftover(nameOf(process.pid, `${Number(start) + 1}`))).toBe(true);
  });

  it("not when its process is of another pid namespace, and cannot be seen from here", () => {
    expect(isLeftover(nameOf(process.pid, "1", "1"))).toBe(false);
  });

  it("when only the process's exit code is left", async () => {
    // A parent that never asks for it.
    const parent = spawn("sh", ["-c", "sleep 0 & echo $!; exec sleep 60"], { stdio: ["ignore", "pipe", "ignore"] });
    try {
      const [line] = (await once(parent.stdout.setEncoding("utf8"), "data")) as [string];
      const pid = Number(line);
      await expect.poll(() => isLeftover(nameOf(pid))).toBe(true);
      expect(() => process.kill(pid, 0)).not.toThrow();
    } finally {
      parent.kill("SIGKILL");
    }
  });

  it.each(["nftpol-lab-", "nftpol-lab-12-34-0-pod1", "nftpol-lab-p1-2-x", "other", `x${nameOf(1)}`])(
    "never under a name that no lab makes: %s",
    (name) => {
      expect(isLeftover(name)).toBe(false);
    },
  );
});
