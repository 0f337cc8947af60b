// The shop that the demo plays with: its files, in the order in which they are put in force, and the states of the cluster that this
// gives. Owns the order, the addresses outside, and what is tightened at the end.

import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { memoryManifestFiles } from "../../../manifests/manifest-files.ts";
import { type Address, parseAddress } from "../../../net/address.ts";
import { CommandError } from "../../verb.ts";
import { type LabInput, makeLabInput, readLabManifests } from "../lab-input.ts";

/** From the root of the package: also what is printed. */
export const SHOP_FOLDER = "policies-examples/shop";
const CLUSTER_FILE = "00-cluster.yaml";

/** First what closes, so that each file shows what it is good for; then what the shop needs open. */
export const POLICY_FILES = [
  "70-db.yaml",
  "50-backends.yaml",
  "10-default-deny.yaml",
  "20-dns.yaml",
  "30-frontend.yaml",
  "40-api.yaml",
  "60-payments-provider.yaml",
  "80-monitoring.yaml",
] as const;

export type PolicyFile = (typeof POLICY_FILES)[number];

/** In the order of an order: from what customers see to what must not be lost, then what is around it. */
export const WORKLOADS: readonly string[] = [
  ...["frontend", "api", "search", "payments", "db"],
  ...["prometheus", "coredns"],
];

/** Who is meant by addresses in the shop's policies; those with ports are asked, the others ask. */
export interface Outsider {
  readonly name: string;
  readonly address: Address;
  readonly ports: readonly number[];
}

export const OUTSIDERS: readonly Outsider[] = [
  { name: "customers", address: address("198.51.100.20"), ports: [] },
  { name: "office", address: address("192.0.2.10"), ports: [] },
  { name: "provider", address: address("203.0.113.7"), ports: [443] },
  { name: "provider-test", address: address("203.0.113.200"), ports: [443] },
];

/** One line less in one file: the API may no longer talk to the search. */
export const TIGHTENED = { file: "40-api.yaml", line: /^ *- search$/m } as const;

const NODES = 2;

/** A line that goes from a file, and those around it, all without the indentation that they share. */
export interface RemovedLine {
  readonly file: string;
  /** From 1: of the first line. */
  readonly firstNumber: number;
  readonly lines: readonly { readonly text: string; readonly isRemoved: boolean }[];
}

const LINES_BEFORE = 2;
const LINES_AFTER = 1;

export class DemoShop {
  readonly #files: ReadonlyMap<string, string>;
  readonly #pods: LabInput["cluster"]["pods"];

  private constructor(files: ReadonlyMap<string, string>, pods: LabInput["cluster"]["pods"]) {
    this.#files = files;
    this.#pods = pods;
  }

  /** Throws CommandError where the examples are not. */
  static async read(): Promise<DemoShop> {
    const folder = findShop();
    const names = (await readdir(folder)).filter((name) => /^\d.*\.yaml$/.test(name));
    const files = new Map<string, string>();
    for (const name of names) files.set(name, await readFile(join(folder, name), "utf8"));
    // Addresses are made up so that no policy means them by accident: those that all policies leave serve every state.
    const { loaded } = await readState(files);
    return new DemoShop(files, loaded.pods);
  }

  /** What the file says about its policies: the comment before each. */
  words(file: PolicyFile): string {
    const comments = this.#textOf(file).match(/^(?:#.*\n)+(?=apiVersion:)/gm) ?? [];
    return comments
      .join(" ")
      .replace(/^ ?# ?/gm, "")
      .replace(/\s+/g, " ")
      .trim();
  }

  /** The cluster with the policies of these files only. */
  state(files: readonly PolicyFile[]): Promise<LabInput> {
    return this.#state(new Map([CLUSTER_FILE, ...files].map((name) => [name, this.#textOf(name)])));
  }

  /** The line that goes when the shop is tightened. */
  removedLine(): RemovedLine {
    const { file, line } = TIGHTENED;
    const found = line.exec(this.#textOf(file));
    if (found === null) throw new Error(`${SHOP_FOLDER}/${file} has no line ${line}`);
    const lines = this.#textOf(file).split("\n");
    const index = this.#textOf(file).slice(0, found.index).split("\n").length - 1;
    const first = Math.max(0, index - LINES_BEFORE);
    const shown = lines.slice(first, index + LINES_AFTER + 1);
    const indent = Math.min(...shown.map((text) => /^ */.exec(text)?.[0].length ?? 0));
    return {
      file: `${SHOP_FOLDER}/${file}`,
      firstNumber: first + 1,
      lines: shown.map((text, at) => ({ text: text.slice(indent), isRemoved: first + at === index })),
    };
  }

  /** All policies, one of them without that line. The line stays, empty: the numbers of the others are as in the file. */
  tightenedState(): Promise<LabInput> {
    const { file, line } = TIGHTENED;
    return this.#state(new Map(this.#files).set(file, this.#textOf(file).replace(line, "")));
  }

  async #state(files: ReadonlyMap<string, string>): Promise<LabInput> {
    const manifests = await readState(files);
    const loaded = { ...manifests.loaded, pods: this.#pods };
    const shape = { nodes: NODES, topology: "routed", dualStack: false } as const;
    const addresses = OUTSIDERS.map(({ address: each }) => each);
    return makeLabInput({ ...manifests, loaded }, shape, [4], addresses);
  }

  #textOf(name: string): string {
    const text = this.#files.get(name);
    if (text === undefined) throw new Error(`${SHOP_FOLDER}/${name} is missing`);
    return text;
  }
}

function readState(files: ReadonlyMap<string, string>) {
  const contents = [...files].map(([name, text]) => [`${SHOP_FOLDER}/${name}`, text] as const);
  return readLabManifests([SHOP_FOLDER], false, memoryManifestFiles(Object.fromEntries(contents)));
}

/** In a checkout it is above the sources and above the bundle, at different depths. */
function findShop(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const shop = join(folder, SHOP_FOLDER);
    if (existsSync(join(shop, CLUSTER_FILE))) return shop;
    if (folder === dirname(folder)) break;
  }
  throw new CommandError(
    3,
    `${SHOP_FOLDER} is not part of this installation`,
    "run the demo in a checkout of nftpol; nftpol lab run -f FOLDER tries your own policies",
  );
}

function address(text: string): Address {
  return (parseAddress(text) as { address: Address }).address;
}
