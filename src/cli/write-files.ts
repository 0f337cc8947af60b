// Files that verbs write: whole or not at all, under names that no input can turn into another place.

import { createHash } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { CommandError } from "./verb.ts";

const LONGEST_NAME = 200;

/** A file name from any text: letters, digits, `.`, `_` and `-` stay, the rest is percent-encoded. Different texts, different names. */
export function safeFileName(text: string): string {
  const encoded = text.replace(/^\.|[^A-Za-z0-9._-]/gu, (character) =>
    [...new TextEncoder().encode(character)]
      .map((byte) => `%${byte.toString(16).padStart(2, "0").toUpperCase()}`)
      .join(""),
  );
  if (encoded.length <= LONGEST_NAME) return encoded;
  return `${encoded.slice(0, LONGEST_NAME - 17)}-${createHash("sha256").update(text).digest("hex").slice(0, 16)}`;
}

/** Each file appears complete or stays as it was. The folder is made where it is missing. */
export async function writeFilesAtomically(
  folder: string,
  files: readonly { readonly name: string; readonly text: string }[],
): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    for (const { name, text } of files) await writeFileAtomically(join(folder, name), text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CommandError(3, `cannot write to ${folder}: ${reason}`, undefined, { cause: error });
  }
}

async function writeFileAtomically(path: string, text: string): Promise<void> {
  const unfinished = `${path}.${process.pid}.tmp`;
  try {
    await writeFile(unfinished, text, { flag: "wx" });
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
}
