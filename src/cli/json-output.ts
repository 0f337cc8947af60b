// The envelope of every `-o json`: versioned, so that scripts know what they read. Documented in docs/cli.md.

export const OUTPUT_API_VERSION = "nftpol/v1";

/** `{"apiVersion": "nftpol/v1", "kind": ..., ...body}`, indented, with a line end. */
export function jsonDocument(kind: string, body: Readonly<Record<string, unknown>>): string {
  return `${JSON.stringify({ apiVersion: OUTPUT_API_VERSION, kind, ...body }, undefined, 2)}\n`;
}
