// A tar.gz of some files, whose bytes depend on nothing but names, modes and contents: no times, owners or order of a
// file system. In the format ustar, which every tar reads.
import { gzipSync } from "node:zlib";

const BLOCK = 512;

export interface ArchivedFile {
  /** Relative, with `/`; at most 100 bytes. */
  readonly name: string;
  readonly content: Uint8Array;
  readonly isProgram?: boolean;
}

/** Files in the order of their names, beneath the folders that they need. */
export function tarGz(files: readonly ArchivedFile[], level: number): Buffer {
  const sorted = [...files].sort((a, b) => (a.name < b.name ? -1 : 1));
  const blocks = [...foldersOf(sorted).map((name) => header(name, 0, 0o755, "5")), ...sorted.flatMap(entry)];
  const archive = gzipSync(Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]), { level });
  // The system that it was made on: unknown, on every one.
  archive[9] = 0xff;
  return archive;
}

function foldersOf(files: readonly ArchivedFile[]): readonly string[] {
  const folders = files.flatMap(({ name }) => {
    const parts = name.split("/").slice(0, -1);
    return parts.map((_, i) => `${parts.slice(0, i + 1).join("/")}/`);
  });
  return [...new Set(folders)].sort();
}

function entry({ name, content, isProgram = false }: ArchivedFile): readonly Buffer[] {
  const padding = Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK);
  return [header(name, content.length, isProgram ? 0o755 : 0o644, "0"), Buffer.from(content), padding];
}

function header(name: string, sizeBytes: number, mode: number, type: "0" | "5"): Buffer {
  if (Buffer.byteLength(name) > 100) throw new Error(`the name is too long for an archive: ${name}`);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, length: number) => `${value.toString(8).padStart(length - 1, "0")}\0`;
  block.write(name, 0);
  block.write(octal(mode, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(sizeBytes, 12), 124);
  block.write(octal(0, 12), 136);
  block.write(" ".repeat(8), 148);
  block.write(type, 156);
  block.write("ustar\x0000", 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}
