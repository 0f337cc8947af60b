// Keeps credentials out of texts that people and logs see.

const BEARER = /\b(bearer|basic)\s+[-A-Za-z0-9._~+/]+=*/gi;
/** JSON web tokens: three base64url parts, the first a JSON object. */
const WEB_TOKEN = /\beyJ[-A-Za-z0-9_]{8,}(\.[-A-Za-z0-9_]*){0,2}/g;
/** Passwords in URLs: `https://name:password@host`. */
const URL_PASSWORD = /(\b[a-z][a-z0-9+.-]*:\/\/)[^\s/@]+@/gi;
const LONGEST_TEXT = 500;

/** The text on one line, without the given secrets and without what looks like one, and not longer than a few lines. */
export function redact(text: string, secrets: readonly string[] = []): string {
  let clean = text;
  // Very short secrets would eat parts of ordinary words; nobody's token is that short.
  for (const secret of secrets) if (secret.length >= 6) clean = clean.replaceAll(secret, "[redacted]");
  clean = clean
    .replace(WEB_TOKEN, "[redacted]")
    .replace(BEARER, "$1 [redacted]")
    .replace(URL_PASSWORD, "$1[redacted]@")
    .replace(/\s+/g, " ")
    .trim();
  return clean.length > LONGEST_TEXT ? `${clean.slice(0, LONGEST_TEXT)}...` : clean;
}
