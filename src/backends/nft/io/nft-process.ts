// Runs the nft program. Owns what a failure of it means in words; the text that goes in and comes out is others'.

import { spawn } from "node:child_process";

/** nft could not be run or refused. `hint` says what to do. */
export class NftError extends Error {
  readonly kind: "not-installed" | "not-permitted" | "no-such-table" | "refused";
  readonly stderr: string;
  readonly hint: string | undefined;

  constructor(
    kind: NftError["kind"],
    message: string,
    details: { stderr?: string; hint?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: details.cause });
    this.name = "NftError";
    this.kind = kind;
    this.stderr = details.stderr ?? "";
    this.hint = details.hint;
  }
}

/**
 * `nft -j list table inet NAME` in the current network namespace. Throws NftError: nft missing, no rights, no such table,
 * or anything else that nft said. Cost: one child process; the kernel lists the whole table.
 */
export async function listTableJson(table: string): Promise<string> {
  const { code, stdout, stderr } = await runNft(["-j", "list", "table", "inet", table]);
  if (code === 0) return stdout;
  if (/operation not permitted|you must be root/i.test(stderr)) {
    throw new NftError("not-permitted", "nft may not read the kernel's rules", {
      stderr,
      hint: "run as root (CAP_NET_ADMIN)",
    });
  }
  if (/no such file or directory/i.test(stderr)) {
    const hint = "load one first: nftpol render … | nft -f -";
    throw new NftError("no-such-table", `there is no table inet ${table} in this network namespace`, { stderr, hint });
  }
  throw new NftError("refused", `nft failed with code ${code}: ${stderr.trim().split("\n")[0] ?? ""}`, { stderr });
}

interface NftOutcome {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function runNft(argv: readonly string[]): Promise<NftOutcome> {
  return new Promise((resolve, reject) => {
    const child = spawn("nft", argv, { stdio: ["ignore", "pipe", "pipe"] });
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => stdout.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => stderr.push(chunk));
    child.on("error", (cause: NodeJS.ErrnoException) => {
      const missing = cause.code === "ENOENT";
      const message = missing ? "the program nft is not installed" : `nft could not be started: ${cause.message}`;
      const hint = missing ? "install the package nftables" : undefined;
      reject(
        new NftError(missing ? "not-installed" : "refused", message, {
          cause,
          ...(hint === undefined ? {} : { hint }),
        }),
      );
    });
    child.on("close", (code) => {
      resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
    });
  });
}
