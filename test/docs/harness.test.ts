// The tests of the pages' commands can fail: what a page must not show is found, each in its own words.

import { describe, expect, it } from "vitest";
import { type PageCommand, patternOf } from "./page-commands.ts";
import { problemsOf } from "./problems.ts";
import { withSandbox } from "./sandbox.ts";

function command(text: string, shown?: string, exitCode = 0): PageCommand {
  return { page: "page.md", line: 1, text, shown, exitCode };
}

async function problem(each: PageCommand): Promise<string> {
  return withSandbox(false, async (sandbox) => (await problemsOf(each, (script) => sandbox.run(script))).join("\n"));
}

describe("a command of a page", () => {
  it.each([
    ["of a program that may not run", command("terraform apply"), "terraform: command not found"],
    ["of kubectl that nobody has classified", command("kubectl drain worker-1"), "is not in the table"],
    ["with an option that nobody knows", command("kubectl apply --prune -k deploy/base"), "has no option --prune"],
    ["about a folder that is not there", command("kubectl apply -k deploy/nowhere"), "deploy/nowhere"],
    ["about another namespace", command("kubectl -n default rollout status ds/nftpol"), "is in kube-system"],
    ["about pods with other labels", command("kubectl -n kube-system logs -l app=nftpol"), "does not select the pods"],
    ["with a value that the chart lacks", command("helm install nftpol deploy/chart --set tag=1"), "no value tag"],
    ["that builds with an unknown argument", command("docker build --build-arg BASE=x ."), "no ARG BASE"],
    ["of a script that is not there", command("npm run bench -- nothing"), "there is no bench/nothing.bench.ts"],
    ["that writes outside of its folder", command("nftpol completion bash > /etc/completion"), "outside of its folder"],
    ["that ends with another code", command("nftpol matrix -f nowhere"), "exit code 2"],
    ["that should fail and does not", command("nftpol lint -f manifests/", undefined, 1), "exit code 0"],
    ["that prints something else", command("nftpol lint -f manifests/", "1 finding\n"), "but the page shows"],
  ])("%s is found", async (_, each, words) => {
    expect(await problem(each)).toContain(words);
  });

  it("that is right has no problem", async () => {
    expect(await problem(command("nftpol lint -f manifests/", "no findings\n"))).toBe("");
  });
});

it.each([
  ["one\n…\nfour\n", "one\ntwo\nthree\nfour\n", true],
  ["one\n…\n", "one\n", true],
  ["one\n", "one\ntwo\n", false],
  ["set up in 0.82 s\n", "set up in 12.1 s\n", true],
  ["(a.b)\n", "(axb)\n", false],
])("what is shown as %j stands for %j: %s", (shown, printed, stands) => {
  expect(patternOf(shown).test(printed)).toBe(stands);
});
