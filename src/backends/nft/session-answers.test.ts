// Answers are cut right wherever the chunks are cut, in the spellings of nft 1.0.6 to 1.1.7.

import { describe, expect, it } from "vitest";
import { SessionAnswers } from "./session-answers.ts";

const OLD = (word: string) =>
  `Error: syntax error, unexpected newline, expecting string\n${word}\n${" ".repeat(word.length)}^\n`;
const NEW = (word: string) =>
  `Error: syntax error, unexpected newline\nexpected any of: <string>, last\n${word}\n${" ".repeat(word.length)}^\n`;
const REFUSAL =
  "In file included from <cmdline>:1:1-30:\n/dev/shm/x.nft:2:20-23: Error: No such file or directory\nadd element inet t nope { 10.0.0.1 }\n                   ^^^^\n";

describe.each([
  ["1.0.6", OLD],
  ["1.1.7", NEW],
])("nft %s", (_, complaint) => {
  it.each([
    ["is content", ""],
    ["refuses", REFUSAL],
    ["refuses twice", REFUSAL + REFUSAL],
    [
      "cannot open the file",
      'Error: File not found: /dev/shm/x.nft\ninclude "/dev/shm/x.nft"\n^^^^^^^^^^^^^^^^^^^^^^^^\n',
    ],
    ["warns", "Warning: something is deprecated\n"],
  ])("%s: the answer is that and no more, wherever the chunks are cut", (_name, said) => {
    const text = said + complaint("zzend_1");
    for (let cut = 0; cut <= text.length; cut++) {
      const answers = new SessionAnswers();
      answers.nextEnd();
      const first = answers.push(text.slice(0, cut));
      expect(first).toBe(cut === text.length ? said : undefined);
      if (first === undefined) expect(answers.push(text.slice(cut))).toBe(said);
      expect(answers.rest).toBe("");
    }
  });

  it("answers one question after the other, letter by letter", () => {
    const answers = new SessionAnswers();
    for (const said of ["", REFUSAL, "", "", REFUSAL]) {
      const text = said + complaint(answers.nextEnd());
      const found = [...text].flatMap((letter) => answers.push(letter) ?? []);
      expect(found).toEqual([said]);
    }
    expect(answers.questions).toBe(5);
  });
});

it("the end of an earlier question ends nothing", () => {
  const answers = new SessionAnswers();
  answers.nextEnd();
  answers.nextEnd();
  expect(answers.push(OLD("zzend_1"))).toBeUndefined();
  expect(answers.push(OLD("zzend_2"))).toContain("zzend_1");
});

it("a word that only begins like the end is not the end", () => {
  const answers = new SessionAnswers();
  answers.nextEnd();
  expect(answers.push(OLD("zzend_12"))).toBeUndefined();
});

it("an end without a complaint is told with everything before it", () => {
  const answers = new SessionAnswers();
  answers.nextEnd();
  expect(answers.push("what is\nzzend_1\n^\n")).toBe("what is\n");
});
