// What iptables and ipset say becomes the right kind of error, with the part that a person needs. The outputs are real ones, of
// iptables 1.8.9 and ipset 7.17, but where "by its source" stands.

import { describe, expect, it } from "vitest";
import type { BackendErrorKind } from "../backend.ts";
import { errorFromIpset, saysNoSuchSet, saysSetInUse } from "./ipset-output.ts";
import { errorFromXtables, hidesReason, saysLockHeld } from "./xtables-output.ts";

const INPUT = "*filter\n:NFTPOL-A - [0:0]\n-A NFTPOL-A -m set --match-set nosuch src -j DROP\nCOMMIT\n";
const usage = (name: string) => `Try \`${name} -h' or '${name} --help' for more information.`;

const xtables = (stderr: string, code: number, { program = "iptables-nft-restore", input = INPUT } = {}) =>
  errorFromXtables({ program, code, signal: undefined, stderr, input });

type Case = [sentence: string, code: number, stderr: string, kind: BackendErrorKind, message: RegExp, hint?: RegExp];

describe("of iptables", () => {
  it.each<Case>([
    [
      "a chain that is not there, in nft",
      2,
      `iptables-nft-restore v1.8.9 (nf_tables): Chain 'NFTPOL-B' does not exist\nError occurred at line: 4\n${usage("iptables-nft-restore")}\n`,
      "refused",
      /^iptables-nft-restore refused: Chain 'NFTPOL-B' does not exist \(line 4: COMMIT\)$/,
    ],
    [
      "a chain of ours that is not there, in legacy, is no missing extension",
      2,
      `iptables-restore v1.8.9 (legacy): Couldn't load target \`NFTPOL-B':No such file or directory\n\nError occurred at line: 3\n${usage("iptables-restore")}\n`,
      "refused",
      /refused: Couldn't load target `NFTPOL-B':No such file or directory \(line 3: -A NFTPOL-A/,
    ],
    [
      "a set that is not there",
      2,
      `iptables-restore v1.8.9 (legacy): Set nosuch doesn't exist.\n\nError occurred at line: 3\n${usage("iptables-restore")}\n`,
      "refused",
      /refused: Set nosuch doesn't exist\. \(line 3: -A NFTPOL-A -m set --match-set nosuch src -j DROP\)$/,
    ],
    [
      "what the kernel refused, in nft",
      4,
      "iptables-nft-restore v1.8.9 (nf_tables): \nline 3: RULE_APPEND failed (Too many links): rule in chain FORWARD\n",
      "refused",
      /refused: RULE_APPEND failed \(Too many links\): rule in chain FORWARD \(line 3: -A NFTPOL-A/,
    ],
    [
      "what the kernel refused, in legacy, without a reason",
      1,
      "iptables-restore: line 4 failed\n",
      "refused",
      /refused: it did not say why \(line 4: COMMIT\)$/,
      /dmesg/,
    ],
    [
      "a chain to be deleted that is not there",
      1,
      "iptables-nft-restore: line 2 failed: No chain/target/match by that name.\n",
      "refused",
      /refused: No chain\/target\/match by that name \(line 2: :NFTPOL-A/,
    ],
    [
      "a word that is none",
      2,
      `Bad argument \`garbage'\nError occurred at line: 2\n${usage("iptables-nft-restore")}\n`,
      "refused",
      /refused: Bad argument `garbage' \(line 2/,
    ],
    [
      "an input without end",
      1,
      "iptables-nft-restore: COMMIT expected at line 5\n",
      "refused",
      /refused: COMMIT expected at line 5 \(line 5\)$/,
    ],
    ["silence", 1, "", "refused", /refused: it did not say why$/],
    [
      "an answer of the kernel that was lost (by its source)",
      1,
      "iptables-nft-restore: line 4 failed: No buffer space available.\n",
      "broken",
      /did not finish: No buffer space available/,
    ],
    ["an end that is none of its own", 127, "sh: 1: not found\n", "broken", /ended with code 127/],
    [
      "missing rights, in nft",
      4,
      "iptables-nft-restore v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)\n",
      "not-permitted",
      /does not let iptables-nft-restore/,
      /CAP_NET_ADMIN/,
    ],
    [
      "missing rights, in legacy, when asked",
      3,
      "iptables v1.8.9 (legacy): can't initialize iptables table `filter': Permission denied (you must be root)\nPerhaps iptables or your kernel needs to be upgraded.\n",
      "not-permitted",
      /does not let/,
      /CAP_NET_ADMIN/,
    ],
    [
      "a raw socket that may not be opened",
      1,
      "iptables-nft-restore v1.8.9 (nf_tables): Can't open socket to ipset.\n\n",
      "not-permitted",
      /does not let/,
      /CAP_NET_RAW/,
    ],
    [
      "a lock file that may not be opened",
      4,
      "Fatal: can't open lock file /run/xtables.lock: Permission denied\n",
      "not-permitted",
      /may not open its lock file \/run\/xtables\.lock/,
      /root.*mount the node's \/run\/xtables\.lock into the pod/,
    ],
    [
      "a lock file that cannot be made",
      4,
      "Fatal: can't open lock file /run/xtables.lock: Read-only file system\n",
      "unsupported",
      /cannot open its lock file \/run\/xtables\.lock: Read-only file system/,
      /mount the node's \/run\/xtables\.lock into the pod/,
    ],
    [
      "a lock that another program holds",
      4,
      "Can't lock /run/xtables.lock: Resource temporarily unavailable\nAnother app is currently holding the xtables lock. Stopped waiting after 2s.\n",
      "refused",
      /waited in vain/,
      /fuser/,
    ],
    [
      "an extension that iptables lacks",
      2,
      `iptables-nft-restore v1.8.9 (nf_tables): Couldn't load match \`geoip':No such file or directory\n\nError occurred at line: 3\n${usage("iptables-nft-restore")}\n`,
      "unsupported",
      /lacks its extension geoip$/,
      /package iptables/,
    ],
    [
      "an extension that the kernel lacks, in nft",
      4,
      "Warning: Extension LED revision 0 not supported, missing kernel module?\niptables-nft-restore v1.8.9 (nf_tables): \nline 3: RULE_APPEND failed (No such file or directory): rule in chain A\n",
      "unsupported",
      /kernel lacks the iptables extension LED$/,
      /xt_LED/,
    ],
    [
      "an extension that the kernel lacks, in legacy",
      1,
      "Warning: Extension ipvs revision 0 not supported, missing kernel module?\niptables-restore: line 4 failed\n",
      "unsupported",
      /extension ipvs$/,
      /xt_ipvs/,
    ],
    [
      "a kernel without the match for sets (by its source)",
      1,
      "iptables-restore v1.8.9 (legacy): Kernel module xt_set is not loaded in.\n",
      "unsupported",
      /kernel lacks xt_set/,
      /load the kernel module xt_set/,
    ],
    [
      "a table that the kernel lacks",
      3,
      "iptables v1.8.9 (legacy): can't initialize iptables table `filter': Table does not exist (do you need to insmod?)\nPerhaps iptables or your kernel needs to be upgraded.\n",
      "unsupported",
      /cannot open the table filter: Table does not exist/,
      /iptable_filter/,
    ],
    [
      "a kernel without nf_tables (by its source)",
      4,
      "iptables-nft-restore v1.8.9 (nf_tables): Could not fetch rule set generation id: Invalid argument\n",
      "unsupported",
      /nf_tables in this kernel: Invalid argument/,
      /variant legacy/,
    ],
    [
      "a table that somebody has made with nft",
      1,
      "iptables v1.8.9 (nf_tables): chain `FORWARD' in table `filter' is incompatible, use 'nft' tool.\n",
      "unsupported",
      /cannot read the table filter/,
      /nft list ruleset/,
    ],
  ])("%s", (_, code, stderr, kind, message, hint) => {
    const error = xtables(stderr, code);
    expect(error).toMatchObject({ kind, message: expect.stringMatching(message), output: stderr.trimEnd() });
    if (hint === undefined) expect(error.hint).toBeUndefined();
    else expect(error.hint).toMatch(hint);
  });

  it("a program that was ended is not known to have done anything or nothing", () => {
    const run = { program: "iptables-restore", code: undefined, signal: "SIGKILL", stderr: "", input: INPUT };
    expect(errorFromXtables(run)).toMatchObject({ kind: "broken", message: "iptables-restore was ended by SIGKILL" });
  });

  it("a long line is shortened", () => {
    const input = `*filter\n-A NFTPOL-A ${"-s 10.0.0.1 ".repeat(500)}-j DROP\nCOMMIT\n`;
    const { message } = xtables("iptables-restore: line 2 failed\n", 1, { input });
    expect(message).toContain("(line 2: -A NFTPOL-A -s 10.0.0.1 ");
    expect(message.length).toBeLessThan(300);
  });

  it("the reason that legacy's restore keeps for itself is known to be hidden", () => {
    const stderr =
      "iptables-restore v1.8.9 (legacy): iptables-restore: unable to initialize table 'filter'\nError occurred at line: 1\n";
    expect(hidesReason({ code: 2, stderr })).toBe(true);
    expect(hidesReason({ code: 1, stderr: "iptables-restore: line 4 failed\n" })).toBe(false);
    expect(xtables(stderr, 2)).toMatchObject({ kind: "unsupported", message: expect.stringContaining("table filter") });
  });

  it("a lock that is held is told from other refusals", () => {
    expect(
      saysLockHeld(xtables("Another app is currently holding the xtables lock. Stopped waiting after 2s.\n", 4)),
    ).toBe(true);
    expect(saysLockHeld(xtables("iptables-restore: line 4 failed\n", 1))).toBe(false);
  });
});

describe("of ipset", () => {
  const SETS = "create NFTPOL-a hash:ip\nadd NFTPOL-a 192.0.2.1\nadd NFTPOL-b 192.0.2.2\n";
  const ipset = (stderr: string, code = 1, input = SETS) =>
    errorFromIpset({ program: "ipset", code, signal: undefined, stderr, input });

  it.each<[string, number, string, BackendErrorKind, RegExp, RegExp?]>([
    [
      "a first line that was refused changed nothing",
      1,
      "ipset v7.17: Error in line 1: Set cannot be created: set with the same name already exists\n",
      "refused",
      /^ipset refused: Set cannot be created: set with the same name already exists \(line 1: create NFTPOL-a hash:ip\)$/,
    ],
    [
      "a later line that was refused leaves the earlier ones, perhaps",
      1,
      "ipset v7.17: Error in line 3: The set with the given name does not exist\n",
      "broken",
      /^ipset stopped: The set with the given name does not exist \(line 3: add NFTPOL-b 192\.0\.2\.2\); what came before may be in force$/,
    ],
    [
      "a line that it does not name may be any",
      2,
      "ipset v7.17: No command specified: unknown argument adding\nTry `ipset help' for more information.\n",
      "broken",
      /^ipset stopped: No command specified: unknown argument adding; what came before/,
    ],
    [
      "missing rights",
      1,
      "ipset v7.17: Error in line 1: Kernel error received: Operation not permitted\n",
      "not-permitted",
      /does not let ipset/,
      /CAP_NET_ADMIN/,
    ],
    [
      "a type that the kernel lacks",
      1,
      "ipset v7.17: Error in line 1: Kernel error received: set type not supported\n",
      "unsupported",
      /lack a type of sets: set type not supported \(line 1: create NFTPOL-a hash:ip\)/,
      /ip_set_hash_ip/,
    ],
    [
      "a type that ipset lacks",
      1,
      "ipset v7.17: Error in line 1: Syntax error: typename 'hash:nosuch' is unknown\n",
      "unsupported",
      /typename 'hash:nosuch' is unknown/,
      /ip_set_hash_ip/,
    ],
    [
      "a kernel without ipset (by its source)",
      1,
      "ipset v7.17: Cannot open session to kernel.\n",
      "unsupported",
      /knows no ipset/,
      /ip_set/,
    ],
    [
      "sets of a newer ipset (by its source)",
      1,
      "ipset v7.1: Kernel and userspace incompatible: settype hash:ip with revision 6 not supported by userspace.\n",
      "unsupported",
      /does not fit this kernel.*revision 6/,
      /as new as/,
    ],
    ["an end that is none of its own", 127, "", "broken", /ended with code 127/],
  ])("%s", (_, code, stderr, kind, message, hint) => {
    const error = ipset(stderr, code);
    expect(error).toMatchObject({ kind, message: expect.stringMatching(message) });
    if (hint === undefined) expect(error.hint).toBeUndefined();
    else expect(error.hint).toMatch(hint);
  });

  it("the only line that was refused changed nothing, also where it is not named", () => {
    expect(ipset("ipset v7.17: Unknown argument: `size'\n", 2, "create NFTPOL-a hash:ip size 3\n").kind).toBe(
      "refused",
    );
  });

  it("a question that the kernel does not understand is one for a part that it lacks", () => {
    const stderr = "ipset v7.17: Kernel error received: Invalid argument\n";
    expect(ipset(stderr, 1, "").kind).toBe("unsupported");
    expect(ipset(stderr.replace("Kernel", "Error in line 1: Kernel"), 1, "add NFTPOL-a x\n").kind).toBe("refused");
  });

  it("a set that is looked up, and one that is not there, are told from others", () => {
    const busy = ipset("ipset v7.17: Error in line 1: Set cannot be destroyed: it is in use by a kernel component\n");
    const gone = ipset("ipset v7.17: Error in line 1: The set with the given name does not exist\n");
    expect([busy, gone].map(saysSetInUse)).toEqual([true, false]);
    expect([busy, gone].map(saysNoSuchSet)).toEqual([false, true]);
  });
});
