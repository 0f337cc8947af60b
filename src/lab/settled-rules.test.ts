import { describe, expect, it } from "vitest";
import { BackendError } from "../backends/backend.ts";
import { LabError } from "./lab-error.ts";
import { settled } from "./settled-rules.ts";

/** Answers in order; the last one again and again. */
function answers(...all: readonly (string | undefined | Error)[]): () => Promise<string | undefined> {
  let asked = 0;
  return async () => {
    const answer = all[Math.min(asked++, all.length - 1)];
    if (answer instanceof Error) throw answer;
    return answer;
  };
}

const UNREADABLE = new BackendError("refused", "ip6tables-nft-save refused: Set with index 4 in kernel doesn't exist.");

describe("the rules of a node", () => {
  it("are waited for while they differ, and while they cannot be read", async () => {
    await expect(settled("node-a", answers("a rule is missing", UNREADABLE, UNREADABLE, undefined))).resolves.toBe(
      undefined,
    );
  });

  it.each([
    ["that stay different are told", "a rule is missing", "a rule is missing", undefined],
    ["that can never be read are told, with the reason", UNREADABLE, UNREADABLE.message, UNREADABLE],
  ])("%s", async (_, answer, message, cause) => {
    const error = await settled("node-a", answers(answer), 0).catch((each: unknown) => each);
    expect(error).toBeInstanceOf(LabError);
    expect(error).toMatchObject({ message: `the rules of node-a are not what they should be: ${message}`, cause });
  });

  it("are not asked for again after a bug", async () => {
    await expect(settled("node-a", answers(new TypeError("a bug"), undefined))).rejects.toThrow(TypeError);
  });
});
