import { expect, it } from "vitest";
import { memoryManifestFiles } from "../manifests/manifest-files.ts";
import { startProgress } from "./progress.ts";

function contextOf(isTerminal: boolean, written: string[]) {
  return {
    stdout: () => undefined,
    stderr: (text: string) => void written.push(text),
    colour: false,
    columns: 80,
    isTerminal,
    files: memoryManifestFiles({}),
    environment: {},
    shutdown: () => new AbortController().signal,
  };
}

it("progress is one line after a second, not more often than ten times a second, and erased", () => {
  const written: string[] = [];
  let now = 0;
  const progress = startProgress(contextOf(true, written), () => now);
  progress.report("early");
  now = 1001;
  progress.report("late");
  progress.report("too soon after it");
  progress.finish();
  progress.finish();
  expect(written).toEqual(["\r\u001b[2Klate", "\r\u001b[2K"]);
});

it("progress is silent where stderr is no terminal", () => {
  const written: string[] = [];
  let now = 0;
  const progress = startProgress(contextOf(false, written), () => now);
  now = 5000;
  progress.report("late");
  progress.finish();
  expect(written).toEqual([]);
});
