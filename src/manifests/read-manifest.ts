// One manifest file -> its documents -> the collector. Each document is parsed, decoded and dropped before the next one,
// so that memory is bounded by the largest document and not by the file.

import type { Diagnostic } from "../model/diagnostic.ts";
import type { ObjectCollector } from "./collector.ts";
import { ManifestDocument, type PositionCache } from "./document.ts";
import { describeFileError } from "./file-errors.ts";
import type { ManifestFile } from "./find-files.ts";
import { JsonItemSplitter } from "./json-stream.ts";
import type { ManifestFiles } from "./manifest-files.ts";
import { type ParsedDocument, parseManifestDocument } from "./parse-document.ts";
import { type DocumentPart, DocumentSplitter, type OversizedPart } from "./split-documents.ts";

/** A single document may be this large; a file may be larger. */
export const DOCUMENT_LIMIT_BYTES = 32 << 20;
/** Larger JSON is read item by item: then a position is found in a short text. */
const WHOLE_JSON_LIMIT_BYTES = 1 << 20;
/** The texts of larger files are not kept for line numbers, but read again when one is asked for. */
const KEPT_TEXT_LIMIT_BYTES = 32 << 20;

export interface ReadContext {
  readonly files: ManifestFiles;
  readonly collector: ObjectCollector;
  readonly positions: PositionCache;
  readonly onBytes: (count: number) => void;
}

/** Reads one file into the collector; whatever is wrong with it becomes a diagnostic. */
export async function readManifest(file: ManifestFile, context: ReadContext): Promise<void> {
  const reader = new ManifestReader(file, context);
  let begun = !file.explicit;
  try {
    for await (const chunk of context.files.read(file.path)) {
      begun = true;
      context.onBytes(chunk.length);
      if (!(await reader.push(chunk))) return;
    }
    await reader.end();
  } catch (error) {
    context.collector.diagnostics.push(describeFileError(file.path, error, begun ? "found" : "named"));
  }
}

class ManifestReader {
  readonly #file: ManifestFile;
  readonly #context: ReadContext;
  readonly #keepsText: boolean;
  readonly #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  #splitter: DocumentSplitter | JsonItemSplitter | undefined;
  #objects = 0;
  #bytes = 0;

  constructor(file: ManifestFile, context: ReadContext) {
    this.#file = file;
    this.#context = context;
    this.#keepsText = file.sizeBytes <= KEPT_TEXT_LIMIT_BYTES;
    context.collector.detachesPods = !this.#keepsText || file.path === "-";
  }

  /** false: the rest of the file is not worth reading. */
  async push(chunk: Uint8Array): Promise<boolean> {
    if (chunk.includes(0)) {
      this.#report(
        "binary-file",
        "the file is binary (it has NUL bytes), not a manifest",
        utf16Hint(chunk, this.#bytes),
      );
      return false;
    }
    this.#splitter ??= this.#chooseSplitter(chunk);
    this.#bytes += chunk.length;
    for (const part of this.#splitter.push(chunk)) await this.#readPart(part);
    return true;
  }

  async end(): Promise<void> {
    for (const part of this.#splitter?.end() ?? []) await this.#readPart(part);
    if (this.#objects > 0) return;
    const message = this.#bytes === 0 ? "the file is empty" : "the file has no objects";
    this.#context.collector.diagnostics.push({
      code: "empty-file",
      severity: "warning",
      position: { file: this.#file.path },
      message,
    });
  }

  #chooseSplitter(first: Uint8Array): DocumentSplitter | JsonItemSplitter {
    const isJson = /^(\u00EF\u00BB\u00BF)?\s*\{/.test(Buffer.from(first.subarray(0, 1024)).toString("latin1"));
    const mayBeLarge = this.#file.sizeBytes > WHOLE_JSON_LIMIT_BYTES || this.#file.path === "-";
    if (isJson && mayBeLarge) return new JsonItemSplitter(DOCUMENT_LIMIT_BYTES);
    return new DocumentSplitter(DOCUMENT_LIMIT_BYTES);
  }

  async #readPart(part: DocumentPart | OversizedPart): Promise<void> {
    this.#objects++;
    if ("oversized" in part) {
      this.#report(
        "document-too-large",
        `a single document is larger than ${DOCUMENT_LIMIT_BYTES >> 20} MiB`,
        "split it into documents with ---, or give it as JSON (kubectl get -o json)",
        part.firstLine,
      );
      return;
    }
    const text = this.#decode(part);
    if (text === undefined) return;
    const document = new ManifestDocument(
      { file: this.#file.path, line: part.firstLine, column: part.firstColumn ?? 1 },
      this.#textReader(part, text),
      this.#context.positions,
    );
    const parsed = parseManifestDocument(text, document);
    const { collector } = this.#context;
    if (!parsed.ok) collector.diagnostics.push(...(await describeFailure(parsed, text, document)));
    else if ("empty" in parsed) this.#objects--;
    else if (!Array.isArray(parsed.value) || this.#file.explicit || document.syntax !== "json") {
      collector.addValue(part.complete?.(parsed.value) ?? parsed.value, document, this.#file.explicit);
    } else {
      collector.diagnostics.push({
        code: "not-kubernetes",
        severity: "warning",
        position: document.positionOf([]),
        message: "not a Kubernetes object but a JSON list: ignored",
      });
    }
  }

  #decode(part: DocumentPart): string | undefined {
    try {
      return this.#decoder.decode(part.bytes);
    } catch {
      this.#report("not-utf8", "the text is not valid UTF-8", "save the file as UTF-8", part.firstLine);
      return undefined;
    }
  }

  #textReader(part: DocumentPart, text: string): () => string | undefined {
    const isKept = this.#keepsText && this.#bytes <= KEPT_TEXT_LIMIT_BYTES;
    return isKept ? () => text : rereadText(this.#context.files, this.#file.path, part.offset, part.bytes.length);
  }

  #report(code: string, message: string, hint?: string, line?: number): void {
    const diagnostic: Diagnostic = {
      code,
      severity: "error",
      position: line === undefined ? { file: this.#file.path } : { file: this.#file.path, line, column: 1 },
      message,
      ...(hint === undefined ? {} : { hint }),
    };
    this.#context.collector.diagnostics.push(diagnostic);
  }
}

async function describeFailure(
  parsed: ParsedDocument & { readonly ok: false },
  text: string,
  document: ManifestDocument,
): Promise<readonly Diagnostic[]> {
  if ("diagnostics" in parsed) return parsed.diagnostics;
  const { findSyntaxErrors } = await import("./syntax-errors.ts");
  return findSyntaxErrors(text, parsed.cause, document);
}

/** A function of its own, because a closure beside others would keep what those refer to, the text. */
function rereadText(files: ManifestFiles, path: string, offset: number, length: number): () => string | undefined {
  return () => {
    const bytes = files.readAgain(path, offset, length);
    return bytes === undefined ? undefined : new TextDecoder().decode(bytes);
  };
}

function utf16Hint(chunk: Uint8Array, before: number): string | undefined {
  if (before > 0) return undefined;
  const isUtf16 = (chunk[0] === 0xff && chunk[1] === 0xfe) || (chunk[0] === 0xfe && chunk[1] === 0xff);
  return isUtf16 ? "it looks like UTF-16: save it as UTF-8" : undefined;
}
