import { describe, expect, it } from "vitest";
import { runProgram } from "./run-program.ts";

const node = (script: string) => [process.execPath, "-e", script];

describe("a program", () => {
  it("hands over its lines, however they were written, and its end", async () => {
    const lines: string[] = [];
    const script = `process.stdout.write("a\\nb"); setImmediate(() => { process.stdout.write("c\\n\\nlast"); console.error("careful"); process.exitCode = 3; });`;
    const result = await runProgram(node(script), (line) => lines.push(line));
    expect(lines).toEqual(["a", "bc", "", "last"]);
    expect(result).toEqual({ code: 3, stderr: "careful\n" });
  });

  it("gets its arguments as they are: there is no shell", async () => {
    const lines: string[] = [];
    await runProgram([process.execPath, "-p", "process.argv[1]", "; echo $HOME"], (line) => lines.push(line));
    expect(lines).toEqual(["; echo $HOME"]);
  });

  it("speaks the language that is understood here", async () => {
    const lines: string[] = [];
    await runProgram(node("console.log(process.env.LC_ALL)"), (line) => lines.push(line));
    expect(lines).toEqual(["C"]);
  });

  it("is ended when its lines are not understood", async () => {
    const endless = node(`setInterval(() => console.log("line"), 1)`);
    const refuse = () => {
      throw new Error("what is this");
    };
    await expect(runProgram(endless, refuse)).rejects.toThrow("what is this");
  });

  it.each([
    ["is not installed", "/nonexistent/conntrack", true],
    ["may not be run", "/", false],
  ])("that %s is told as that", async (_name, program, isMissing) => {
    await expect(runProgram([program], () => {})).rejects.toMatchObject({ name: "ProgramError", isMissing });
  });
});
