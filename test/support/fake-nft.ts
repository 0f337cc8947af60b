// Owns programs that pretend to be nft.
import { join } from "node:path";
import { type FakePrograms, withFakePrograms } from "./fake-programs.ts";

export interface FakeNft extends FakePrograms {
  readonly binary: string;
}

/** Calls `body` with a program that runs these lines of sh; its files are gone afterwards. */
export function withFakeNft<T>(script: string, body: (nft: FakeNft) => Promise<T>): Promise<T> {
  return withFakePrograms({ nft: script }, (programs) => body({ ...programs, binary: join(programs.folder, "nft") }));
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
