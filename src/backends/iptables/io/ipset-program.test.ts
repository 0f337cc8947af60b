// The program ipset, played by scripts: how it is called, and what is made of a bad end.

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type FakePrograms, withFakePrograms } from "../../../../test/support/fake-programs.ts";
import { IpsetProgram } from "./ipset-program.ts";

const withIpset = (
  script: string,
  body: (ipset: IpsetProgram, fake: FakePrograms) => Promise<void>,
  timeoutMs = 9_000,
) =>
  withFakePrograms({ ipset: script }, (fake) =>
    body(new IpsetProgram({ binary: join(fake.folder, "ipset"), timeoutMs }), fake),
  );

describe("ipset", () => {
  it("is asked for everything it has", () =>
    withIpset('echo "$*"', async (ipset) => {
      expect(await ipset.save()).toBe("save\n");
      expect(await ipset.version()).toBe("--version");
      expect(await ipset.names()).toEqual(["list -name"]);
    }));

  it("says what is looked up", () =>
    withIpset(
      `printf 'Name: a\\nType: hash:ip\\nReferences: 0\\nNumber of entries: 0\\n\\nName: b\\nType: hash:net\\nReferences: 12\\n'`,
      async (ipset) => {
        expect([...(await ipset.references())]).toEqual([
          ["a", 0],
          ["b", 12],
        ]);
      },
    ));

  it("gets its input, and minds what is there only where that was asked for", () =>
    withIpset('echo "$*" >> "$dir/asked"; cat >> "$dir/input"', async (ipset, fake) => {
      await ipset.restore("destroy a\n");
      await ipset.restore("create b hash:ip\n", { exist: true });
      expect(fake.read("asked")).toBe("restore\n-exist restore\n");
      expect(fake.read("input")).toBe("destroy a\ncreate b hash:ip\n");
    }));

  it("that hangs is ended", () =>
    withIpset(
      "kill -STOP $$",
      async (ipset) => {
        await expect(ipset.save()).rejects.toMatchObject({ kind: "broken", message: expect.stringContaining("0.5 s") });
      },
      500,
    ));

  it("that was killed is not known to have done nothing", () =>
    withIpset("kill -KILL $$", async (ipset) => {
      await expect(ipset.restore("destroy a\n")).rejects.toMatchObject({ kind: "broken" });
    }));

  it("that is not there is told, with what to do", async () => {
    const ipset = new IpsetProgram({ binary: "/nonexistent/ipset", timeoutMs: 9_000 });
    await expect(ipset.version()).rejects.toMatchObject({ kind: "not-installed", hint: "install the package ipset" });
  });
});
