// Owns programs that pretend to be nft, for what a real one cannot be told to do. Shell scripts; no kernel is asked.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface FakeNft {
  readonly binary: string;
  /** The script can read and write files here, as "$dir". */
  readonly folder: string;
  /** What the script wrote into a file of that name; "" if nothing. */
  read(name: string): string;
}

/** Calls `body` with a program that runs these lines of sh; its files are gone afterwards. */
export async function withFakeNft<T>(script: string, body: (nft: FakeNft) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "nfpt-fake-"));
  const binary = join(folder, "nft");
  writeFileSync(binary, `#!/bin/sh\ndir='${folder}'\n${script}\n`);
  chmodSync(binary, 0o755);
  try {
    const read = (name: string) => {
      const path = join(folder, name);
      return existsSync(path) ? readFileSync(path, "utf8") : "";
    };
    return await body({ binary, folder, read });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A session: `onInclude` is what happens at an include line; the end of each answer is said as nft says it. */
export function fakeSession(onInclude: string): string {
  return `
if [ "$1" = -f ]; then cat >> "$dir/child"; exit 0; fi
echo "$$" >> "$dir/started"
while IFS= read -r line; do
  case "$line" in
    include*) echo "$line" >> "$dir/included"
      ${onInclude} ;;
    zzend_*) printf 'Error: syntax error, unexpected newline\\n%s\\n   ^\\n' "$line" >&2 ;;
  esac
done`;
}
