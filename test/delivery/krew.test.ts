// The manifest for krew: what krew demands of a plugin (krew.sigs.k8s.io, "Writing Krew plugin manifests", and its own
// validation), and that it names the archives that are made.

import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { load } from "js-yaml";
import { describe, expect, it } from "vitest";
import { krewManifest } from "../../scripts/krew-manifest.ts";
import { PLATFORMS } from "../../scripts/single-file/platform-parts.ts";
import { archiveName } from "../../scripts/single-file.ts";
import { PROJECT } from "./products.ts";

interface Platform {
  readonly selector: { readonly matchLabels: Readonly<Record<string, string>> };
  readonly uri: string;
  readonly sha256: string;
  readonly bin: string;
}

interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly version: string;
    readonly homepage: string;
    readonly shortDescription: string;
    readonly description: string;
    readonly platforms: readonly Platform[];
  };
}

const path = join(PROJECT, "deploy/krew/nftpol.yaml");
const repository = "https://code.example/someone/nftpol";
const contentOf = (name: string) => Buffer.from(`the archive ${name}`);
const text = krewManifest(readFileSync(path, "utf8"), { version: "1.2.3", repository, readArchive: contentOf });
const manifest = load(text) as Manifest;
const { spec } = manifest;

describe("the manifest for krew", () => {
  it("is a plugin of the version of krew's API that there is, named like its file", () => {
    expect(manifest).toMatchObject({ apiVersion: "krew.googlecontainertools.github.com/v1alpha2", kind: "Plugin" });
    expect(manifest.metadata.name).toBe(basename(path, ".yaml"));
    expect(manifest.metadata.name).toMatch(/^[\w-]+$/);
  });

  it("has a semantic version with a v, a homepage and descriptions", () => {
    expect(spec).toMatchObject({ version: "v1.2.3", homepage: repository });
    expect(spec.shortDescription).toMatch(/^[^\r\n]{10,60}$/);
    expect(spec.description).toContain("NetworkPolicies");
  });

  it("has one platform for each archive, by os and arch alone", () => {
    expect(spec.platforms.map(({ uri }) => basename(uri)).sort()).toEqual(
      PLATFORMS.map((platform) => archiveName("1.2.3", platform)).sort(),
    );
    for (const { selector } of spec.platforms) expect(Object.keys(selector.matchLabels).sort()).toEqual(["arch", "os"]);
  });

  it("gives each an address of the release, its checksum, and the program's path in it", () => {
    for (const { uri, sha256, bin, selector } of spec.platforms) {
      expect(uri).toBe(`${repository}/releases/download/v1.2.3/${basename(uri)}`);
      expect(uri).toContain(`-${selector.matchLabels.os}-${selector.matchLabels.arch}.tar.gz`);
      expect(sha256).toBe(
        createHash("sha256")
          .update(contentOf(basename(uri)))
          .digest("hex"),
      );
      expect(bin).toBe("nftpol");
    }
  });

  it("leaves nothing of the template to be filled in, and no comments of it", () => {
    expect(text).not.toMatch(/\b(VERSION|HOMEPAGE|URI|SHA256)\b|^#/m);
  });

  it("is refused without an archive", () => {
    const readArchive = (name: string) => readFileSync(join(PROJECT, "deploy/krew", name));
    expect(() => krewManifest(readFileSync(path, "utf8"), { version: "1.2.3", repository, readArchive })).toThrow(
      /ENOENT.*nftpol-1\.2\.3-linux-amd64\.tar\.gz/,
    );
  });
});
