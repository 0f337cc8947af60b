// Owns `npm run krew-manifest`: deploy/krew/nftpol.yaml with version, download addresses and checksums of the archives in a folder.
// `npm run krew-manifest -- --archives FOLDER --repository https://HOST/OWNER/REPOSITORY`; prints the manifest.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { parseDocument, YAMLSeq } from "yaml";

const root = resolve(import.meta.dirname, "..");

export interface Release {
  readonly version: string;
  /** Where archives are found: beneath `releases/download/vVERSION/`. */
  readonly repository: string;
  /** The bytes of an archive; throws where there is none. */
  readonly readArchive: (name: string) => Uint8Array;
}

/** The template, filled in, without the comment at its head. */
export function krewManifest(template: string, { version, repository, readArchive }: Release): string {
  const manifest = parseDocument(template.replace(/^(#.*\n)+/, ""));
  manifest.setIn(["spec", "version"], `v${version}`);
  manifest.setIn(["spec", "homepage"], repository);
  const platforms = manifest.getIn(["spec", "platforms"]);
  if (!(platforms instanceof YAMLSeq)) throw new Error("the template has no list of platforms");
  for (const [index] of platforms.items.entries()) {
    const platform = ["spec", "platforms", index];
    const { os, arch } = (manifest.getIn([...platform, "selector", "matchLabels"]) as { toJSON(): Selector }).toJSON();
    const name = `nftpol-${version}-${os}-${arch}.tar.gz`;
    manifest.setIn([...platform, "uri"], `${repository}/releases/download/v${version}/${name}`);
    manifest.setIn([...platform, "sha256"], createHash("sha256").update(readArchive(name)).digest("hex"));
  }
  return manifest.toString({ lineWidth: 0 });
}

interface Selector {
  readonly os: string;
  readonly arch: string;
}

function main(): void {
  const own = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { values } = parseArgs({
    options: {
      archives: { type: "string", default: "dist-archives" },
      repository: { type: "string", default: own.homepage.replace(/#.*/, "") },
    },
  });
  if (values.repository.includes("/OWNER/"))
    console.warn("krew-manifest: package.json still names OWNER as the repository's owner; say --repository");
  const template = readFileSync(join(root, "deploy/krew/nftpol.yaml"), "utf8");
  const readArchive = (name: string) => readFileSync(resolve(values.archives, name));
  process.stdout.write(krewManifest(template, { version: own.version, repository: values.repository, readArchive }));
}

if (import.meta.main) main();
