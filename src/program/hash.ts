// Content hashes for names in the kernel. The one place of the core that uses a Node builtin: hashing does no I/O.

import { createHash } from "node:crypto";

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
const HASH_LENGTH = 16;

/**
 * 80 bits of SHA-256 as 16 letters and digits. Long enough that nobody can aim for another tenant's name
 * (a second preimage costs 2^80); two colliding names of one's own (2^40) would only mix up one's own policies.
 */
export function contentHash(text: string): string {
  const digest = createHash("sha256").update(text).digest();
  let hash = "";
  for (let index = 0; index < HASH_LENGTH; index++) {
    const bit = index * 5;
    const pair = ((digest[bit >> 3] as number) << 8) | (digest[(bit >> 3) + 1] as number);
    hash += ALPHABET[(pair >> (11 - (bit & 7))) & 31];
  }
  return hash;
}

const HINT_LENGTH = 40;

/** What a person recognises in a kernel name: letters, digits, `.` and `-` only, whatever the text holds; at most 40 long. */
export function nameHint(text: string): string {
  const clean = text
    .slice(0, 4 * HINT_LENGTH)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, ".")
    .replace(/^[.-]+/, "");
  return clean.slice(0, HINT_LENGTH).replace(/[.-]+$/, "");
}
