// The expectations of every example, written by people for `nftpol test`, hold for packets: the command of docs/lab.md.

import { readdirSync } from "node:fs";
import { expect, it } from "vitest";
import { PROJECT, runNftpol } from "../cli/run-nftpol.ts";
import { describeKernel } from "../support/kernel.ts";

const EXAMPLES = readdirSync(`${PROJECT}/policies-examples`, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => `policies-examples/${name}`)
  .sort();

interface Row {
  readonly measured: string;
  readonly expected?: string;
}

describeKernel("packets find what people expect", () => {
  it.each(EXAMPLES)("%s", async (example) => {
    const { code, stdout, stderr } = await runNftpol(["lab", "run", "-f", example, "--expect", example, "-o", "json"]);
    expect({ code, stderr }).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/\nexpectations: rows (\d+) ok \/ \1\n$/),
    });
    const asked = (JSON.parse(stdout) as Row[]).filter(({ expected }) => expected !== undefined);
    expect(asked.length).toBeGreaterThan(0);
    expect(asked.filter(({ measured, expected }) => measured !== expected)).toEqual([]);
  });
});
