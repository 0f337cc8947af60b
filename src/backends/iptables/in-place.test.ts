// Which changes of elements are made where packets look, and in which order: each rule of it by itself. That no packet meets a verdict
// that is neither the old one nor the new one is shown in test/property/iptables-changes.test.ts.

import { describe, expect, it } from "vitest";
import { inPlace, type SetChange, type SetMeaning } from "./in-place.ts";

const LOCAL = "10.2.0.1";
const LOCAL_TOO = "10.2.0.2";
const REMOTE = "10.1.0.1";
const REMOTE_TOO = "10.1.0.2";

/** `allow +10.1.0.1 -10.1.0.2`: what the set means, which is its name, too, and what comes and goes. */
function change(text: string): SetChange {
  const [set = "", ...elements] = text.split(" ");
  const of = (sign: string) => elements.filter((each) => each.startsWith(sign)).map((each) => each.slice(1));
  return { set, added: of("+"), removed: of("-"), meaning: meaningOf(set) };
}

/** Several sets of one meaning: `allow`, `allow2`. */
function meaningOf(set: string): SetMeaning {
  const [word = "", group = ""] = set.replace(/\d/, "").split(":");
  if (word === "members" || word === "judged") return { kind: "dispatch", group, last: word === "judged" };
  return { kind: word as "allow" | "deny" | "unclear" | "known" | "isolated" };
}

/** Steps as texts: what stands in one string is in one stage. */
function steps(...changes: readonly string[]): readonly string[] | undefined {
  const isLocal = (address: string) => address.startsWith("10.2.");
  return inPlace(changes.map(change), isLocal)?.map((step) =>
    step
      .map(({ set, action, elements }) => `${set} ${elements.map((each) => (action === "add" ? "+" : "-") + each)}`)
      .join("; "),
  );
}

describe("in one step, as all of it opens or all of it closes:", () => {
  it.each<[sentence: string, changes: readonly string[], step: string]>([
    ["a peer comes", [`allow +${REMOTE}`], `allow +${REMOTE}`],
    ["a peer goes", [`allow -${REMOTE}`], `allow -${REMOTE}`],
    ["a denied peer comes", [`deny +${REMOTE}`], `deny +${REMOTE}`],
    [
      "allowed peers come and denied ones go",
      [`allow +${REMOTE}`, `deny -${REMOTE}`],
      `allow +${REMOTE}; deny -${REMOTE}`,
    ],
    ["also of local addresses", [`allow +${LOCAL} +${REMOTE}`], `allow +${LOCAL},+${REMOTE}`],
    [
      "a pod is judged from now on: first the way to its class, then that it is judged",
      [`judged:egress +${LOCAL}`, `members:egress +${LOCAL}`, `isolated +${LOCAL}`],
      `members:egress +${LOCAL}; isolated +${LOCAL}; judged:egress +${LOCAL}`,
    ],
    [
      "a pod is judged no more: first that, then the way to its class",
      [`members:egress -${LOCAL}`, `isolated -${LOCAL}`, `judged:egress -${LOCAL}`],
      `judged:egress -${LOCAL}; members:egress -${LOCAL}; isolated -${LOCAL}`,
    ],
    ["an address is known from now on", [`known +${LOCAL}`], `known +${LOCAL}`],
    [
      "two pods come, that nobody names as peers",
      [`members:egress +${LOCAL} +${LOCAL_TOO}`, `judged:egress +${LOCAL} +${LOCAL_TOO}`],
      `members:egress +${LOCAL},+${LOCAL_TOO}; judged:egress +${LOCAL},+${LOCAL_TOO}`,
    ],
  ])("%s", (_, changes, step) => {
    expect(steps(...changes)).toEqual([step]);
  });
});

describe("in two steps:", () => {
  it.each<[sentence: string, changes: readonly string[], expected: readonly string[]]>([
    [
      "of remote peers that are allowed, those that come are first: for a moment both are",
      [`allow +${REMOTE} -${REMOTE_TOO}`],
      [`allow +${REMOTE}`, `allow -${REMOTE_TOO}`],
    ],
    [
      "also where the same peer is exchanged between sets",
      [`allow -${REMOTE}`, `allow2 +${REMOTE}`],
      [`allow2 +${REMOTE}`, `allow -${REMOTE}`],
    ],
    [
      "of remote peers that are denied, too: for a moment both are",
      [`deny +${REMOTE} -${REMOTE_TOO}`],
      [`deny +${REMOTE}`, `deny -${REMOTE_TOO}`],
    ],
    [
      "a pod comes with all that concerns it: it is closed before it is open for others",
      [`allow +${LOCAL}`, `judged:ingress +${LOCAL}`, `members:ingress +${LOCAL}`, `known +${LOCAL}`],
      [`members:ingress +${LOCAL}; judged:ingress +${LOCAL}`, `allow +${LOCAL}; known +${LOCAL}`],
    ],
    [
      "a pod goes with all that concerned it: others' ways to it first",
      [`allow -${LOCAL}`, `judged:ingress -${LOCAL}`, `members:ingress -${LOCAL}`],
      [`allow -${LOCAL}`, `judged:ingress -${LOCAL}; members:ingress -${LOCAL}`],
    ],
  ])("%s", (_, changes, expected) => {
    expect(steps(...changes)).toEqual(expected);
  });
});

describe("not in place:", () => {
  it.each<[sentence: string, changes: readonly string[]]>([
    ["what rules do with the peers is not one thing", [`unclear +${REMOTE}`]],
    ["a pod goes from one class to another", [`members:egress -${LOCAL}`, `members2:egress +${LOCAL}`]],
    ["a pod gets other peers' sets on its way, and stays judged", [`members:egress +${LOCAL}`]],
    ["it is judged no more, and its class stays", [`judged:egress +${LOCAL_TOO}`, `members:egress -${LOCAL}`]],
    ["peers are exchanged of which one is local: its other direction changes, too", [`allow +${LOCAL} -${REMOTE}`]],
    ["one peer is denied and another one is denied no more, and one is local", [`deny +${REMOTE} -${LOCAL}`]],
    ["allowed peers come, and denied ones come", [`allow +${REMOTE}`, `deny +${REMOTE_TOO}`]],
    ["a pod comes that is denied as a peer, and allowed as one", [`allow +${LOCAL}`, `deny +${LOCAL}`]],
    [
      "one pod comes and another goes",
      [
        `allow +${LOCAL} -${LOCAL_TOO}`,
        `members:egress +${LOCAL} -${LOCAL_TOO}`,
        `judged:egress +${LOCAL} -${LOCAL_TOO}`,
      ],
    ],
    [
      "two pods come that are each other's peers",
      [`allow +${LOCAL} +${LOCAL_TOO}`, `judged:egress +${LOCAL} +${LOCAL_TOO}`],
    ],
  ])("%s", (_, changes) => {
    expect(steps(...changes)).toBeUndefined();
  });
});

it("ports behind names count by their addresses", () => {
  expect(steps(`allow +${REMOTE},tcp:80 -${REMOTE},tcp:81`)).toHaveLength(2);
  expect(steps(`allow +${LOCAL},tcp:80 -${LOCAL},tcp:81`)).toBeUndefined();
});

it("nothing changes in no element", () => {
  expect(steps()).toEqual([""]);
});
