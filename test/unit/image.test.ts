// The Dockerfile and .dockerignore agree with each other and with the repository. Building the image is not part of the tests.

import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";

const root = resolve(import.meta.dirname, "../..");

describe("Dockerfile", () => {
  const dockerfile = readFileSync(join(root, "Dockerfile"), "utf8");
  const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths = ""]) => paths.split(" "));
  const ignore = readFileSync(join(root, ".dockerignore"), "utf8").split("\n");

  it("copies files that exist", () => {
    expect(copied).not.toEqual([]);
    expect(copied.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it("gets from the build context what it copies, and nothing more", () => {
    const sent = ignore.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
    expect(ignore.find((line) => line !== "" && !line.startsWith("#"))).toBe("*");
    const isSent = (path: string) => sent.some((entry) => path === entry || path.startsWith(`${entry}/`));
    expect(copied.filter((path) => !isSent(path))).toEqual([]);
    expect(sent.filter((entry) => !copied.some((path) => path === entry || path.startsWith(`${entry}/`)))).toEqual([]);
  });

  it("brings an nft that gets along with newer ones on the node", () => {
    const [major = 0, minor = 0, patch = 0] =
      /^ARG NFTABLES_VERSION=(\d+)\.(\d+)\.(\d+)-\*$/m.exec(dockerfile)?.slice(1).map(Number) ?? [];
    expect(major * 10_000 + minor * 100 + patch).toBeGreaterThanOrEqual(10_103);
  });

  it("lets nobody be root by default and starts the program, not a shell", () => {
    const last = dockerfile.slice(dockerfile.lastIndexOf("FROM "));
    expect(last).toMatch(/^FROM scratch$/m);
    expect(last).toMatch(/^USER 65532:65532$/m);
    expect(last).toMatch(/^ENTRYPOINT \["\/usr\/local\/bin\/nftpol"\]$/m);
  });

  it("takes every base image from a build argument", () => {
    const images = [...dockerfile.matchAll(/^FROM (\S+)/gm)].map(([, image]) => image);
    expect(images).toContain("scratch");
    expect(images.filter((image) => image !== "scratch" && !image?.startsWith("$"))).toEqual([]);
  });
});
