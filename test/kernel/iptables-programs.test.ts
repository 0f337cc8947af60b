// The real programs of iptables, both variants and both families, and ipset, in network namespaces: what they do and what is made of
// what they say.

import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { dirname } from "node:path";
import { describe, expect, it } from "vitest";
import { VARIANTS } from "../../src/backends/iptables/xtables-version.ts";
import { describeKernel } from "../support/kernel.ts";
import {
  EMPTY_FILTER,
  filterText,
  savedLines,
  withVariant,
  withXtables,
  XTABLES_PROGRAMS,
} from "../support/xtables-in-netns.ts";

const withoutRight = (right: string) => `setpriv --bounding-set -${right} --inh-caps -${right}`;

const EACH = VARIANTS.flatMap((variant) => ([4, 6] as const).map((family) => [variant, family] as const));

describeKernel("iptables", () => {
  describe.each(EACH)("%s, IPv%i", (variant, family) => {
    it("what was restored is saved, beside what others have", () =>
      withVariant(variant, async (programs) => {
        await programs.restore(family, filterText(":OTHER - [0:0]", "-A FORWARD -j OTHER"));
        expect(await programs.firstRule(family, "FORWARD")).toBe("-A FORWARD -j OTHER");
        const jump = '-m comment --comment "a b" -j NFTPOL-A';
        await programs.restore(
          family,
          filterText(":NFTPOL-A - [0:0]", "-A NFTPOL-A -p tcp -m tcp --dport 80 -j RETURN", `-I FORWARD 1 ${jump}`),
        );
        expect(await savedLines(programs, family)).toEqual([
          ...EMPTY_FILTER.slice(0, 4),
          ":NFTPOL-A - [0:0]",
          ":OTHER - [0:0]",
          `-A FORWARD ${jump}`,
          "-A FORWARD -j OTHER",
          "-A NFTPOL-A -p tcp -m tcp --dport 80 -j RETURN",
          "COMMIT",
        ]);
        expect(await programs.firstRule(family, "FORWARD")).toBe(`-A FORWARD ${jump}`);
        expect(await programs.firstRule(family, "INPUT")).toBeUndefined();
        expect(await programs.save(family, { counters: true })).toContain(`[0:0] -A FORWARD ${jump}`);
      }));

    it.each([
      [
        "a rule that iptables refuses",
        "-A NFTPOL-A -m set --match-set nosuch src -j DROP",
        /Set nosuch doesn't exist.*line 5: -A NFTPOL-A/,
      ],
      ["a rule that the kernel refuses", "-A NFTPOL-A -j NFTPOL-A", /line \d/],
      ["a chain that is not there", "-A NFTPOL-A -j NFTPOL-NONE", /NFTPOL-NONE/],
      ["a chain to be deleted that is used", "-X OTHER", /line \d/],
    ])("nothing is applied of a text with %s", (_, line, message) =>
      withVariant(variant, async (programs) => {
        await programs.restore(
          family,
          filterText(":OTHER - [0:0]", ":NFTPOL-A - [0:0]", "-A FORWARD -j OTHER", "-A NFTPOL-A -j DROP"),
        );
        const before = await savedLines(programs, family);
        const refused = filterText(
          ":NFTPOL-A - [0:0]",
          ":NFTPOL-B - [0:0]",
          "-A NFTPOL-A -j NFTPOL-B",
          line,
          "-I FORWARD 1 -j NFTPOL-A",
        );
        await expect(programs.restore(family, refused)).rejects.toMatchObject({
          kind: "refused",
          message: expect.stringMatching(message),
        });
        expect(await savedLines(programs, family)).toEqual(before);
      }),
    );

    it("an extension that there is not is unsupported", () =>
      withVariant(variant, async (programs) => {
        const restored = programs.restore(
          family,
          filterText(":NFTPOL-A - [0:0]", "-A NFTPOL-A -m nosuchmatch -j DROP"),
        );
        await expect(restored).rejects.toMatchObject({
          kind: "unsupported",
          message: "this iptables lacks its extension nosuchmatch",
        });
      }));

    const rights = { kind: "not-permitted", hint: expect.stringContaining("CAP_NET_ADMIN and CAP_NET_RAW") };

    it("without CAP_NET_ADMIN it is said which rights are missing", () =>
      withVariant(
        variant,
        async (programs) => {
          await expect(programs.restore(family, filterText(":NFTPOL-A - [0:0]"))).rejects.toMatchObject(rights);
          await expect(programs.save(family)).rejects.toMatchObject(rights);
          await expect(programs.firstRule(family, "FORWARD")).rejects.toMatchObject(rights);
        },
        { wrapper: withoutRight("net_admin") },
      ));

    it("without CAP_NET_RAW, which sets need, too", () =>
      withVariant(
        variant,
        async (programs, { sh }) => {
          await sh(`ipset create NFTPOL-s hash:ip family ${family === 4 ? "inet" : "inet6"}`);
          const rule = "-A NFTPOL-A -m set --match-set NFTPOL-s src -j DROP";
          await expect(programs.restore(family, filterText(":NFTPOL-A - [0:0]", rule))).rejects.toMatchObject(rights);
        },
        { wrapper: withoutRight("net_raw") },
      ));
  });

  it("a table that somebody has made with nft is not taken for an empty one", () =>
    withVariant("nft", async (programs, { sh }) => {
      await sh("nft add table ip filter; nft add chain ip filter mine; nft add rule ip filter mine ct state new drop");
      await expect(programs.save(4)).rejects.toMatchObject({
        kind: "unsupported",
        hint: expect.stringContaining("nft"),
      });
    }));

  it("a table that the kernel does not have is unsupported, with legacy's reason", () =>
    withVariant("legacy", async (programs) => {
      await expect(programs.restore(4, "*nosuch\n:NFTPOL-A - [0:0]\nCOMMIT\n")).rejects.toMatchObject({
        kind: "unsupported",
        message: expect.stringContaining("cannot open the table nosuch: Table does not exist"),
      });
    }));

  describe("the lock of legacy", () => {
    it("that another program holds is waited for in vain", () =>
      withVariant("legacy", async (programs, { lockFile }) => {
        const holder = spawn("flock", [lockFile, "sh", "-c", "echo held; exec sleep 60"], {
          stdio: ["ignore", "pipe", "ignore"],
          detached: true,
        });
        try {
          await new Promise((resolve) => holder.stdout.once("data", resolve));
          await expect(programs.restore(4, filterText(":NFTPOL-A - [0:0]"))).rejects.toMatchObject({
            kind: "refused",
            message: expect.stringContaining("waited in vain"),
          });
        } finally {
          process.kill(-(holder.pid as number), "SIGKILL");
        }
        expect(await savedLines(programs, 4)).toEqual(EMPTY_FILTER);
      }));

    it("that cannot be opened is told with what to do in a pod", () =>
      withVariant("legacy", async (programs, { lockFile }) => {
        rmSync(dirname(lockFile), { recursive: true });
        await expect(programs.restore(4, filterText(":NFTPOL-A - [0:0]"))).rejects.toMatchObject({
          kind: "unsupported",
          hint: expect.stringMatching(/mount the node's .*xtables\.lock into the pod/),
        });
      }));
  });

  describe("ipset", () => {
    it("what was restored is saved", () =>
      withXtables(async ({ ipset }) => {
        const made = "create NFTPOL-a hash:ip\nadd NFTPOL-a 192.0.2.1\n";
        await ipset.restore(made);
        await ipset.restore(`${made}add NFTPOL-a 192.0.2.2\n`, { exist: true });
        expect((await ipset.save()).trim().split("\n").sort()).toEqual([
          "add NFTPOL-a 192.0.2.1",
          "add NFTPOL-a 192.0.2.2",
          expect.stringMatching(/^create NFTPOL-a hash:ip family inet /),
        ]);
        expect(await ipset.names()).toEqual(["NFTPOL-a"]);
      }));

    it.each<[sentence: string, text: string, kind: string, names: readonly string[]]>([
      ["nothing where the first line is refused", "destroy NFTPOL-b\ncreate NFTPOL-a hash:ip\n", "refused", []],
      ["what was before a refused line", "create NFTPOL-a hash:ip\ndestroy NFTPOL-b\n", "broken", ["NFTPOL-a"]],
      ["what was before a line that is none", "create NFTPOL-a hash:ip\nnonsense\n", "broken", ["NFTPOL-a"]],
      ["nothing of a type that there is not", "create NFTPOL-a hash:nosuch\n", "unsupported", []],
    ])("applies %s", (_, lines, kind, names) =>
      withXtables(async ({ ipset }) => {
        await expect(ipset.restore(lines)).rejects.toMatchObject({ kind });
        expect(await ipset.names()).toEqual(names);
      }),
    );

    it("tells which rights are missing", () =>
      withXtables(
        async ({ ipset }) => {
          const error = { kind: "not-permitted", hint: expect.stringContaining("CAP_NET_ADMIN") };
          await expect(ipset.save()).rejects.toMatchObject(error);
          await expect(ipset.restore("create NFTPOL-a hash:ip\n")).rejects.toMatchObject(error);
        },
        { wrapper: withoutRight("net_admin") },
      ));
  });
}, [...XTABLES_PROGRAMS, "setpriv", "flock"]);
