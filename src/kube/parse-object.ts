// One raw API object, or a watch event around one, from its bytes. Owns leaving out what nobody reads before it is
// parsed: managedFields are half of a typical pod, and more than half of the work.

import { isUtf8 } from "node:buffer";

const MANAGED_FIELDS = Buffer.from('"managedFields":[');
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
/** With this bit `[` becomes `{` and `]` becomes `}`. */
const BRACE_BIT = 0x20;

/**
 * The value, with null in the place of its first managedFields (what they hold is not even checked). Throws SyntaxError,
 * also for what is not UTF-8: replacement characters would make other labels than the object has.
 */
export function parseObject(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw new SyntaxError("not valid UTF-8");
  const begin = managedFieldsIn(bytes);
  if (begin < 0) return JSON.parse(bytes.toString("utf8"));
  const end = endOfArray(bytes, begin);
  return JSON.parse(`${bytes.toString("utf8", 0, begin)}null${bytes.toString("utf8", end)}`);
}

/**
 * Where the array begins; -1: there is none. Inside of a text the quotes would be escaped, so these bytes are a key and its
 * colon, unless the first quote is escaped and the key is a longer one.
 */
function managedFieldsIn(bytes: Buffer): number {
  const key = bytes.indexOf(MANAGED_FIELDS);
  if (key <= 0 || bytes[key - 1] === BACKSLASH) return -1;
  return key + MANAGED_FIELDS.length - 1;
}

/** After its last bracket; the end of the bytes when it has none, which JSON.parse then refuses. */
function endOfArray(bytes: Buffer, begin: number): number {
  const { length } = bytes;
  let depth = 0;
  let inString = false;
  for (let at = begin; at < length; at++) {
    const byte = bytes[at] as number;
    if (inString) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) inString = false;
    } else if (byte === QUOTE) inString = true;
    else if ((byte | BRACE_BIT) === OPEN_BRACE) depth++;
    else if ((byte | BRACE_BIT) === CLOSE_BRACE && --depth === 0) return at + 1;
  }
  return length;
}
