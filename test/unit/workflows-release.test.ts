// What keeps a tag from being released, and which part of CHANGELOG.md the release shows.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect, it } from "vitest";
import { notesFor, problemsOf, type ReleaseFiles, versionOf } from "../../scripts/release-notes.ts";
import { PLATFORMS } from "../../scripts/single-file/platform-parts.ts";
import { archiveName } from "../../scripts/single-file.ts";

const CHANGELOG = `# Changelog

## [Unreleased]

- next

## [1.2.0] - 2026-12-01

### Added

- something

## [1.1.0] - 2026-11-01

- older

[1.2.0]: https://example.org/compare
`;

const FILES: ReleaseFiles = {
  changelog: CHANGELOG,
  packageJson: { version: "1.2.0", repository: { url: "git+https://example.org/us/nftpol.git" } },
  daemonSet: "          image: nftpol:1.2.0\n",
};

it("notes are the version's section, and nothing of its neighbours", () => {
  expect(notesFor("1.2.0", CHANGELOG)).toBe("### Added\n\n- something");
  expect(notesFor("1.1.0", CHANGELOG)).toBe("- older");
  expect(notesFor("1.0.0", CHANGELOG)).toBeUndefined();
  expect(notesFor("1x2.0", CHANGELOG)).toBeUndefined();
});

it.each<readonly [string, string, Partial<ReleaseFiles>, readonly string[]]>([
  ["a tag that agrees with everything is released", "v1.2.0", {}, []],
  ["a name that is no version is no release", "v1.2", {}, ["v1.2 is no tag of a release: vX.Y.Z or vX.Y.Z-rc.N"]],
  [
    "another version than the files have",
    "v1.1.0",
    {},
    ["package.json has version 1.2.0, not 1.1.0", "deploy/base has the image nftpol:1.2.0, not nftpol:1.1.0"],
  ],
  [
    "a version that the changelog does not know, or has not dated",
    "v1.2.0",
    { changelog: CHANGELOG.replace(" - 2026-12-01", "") },
    ["CHANGELOG.md has no section ## [1.2.0] - YYYY-MM-DD"],
  ],
  [
    "a section that says nothing",
    "v1.2.0",
    { changelog: CHANGELOG.replace("### Added\n\n- something\n", "") },
    ["the section 1.2.0 of CHANGELOG.md is empty"],
  ],
  [
    "a repository that has no owner yet",
    "v1.2.0",
    { packageJson: { version: "1.2.0", repository: { url: "git+https://github.com/OWNER/nftpol.git" } } },
    ["package.json still names OWNER as the repository's owner"],
  ],
])("%s", (_, tag, changed, problems) => {
  expect(problemsOf(tag, { ...FILES, ...changed })).toEqual(problems);
});

it("candidates are versions, too", () => {
  expect(versionOf("v1.0.0-rc.1")).toBe("1.0.0-rc.1");
  expect(versionOf("v1.0.0-beta")).toBeUndefined();
});

it("docs/releasing.md verifies what the workflow signs: these archives, by this workflow's identity", () => {
  const [page = "", workflow = ""] = ["docs/releasing.md", ".github/workflows/release.yml"].map((path) =>
    readFileSync(resolve(import.meta.dirname, "../..", path), "utf8"),
  );
  for (const platform of PLATFORMS) {
    expect(page).toContain(`\`${archiveName("X.Y.Z", platform)}\``);
    expect(workflow).toContain(`--platform ${platform}`);
  }
  const identities = [...page.matchAll(/--certificate-identity (\S+)/g)].map(([, identity]) => identity);
  const own = "https://github.com/OWNER/nftpol/.github/workflows/release.yml@refs/tags/vX.Y.Z";
  expect(new Set(identities)).toEqual(new Set([own]));
  expect(workflow).toContain(
    "cosign sign-blob --yes --new-bundle-format --bundle dist-archives/SHA256SUMS.sigstore.json",
  );
});
