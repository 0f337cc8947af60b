// Owns reading the machine's own apt sources and writing those of another Debian release with the same mirror.
// No mirror is named in this repository: where the machine gets its packages, it gets the newer release's too.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** One place with Debian packages, in the terms of sources.list(5). */
export interface AptSource {
  readonly uris: readonly string[];
  readonly suites: readonly string[];
  readonly signedBy: string | undefined;
}

/** Debian's releases, oldest first; the last one is what becomes the next stable. */
export const releases: readonly string[] = ["buster", "bullseye", "bookworm", "trixie", "forky"];

/** The machine's release, or the reason why it is not a Debian one that we know. */
export function machineRelease(osRelease = "/etc/os-release"): { codename: string } | { problem: string } {
  if (!existsSync(osRelease)) return { problem: `no ${osRelease}` };
  const fields = new Map(
    readFileSync(osRelease, "utf8")
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1).replaceAll('"', "")]),
  );
  if (fields.get("ID") !== "debian") return { problem: `this is ${fields.get("ID") ?? "not Debian"}, not Debian` };
  const codename = fields.get("VERSION_CODENAME") ?? "";
  return releases.includes(codename) ? { codename } : { problem: `Debian ${codename}` };
}

/** The machine's sources of packages, from sources.list and sources.list.d, of both syntaxes. */
export function machineSources(etcApt = "/etc/apt"): readonly AptSource[] {
  const folder = join(etcApt, "sources.list.d");
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  const files = [join(etcApt, "sources.list"), ...names.map((name) => join(folder, name))].filter((f) => existsSync(f));
  return files.flatMap((file) => {
    const text = readFileSync(file, "utf8");
    if (file.endsWith(".sources")) return parseDeb822(text);
    return file.endsWith(".list") ? parseOneLine(text) : [];
  });
}

function parseDeb822(text: string): readonly AptSource[] {
  const withoutComments = text.split("\n").filter((line) => !line.startsWith("#"));
  return withoutComments
    .join("\n")
    .split(/\n\s*\n/)
    .map(deb822Fields)
    .filter((fields) => fields.get("enabled")?.toLowerCase() !== "no" && words(fields.get("types")).includes("deb"))
    .map((fields) => ({
      uris: words(fields.get("uris")),
      suites: words(fields.get("suites")),
      // A key written into the file itself (more than a path) is not taken over: the keyring's own is.
      signedBy: /^\s*(\/\S+)\s*$/.exec(fields.get("signed-by") ?? "")?.[1],
    }));
}

function deb822Fields(paragraph: string): ReadonlyMap<string, string> {
  const unfolded = paragraph.replaceAll(/\n[ \t]+/g, " ").split("\n");
  return new Map(
    unfolded.flatMap((line): [string, string][] => {
      const match = /^([\w-]+):(.*)$/.exec(line);
      return match === null ? [] : [[(match[1] ?? "").toLowerCase(), (match[2] ?? "").trim()]];
    }),
  );
}

function parseOneLine(text: string): readonly AptSource[] {
  return text.split("\n").flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)/.exec(line);
    if (match === null) return [];
    const signedBy = /(?:^|\s)signed-by=(\/\S+)/.exec(match[1] ?? "")?.[1];
    return [{ uris: [match[2] ?? ""], suites: [match[3] ?? ""], signedBy }];
  });
}

function words(text: string | undefined): readonly string[] {
  return (text ?? "").split(/\s+/).filter((word) => word !== "");
}

/** The machine's sources that carry its release itself (not its updates), as names of the newer release. */
export function sourcesFor(release: string, own: string, machine: readonly AptSource[]): readonly AptSource[] {
  return machine
    .filter((source) => source.suites.includes(own) || source.suites.includes("stable"))
    .map((source) => ({ ...source, suites: [release] }));
}

export function writeSources(sources: readonly AptSource[], keyring: string | undefined): string {
  return sources
    .map((source) => {
      const key = keyring ?? source.signedBy;
      const lines = ["Types: deb", `URIs: ${source.uris.join(" ")}`, `Suites: ${source.suites.join(" ")}`];
      return [...lines, "Components: main", ...(key === undefined ? [] : [`Signed-By: ${key}`]), ""].join("\n");
    })
    .join("\n");
}
