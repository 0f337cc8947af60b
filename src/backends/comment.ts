// Comments in the kernel, of any backend: the only place where text from cluster objects reaches rules.

/** nft stores at most 128 bytes of comment; 127 keeps clear of versions that count the end mark. */
const MAX_COMMENT_LENGTH = 120;

/**
 * Any text as a comment: printable ASCII without quotes and backslashes, at most 120 characters.
 * nft has no escapes inside quotes, so a quote or a newline could end the comment; neither gets through.
 */
export function safeComment(text: string): string {
  const clean = text.replace(/[^\x20-\x7e]|["\\]/g, "?");
  return clean.length <= MAX_COMMENT_LENGTH ? clean : `${clean.slice(0, MAX_COMMENT_LENGTH - 3)}...`;
}

/** As many of the items as fit, then how many more there are. */
export function listComment(items: readonly string[]): string {
  let text = "";
  for (const [index, item] of items.entries()) {
    const next = index === 0 ? item : `${text}, ${item}`;
    const rest = items.length - index;
    if (next.length > MAX_COMMENT_LENGTH - 12 && index > 0) return safeComment(`${text}, and ${rest} more`);
    text = next;
  }
  return safeComment(text);
}
