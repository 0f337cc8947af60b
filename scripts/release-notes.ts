// Owns what a tag must agree with before anything is published, and the notes of its release: its section of CHANGELOG.md.
// `node scripts/release-notes.ts vX.Y.Z` prints them, or says what is wrong.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const root = resolve(import.meta.dirname, "..");

export interface ReleaseFiles {
  readonly changelog: string;
  readonly packageJson: { readonly version: string; readonly repository: { readonly url: string } };
  /** Of the DaemonSet in deploy/base. */
  readonly daemonSet: string;
}

/** Everything that keeps this tag from being released; empty: nothing. */
export function problemsOf(tag: string, { changelog, packageJson, daemonSet }: ReleaseFiles): readonly string[] {
  const version = versionOf(tag);
  if (version === undefined) return [`${tag} is no tag of a release: vX.Y.Z or vX.Y.Z-rc.N`];
  const problems: string[] = [];
  if (packageJson.version !== version) problems.push(`package.json has version ${packageJson.version}, not ${version}`);
  if (packageJson.repository.url.includes("/OWNER/"))
    problems.push("package.json still names OWNER as the repository's owner");
  const image = /image: nftpol:(\S+)/.exec(daemonSet)?.[1];
  if (image !== version) problems.push(`deploy/base has the image nftpol:${image}, not nftpol:${version}`);
  const notes = notesFor(version, changelog);
  if (notes === undefined) problems.push(`CHANGELOG.md has no section ## [${version}] - YYYY-MM-DD`);
  else if (notes === "") problems.push(`the section ${version} of CHANGELOG.md is empty`);
  return problems;
}

/** Without its heading; undefined when there is no such section. A section without a date is not a release's. */
export function notesFor(version: string, changelog: string): string | undefined {
  const sections = changelog.split(/^(?=## )/m);
  const heading = new RegExp(`^## \\[${version.replaceAll(".", "\\.")}\\] - \\d{4}-\\d\\d-\\d\\d$`, "m");
  const section = sections.find((each) => heading.test(each.slice(0, Math.max(each.indexOf("\n"), 0))));
  return section
    ?.slice(section.indexOf("\n"))
    .replace(/^\[[^\]]+\]: \S+$/gm, "")
    .trim();
}

export function versionOf(tag: string): string | undefined {
  return /^v(\d+\.\d+\.\d+(?:-rc\.\d+)?)$/.exec(tag)?.[1];
}

function main(): number {
  const tag = process.argv[2] ?? "";
  const read = (path: string) => readFileSync(join(root, path), "utf8");
  const files: ReleaseFiles = {
    changelog: read("CHANGELOG.md"),
    packageJson: JSON.parse(read("package.json")),
    daemonSet: read("deploy/base/daemon-set.yaml"),
  };
  const problems = problemsOf(tag, files);
  for (const problem of problems) console.error(`release: ${problem}`);
  if (problems.length > 0) return 1;
  console.log(notesFor(versionOf(tag) ?? "", files.changelog));
  return 0;
}

if (import.meta.main) process.exitCode = main();
