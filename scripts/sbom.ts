// Owns the list of what an image is made of, as CycloneDX 1.6: npm packages of package-lock.json that the program may hold,
// Node.js, and Debian's packages. Nothing of the clock or of chance is in it: the same input gives the same bytes.
// `node scripts/sbom.ts package-lock.json FOLDER-OF-DPKG-STATUS-FILES`
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export interface LockedPackage {
  readonly version: string;
  readonly name?: string;
  readonly license?: string;
  readonly integrity?: string;
  readonly dev?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
}

export interface PackageLock {
  readonly name: string;
  readonly version: string;
  readonly packages: Readonly<Record<string, LockedPackage>>;
}

export interface Component {
  readonly "bom-ref": string;
  readonly type: "library" | "application";
  readonly name: string;
  readonly version: string;
  readonly purl: string;
  readonly cpe?: string;
  readonly licenses?: readonly { readonly expression: string }[];
  readonly hashes?: readonly { readonly alg: "SHA-512"; readonly content: string }[];
}

const MODULES = "node_modules/";

/** The npm packages that a program for this kind of machine is made of, sorted; those for development are not among them. */
export function npmComponents({ packages }: PackageLock, arch: string): readonly Component[] {
  const components = Object.entries(packages).flatMap(([path, locked]): Component[] => {
    const at = path.lastIndexOf(MODULES);
    if (at < 0 || locked.dev === true || !runsOnLinux(locked, arch)) return [];
    const name = locked.name ?? path.slice(at + MODULES.length);
    if (name.startsWith("node-linux-")) return [nodeComponent(locked.version)];
    const purl = `pkg:npm/${name.replace("@", "%40")}@${locked.version}`;
    return [
      { "bom-ref": purl, type: "library", name, version: locked.version, purl, ...licence(locked), ...hash(locked) },
    ];
  });
  return sorted(components);
}

function runsOnLinux({ os, cpu, libc }: LockedPackage, arch: string): boolean {
  return (os?.includes("linux") ?? true) && (cpu?.includes(arch) ?? true) && (libc?.includes("glibc") ?? true);
}

/** Scanners know Node.js by its CPE, not by the name of an npm package that carries it. */
function nodeComponent(version: string): Component {
  const purl = `pkg:github/nodejs/node@v${version}`;
  const cpe = `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*`;
  return { "bom-ref": purl, type: "application", name: "node", version, purl, cpe };
}

function licence({ license }: LockedPackage): Pick<Component, "licenses"> {
  return license === undefined ? {} : { licenses: [{ expression: license }] };
}

function hash({ integrity = "" }: LockedPackage): Pick<Component, "hashes"> {
  const base64 = /^sha512-(\S+)$/.exec(integrity)?.[1];
  if (base64 === undefined) return {};
  return { hashes: [{ alg: "SHA-512", content: Buffer.from(base64, "base64").toString("hex") }] };
}

/** What `dpkg-query --status` says of each package, in any order. Throws on a text without package, version and architecture. */
export function debianComponents(statuses: readonly string[]): readonly Component[] {
  return sorted(
    statuses.map((status): Component => {
      const field = (name: string): string => {
        const value = new RegExp(`^${name}: (.+)$`, "m").exec(status)?.[1];
        if (value === undefined) throw new Error(`a package without ${name}: ${status.slice(0, 200)}`);
        return value;
      };
      const [name, version, arch] = [field("Package"), field("Version"), field("Architecture")];
      const purl = `pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${arch}`;
      return { "bom-ref": purl, type: "library", name, version, purl };
    }),
  );
}

function sorted(components: readonly Component[]): readonly Component[] {
  const byPurl = new Map(components.map((component) => [component.purl, component]));
  return [...byPurl.values()].sort((a, b) => (a.purl < b.purl ? -1 : 1));
}

/** The document. Without serial number and time, which the specification leaves to choice. */
export function billOfMaterials(lock: PackageLock, statuses: readonly string[], arch: string): object {
  return {
    $schema: "http://cyclonedx.org/schema/bom-1.6.schema.json",
    bomFormat: "CycloneDX",
    specVersion: "1.6",
    version: 1,
    metadata: {
      component: {
        "bom-ref": `pkg:npm/${lock.name}@${lock.version}`,
        type: "application",
        name: lock.name,
        version: lock.version,
        purl: `pkg:npm/${lock.name}@${lock.version}`,
      },
    },
    components: [...npmComponents(lock, arch), ...debianComponents(statuses)],
  };
}

if (import.meta.main) {
  const [lockFile = "", statusFolder = ""] = process.argv.slice(2);
  const lock = JSON.parse(readFileSync(lockFile, "utf8")) as PackageLock;
  const statuses = readdirSync(statusFolder).map((name) => readFileSync(join(statusFolder, name), "utf8"));
  console.log(JSON.stringify(billOfMaterials(lock, statuses, process.arch), undefined, 2));
}
