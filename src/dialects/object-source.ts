// Where the object that a decoder reads came from. Owns the interface only: manifest files locate fields lazily,
// the API server knows no lines.

import type { FieldPath, SourcePosition } from "../model/diagnostic.ts";

export interface ObjectSource {
  /** The file as the user named it, or what stands for it (`API server`). */
  readonly file: string;
  /** Where the field stands; the nearest enclosing field where it is absent. Must be cheap to call: look lines up when they are read. */
  positionOf(path: FieldPath): SourcePosition;
}

/** The source of objects without a text. */
export function textlessSource(file: string): ObjectSource {
  const position: SourcePosition = { file };
  return { file, positionOf: () => position };
}
