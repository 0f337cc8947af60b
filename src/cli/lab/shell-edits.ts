// Brings edited manifests into force while a lab shell runs, and says so. Owns what follows an edit: errors change nothing.

import type { Lab } from "../../lab/lab.ts";
import { LabError } from "../../lab/lab-error.ts";
import { type PodServers, startPodServers } from "../../lab/pod-servers.ts";
import type { Pod } from "../../model/cluster.ts";
import type { ClusterStore } from "../../state/store.ts";
import { countFindings, formatDiagnostic } from "../diagnostics.ts";
import { printable } from "../terminal-text.ts";
import type { VerbContext } from "../verb.ts";
import { type LabInput, readLabManifests } from "./lab-input.ts";
import { describeChange, keepPods } from "./shell-changes.ts";
import type { ManifestWatch } from "./shell-watch.ts";
import { limitsOf } from "./shell-words.ts";

export interface EditSettings {
  readonly input: LabInput;
  readonly watch: ManifestWatch;
  readonly paths: readonly string[];
  readonly recursive: boolean;
}

/** What stands in front of a line that comes while a prompt is shown: the prompt goes. */
const OVER_PROMPT = "\r\u001b[2K";

/** Starts servers in the pods, and follows the manifests until it is told to end. Throws LabError when the servers cannot be had. */
export async function followEdits(lab: Lab, settings: EditSettings, context: VerbContext): Promise<{ end(): void }> {
  const edits = new Edits(lab, settings, context);
  await edits.start();
  return edits;
}

class Edits {
  readonly #lab: Lab;
  readonly #settings: EditSettings;
  readonly #context: VerbContext;
  readonly #ended = new AbortController();
  #cluster: LabInput["cluster"];
  #servers: PodServers | undefined;
  /** Warnings and limits that were told and have not changed are not told again. */
  #told = new Set<string>();

  constructor(lab: Lab, settings: EditSettings, context: VerbContext) {
    this.#lab = lab;
    this.#settings = settings;
    this.#context = context;
    this.#cluster = settings.input.cluster;
  }

  async start(): Promise<void> {
    await this.#serve(this.#settings.input.store);
    void this.#follow();
  }

  end(): void {
    this.#ended.abort();
    this.#servers?.close();
  }

  async #follow(): Promise<void> {
    const { signal } = this.#ended;
    while (!signal.aborted) {
      try {
        await this.#settings.watch.changed(signal);
        await this.#take();
      } catch (error) {
        if (signal.aborted) return;
        // A bug must not take the shell away from whoever works in it.
        const text = error instanceof Error ? error.message : String(error);
        this.#say(`${error instanceof LabError ? "" : "unexpected error: "}${text}`);
      }
    }
  }

  async #take(): Promise<void> {
    const { paths, recursive, input } = this.#settings;
    const manifests = await readLabManifests(paths, recursive, this.#context.files);
    const edited = keepPods(input, manifests);
    const errors = edited.diagnostics.filter(({ severity }) => severity === "error");
    if (errors.length > 0) {
      for (const error of errors) this.#line(formatDiagnostic(error));
      this.#say(`${countFindings(errors)}: the rules stay as they were`);
      return;
    }
    const warnings = edited.diagnostics.map(formatDiagnostic);
    this.#tellOnce([...warnings, ...limitsOf(edited).map((text) => `nftpol: ${text}`)]);
    const what = describeChange(this.#cluster, edited.cluster);
    if (what === undefined) return;
    const startedAt = performance.now();
    await this.#lab.change(edited.cluster, edited.store);
    if (this.#ended.signal.aborted) return;
    this.#say(`${what}, in force after ${Math.round(performance.now() - startedAt)} ms`);
    const before = this.#cluster;
    this.#cluster = edited.cluster;
    if (portsOf(before.pods) !== portsOf(edited.cluster.pods)) await this.#serve(edited.store);
  }

  async #serve(store: ClusterStore): Promise<void> {
    this.#servers?.close();
    this.#servers = await startPodServers(this.#lab.network, store);
    if (this.#ended.signal.aborted) this.#servers.close();
  }

  #tellOnce(lines: readonly string[]): void {
    for (const line of lines) if (!this.#told.has(line)) this.#line(line);
    this.#told = new Set(lines);
  }

  #say(text: string): void {
    this.#line(`nftpol: ${text}`);
  }

  #line(text: string): void {
    if (this.#ended.signal.aborted) return;
    this.#context.stderr(`${this.#context.isTerminal ? OVER_PROMPT : ""}${printable(text)}\n`);
  }
}

function portsOf(pods: readonly Pod[]): string {
  return JSON.stringify(pods.map(({ key, ports }) => [key, ports]));
}
