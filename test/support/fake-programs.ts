// Owns programs that pretend to be others, for what the real ones cannot be told to do. Shell scripts; no kernel is asked.
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export interface FakePrograms {
  /** Where they lie. The scripts can read and write files here, as "$dir". */
  readonly folder: string;
  /** What the scripts wrote into a file of that name; "" if nothing. */
  read(name: string): string;
}

/** Calls `body` with programs of these names that run these lines of sh; their files are gone afterwards. */
export async function withFakePrograms<T>(
  scripts: Readonly<Record<string, string>>,
  body: (programs: FakePrograms) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "nfpt-fake-"));
  for (const [name, script] of Object.entries(scripts)) {
    writeFileSync(join(folder, name), `#!/bin/sh\ndir='${folder}'\n${script}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  try {
    const read = (name: string) => {
      const path = join(folder, name);
      return existsSync(path) ? readFileSync(path, "utf8") : "";
    };
    return await body({ folder, read });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
