// What the CLI reads: bad manifests are refused as a whole with every place, standard input works, order does not matter.

import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { folderOf, linesOf, PROJECT, runBash, runNftpol } from "./run-nftpol.ts";

const BAD_FILES = {
  "tab.yaml": "apiVersion: v1\nkind: Namespace\nmetadata:\n\tname: a\n",
  "twice.yaml": "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: a\n  name: b\n",
  "policy.yaml": `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: p
  namespace: a
spec:
  podSelector: {}
  ingress:
    - ports:
        - port: 8080
          endPort: 80
      from:
        - ipBlock:
            cidr: 10.0.0.0/8
            except: [192.168.0.0/16]
`,
};

describe("bad manifests", () => {
  it.each([["render"], ["matrix"], ["graph"], ["prove"], ["explain", "a/b", "a/c", "80"]])(
    "%s names every place at once and does nothing else",
    async (...words) => {
      const folder = folderOf(BAD_FILES);
      const { code, stdout, stderr } = await runNftpol([...words, "-f", folder]);
      expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
      const lines = linesOf(stderr);
      expect(lines.at(-1)).toBe("4 errors");
      const places = lines.slice(0, -1).map((line) => /^(.*?): error: /.exec(line)?.[1]);
      expect(places.sort()).toEqual(
        ["policy.yaml:11:11", "policy.yaml:15:22", "tab.yaml:4:1", "twice.yaml:5:3"].map((at) => join(folder, at)),
      );
      expect(stderr).toMatch(/tab is used for indentation/);
      expect(stderr).toMatch(/key "name" is written twice/);
      expect(stderr).toMatch(/spec\.ingress\[0\]\.ports\[0\]\.endPort: endPort 80 is below port 8080/);
      expect(stderr).toMatch(/except\[0\]: except 192\.168\.0\.0\/16 does not lie within the cidr 10\.0\.0\.0\/8/);
    },
  );

  it("an empty folder", async () => {
    const folder = folderOf({});
    const { code, stdout, stderr } = await runNftpol(["render", "-f", folder]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`${folder}: error: the folder has no manifests`);
  });

  it("a missing file, told together with the findings in others", async () => {
    const folder = folderOf(BAD_FILES);
    const missing = join(folder, "missing.yaml");
    const { code, stdout, stderr } = await runNftpol(["render", "-f", missing, "-f", join(folder, "policy.yaml")]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`${missing}: error: cannot be read: no such file or folder`);
    expect(linesOf(stderr).at(-1)).toBe("3 errors");
  });

  it("on standard input", async () => {
    const { code, stdout, stderr } = await runNftpol(["render", "-f", "-"], { input: BAD_FILES["twice.yaml"] });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(/^<stdin>:5:3: error: /);
  });

  it("control characters of the input do not reach the terminal", async () => {
    const name = '"\\e[31mred"';
    const { code, stderr } = await runNftpol(["render", "-f", "-"], {
      input: `apiVersion: v1\nkind: Pod\nmetadata:\n  name: ${name}\n  ${name}: 1\nspec: 5\n`,
    });
    expect(code).toBe(2);
    expect(stderr).not.toContain("\u001b");
  });
});

describe("good manifests", () => {
  it("come from standard input with -f -", async () => {
    const example = "policies-examples/01-default-deny-ingress";
    const piped = await runBash(`cat ${example}/cluster.yaml <(echo ---) ${example}/policy.yaml | nftpol render -f -`);
    const read = await runNftpol(["render", "-f", example]);
    expect(piped).toMatchObject({ code: 0, stderr: "" });
    expect(piped.stdout).toBe(read.stdout);
  });

  it.each(["03-three-tier", "05-and-versus-or", "shop"])("%s: order changes no byte", async (example) => {
    const folder = join(PROJECT, "policies-examples", example);
    const { stdout: names } = await runBash(`cd "$FOLDER" && ls *.yaml | grep -v expect`, { env: { FOLDER: folder } });
    const files = linesOf(names).map((name) => join(folder, name));
    const render = (order: readonly string[]) => runNftpol(["render", ...order.flatMap((file) => ["-f", file])]);
    const wanted = await render(files);
    expect(wanted).toMatchObject({ code: 0 });
    expect((await render(files.toReversed())).stdout).toBe(wanted.stdout);
    expect((await render([...files.slice(1), ...files.slice(0, 1)])).stdout).toBe(wanted.stdout);
  });
});
