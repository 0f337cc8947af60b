// What is refused before a lab is built.

import { expect, it } from "vitest";
import { runInMemory } from "../../../test/cli/in-memory-run.ts";

const POD = `apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: api-0, labels: { app: api } }
spec: { containers: [{ name: main }] }
---
apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: agent }
spec: { hostNetwork: true, nodeName: n1, containers: [{ name: main }] }
status: { podIP: 192.0.2.1, hostIP: 192.0.2.1 }
`;

const files = { "shop.yaml": POD, "broken.yaml": "kind: [\n" };

it.each([
  [
    "no pod",
    ["-f", "shop.yaml"],
    "nftpol: lab shell needs a pod: nftpol lab shell POD -f …\n  there are: shop/api-0\n",
  ],
  [
    "another pod",
    ["-f", "shop.yaml", "shop/ap-0"],
    "nftpol: there is no pod or workload shop/ap-0\n  did you mean shop/api-0?\n",
  ],
  ["an address", ["-f", "shop.yaml", "10.0.0.1"], "nftpol: 10.0.0.1 is no pod\n  there are: shop/api-0\n"],
  [
    "a pod on the host network",
    ["-f", "shop.yaml", "shop/agent"],
    "nftpol: shop/agent is on the host network: it has no network namespace of its own\n  there are: shop/api-0\n",
  ],
  ["no manifests", ["shop/api-0"], "nftpol: the lab needs manifests\n  name files or folders with -f\n"],
  [
    "manifests from standard input",
    ["-f", "-", "shop/api-0"],
    "nftpol: lab shell: standard input is the shell's\n  name files or folders with -f\n",
  ],
  [
    "a question for packets",
    ["-f", "shop.yaml", "shop/api-0", "--port", "80"],
    "nftpol: lab shell has no --port: it sends no packets of its own\n  nftpol lab run does\n",
  ],
  [
    "a format",
    ["-f", "shop.yaml", "shop/api-0", "-o", "json"],
    "nftpol: lab shell has no -o json: it sends no packets of its own\n  nftpol lab run does\n",
  ],
])("%s: exit code 2, and what to do", async (_, args, expected) => {
  const { code, stdout, stderr } = await runInMemory(["lab", "shell", ...args], { files });
  expect({ code, stdout, stderr }).toEqual({ code: 2, stdout: "", stderr: expected });
});

it("manifests with errors are shown with their lines", async () => {
  const { code, stderr } = await runInMemory(["lab", "shell", "-f", "broken.yaml", "shop/api-0"], { files });
  expect(code).toBe(2);
  expect(stderr).toMatch(/^broken\.yaml:2:1: error: /);
});

it("a shell that is not there is told before anything is built", async () => {
  const environment = { SHELL: "/no/such/shell" };
  const { code, stderr } = await runInMemory(["lab", "shell", "-f", "shop.yaml", "shop/api-0"], { files, environment });
  expect(code).toBe(3);
  expect(stderr).toBe("nftpol: the shell /no/such/shell cannot be started\n  set SHELL to one that is installed\n");
});

it("no other action takes a second word", async () => {
  const { code, stderr } = await runInMemory(["lab", "run", "shop.yaml"], { files });
  expect(code).toBe(2);
  expect(stderr).toBe(
    'nftpol: lab run: unexpected argument "shop.yaml"\n  manifests are given with -f: -f shop.yaml\n',
  );
});
