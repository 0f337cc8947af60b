// A folder of manifests that people and programs write to while we read: looks again, takes over only what has settled and
// can be read, and keeps the last good text of each file otherwise. Owns the files' texts; what changed in the cluster is the
// caller's to find.

import type { Diagnostic, SourcePosition } from "../model/diagnostic.ts";
import { describeFileError } from "./file-errors.ts";
import { findFiles, type ManifestFile } from "./find-files.ts";
import type { ManifestFiles } from "./manifest-files.ts";
import { faultsOfText, type RunningObjects, readRunningObjects } from "./running-objects.ts";
import { Unrest } from "./unrest.ts";

/** A file's identity at one moment: another one means that it was written or replaced. */
export type Fingerprint = string;

export interface WatchedFiles extends ManifestFiles {
  /** Changes with every write and every replacement. Throws an error with a Node error code. */
  fingerprint(path: string): Promise<Fingerprint>;
}

export interface FolderState {
  readonly loaded: RunningObjects;
  /** Files whose text of now is not in force, each with why. */
  readonly broken: readonly Diagnostic[];
  /** How many of them could never be read: what they declare is not known. */
  readonly unknownFiles: number;
}

interface KeptFile {
  readonly fingerprint: Fingerprint;
  /** What is in force; undefined: nothing of this file could ever be read. */
  readonly good: Uint8Array | undefined;
  readonly broken: readonly Diagnostic[];
  /** It is not in the folder any more. */
  readonly isGone?: true;
}

/** The folder cannot be looked at. Nothing of what is in force changes. */
export class FolderError extends Error {
  constructor(folder: string, cause: unknown) {
    super(`the folder ${folder} ${describeFileError(folder, cause, "named").message}`, { cause });
    this.name = "FolderError";
  }
}

export class WatchedFolder {
  readonly #folder: string;
  readonly #files: WatchedFiles;
  #kept = new Map<string, KeptFile>();
  readonly #unrest = new Unrest();
  /** What the last state was made of. */
  #taken: string | undefined;

  constructor(folder: string, files: WatchedFiles) {
    this.#folder = folder;
    this.#files = files;
  }

  /**
   * Looks at the folder (subfolders included). `changing`: something is not as it was at the last look; look again soon. `same`: nothing
   * new since the last state. Otherwise the new state. Throws FolderError when the folder itself cannot be read.
   */
  async look(): Promise<"changing" | "same" | FolderState> {
    const found = await this.#find();
    const restless = this.#unrest.next(new Map([...found].map(([path, { fingerprint }]) => [path, fingerprint])));
    if (restless === undefined) return "changing";
    const settled = [...found].filter(([path]) => !restless.has(path));
    const seen = [...settled.map(([path, { fingerprint }]) => `${path}\0${fingerprint}`), "", ...restless].join("\n");
    if (seen === this.#taken) return restless.size === 0 ? "same" : "changing";
    const kept = new Map<string, KeptFile>();
    for (const [path, { file, fingerprint }] of found) {
      const before = this.#kept.get(path);
      const isSame = before?.fingerprint === fingerprint && !before.isGone;
      if (restless.has(path)) kept.set(path, restlessFile(path, before));
      else {
        const now = isSame ? before : await this.#read(file, fingerprint, before);
        if (now === undefined) return "changing";
        kept.set(path, now);
      }
    }
    this.#keepAbsent(kept, restless);
    this.#kept = kept;
    this.#taken = seen;
    return this.#state();
  }

  /** Files that are not there and may be all the same. The last, so that of an object that is there twice the present file's counts. */
  #keepAbsent(kept: Map<string, KeptFile>, restless: ReadonlySet<string>): void {
    const somethingIsUnread = [...kept].some(
      ([path, { good, broken }]) => good === undefined || (broken.length > 0 && !restless.has(path)),
    );
    for (const [path, file] of this.#kept) {
      if (kept.has(path) || file.good === undefined) continue;
      if (restless.has(path)) kept.set(path, restlessFile(path, file));
      else if (somethingIsUnread) kept.set(path, goneFile(path, file));
    }
  }

  async #find(): Promise<Map<string, { readonly file: ManifestFile; readonly fingerprint: Fingerprint }>> {
    const found = new Map<string, { file: ManifestFile; fingerprint: Fingerprint }>();
    let failure: FolderError | undefined;
    const guarded = async <T>(folder: string, answer: Promise<T>): Promise<T> => {
      try {
        return await answer;
      } catch (error) {
        failure ??= new FolderError(folder, error);
        throw error;
      }
    };
    const door: ManifestFiles = {
      ...this.#files,
      list: (folder) => guarded(folder, this.#files.list(folder)),
      status: (path) => (path === this.#folder ? guarded(path, this.#files.status(path)) : this.#files.status(path)),
    };
    const { files, diagnostics } = await findFiles([this.#folder], true, door);
    // What lies in a subfolder that cannot be looked at is not gone.
    if (failure !== undefined) throw failure;
    const failures = diagnostics.filter(({ code }) => code !== "no-manifests");
    // Nor is a file: a dangling link, for one. It is found to be broken when it is read.
    const unreadable = failures.map(({ position }) => ({ path: position.file, sizeBytes: 0, explicit: false }));
    for (const file of [...files, ...unreadable]) {
      found.set(file.path, { file, fingerprint: await this.#fingerprint(file.path) });
    }
    return found;
  }

  /** What cannot be looked at (a link that leads nowhere, a file that vanishes meanwhile) has one, too. */
  #fingerprint(path: string): Promise<Fingerprint> {
    return this.#files.fingerprint(path).catch(() => "gone");
  }

  /** undefined: it was written while we read. */
  async #read(
    file: ManifestFile,
    fingerprint: Fingerprint,
    before: KeptFile | undefined,
  ): Promise<KeptFile | undefined> {
    let bytes: Uint8Array;
    try {
      const chunks: Uint8Array[] = [];
      for await (const chunk of this.#files.read(file.path)) chunks.push(chunk);
      bytes = Buffer.concat(chunks);
      if ((await this.#files.fingerprint(file.path)) !== fingerprint) return undefined;
    } catch (error) {
      const now = await this.#fingerprint(file.path);
      if (now !== fingerprint) return undefined;
      return { fingerprint, good: before?.good, broken: [describeFileError(file.path, error, "named")] };
    }
    const broken = await faultsOfText(file.path, bytes);
    return broken.length === 0 ? { fingerprint, good: bytes, broken } : { fingerprint, good: before?.good, broken };
  }

  async #state(): Promise<FolderState> {
    const texts = new Map<string, Uint8Array>();
    const broken: Diagnostic[] = [];
    let unknownFiles = 0;
    for (const [path, file] of this.#kept) {
      if (file.good === undefined) unknownFiles++;
      else texts.set(path, file.good);
      broken.push(...file.broken);
    }
    const gone = new Set([...this.#kept].filter(([, file]) => file.isGone).map(([path]) => path));
    const loaded = withoutConflicts(await readRunningObjects(texts), gone);
    return { loaded, broken, unknownFiles };
  }
}

function restlessFile(path: string, before: KeptFile | undefined): KeptFile {
  const message = "the file is written again and again: it is not read before it rests";
  const broken: Diagnostic = { code: "file-restless", severity: "error", position: { file: path }, message };
  return { fingerprint: "", good: before?.good, broken: [broken] };
}

/** What a file declared that has disappeared may be in the one that cannot be read: a rename, or a merge. */
function goneFile(path: string, before: KeptFile): KeptFile {
  const broken: Diagnostic = {
    code: "file-gone",
    severity: "error",
    position: { file: path },
    message: "the file is gone, but what it declared may be in a file that cannot be read: it stays in force",
    hint: "repair or delete the file that cannot be read",
  };
  return { ...before, broken: [broken], isGone: true };
}

/** Files that are there know better than those that are gone. */
function withoutConflicts(loaded: RunningObjects, gone: ReadonlySet<string>): RunningObjects {
  if (gone.size === 0) return loaded;
  const isGone = ({ position }: { readonly position: SourcePosition }) => gone.has(position.file);
  const taken = new Set(loaded.pods.filter((pod) => !isGone(pod)).flatMap(({ addresses }) => addresses));
  return {
    ...loaded,
    pods: loaded.pods.filter((pod) => !isGone(pod) || !pod.addresses.some((address) => taken.has(address))),
    diagnostics: loaded.diagnostics.filter((finding) => finding.code !== "duplicate-object" || !isGone(finding)),
  };
}
