// What a watched folder hands over, and what it warns of.

import { describe, expect, it } from "vitest";
import { podText, policyText, WatchedManifests } from "../../test/support/watched-manifests.ts";

/** The node of each pod as the sink knows it now. */
function placesOf({ changes }: WatchedManifests): Record<string, string | undefined> {
  const pods = changes.flatMap(({ event }) => (event.kind === "pod" ? [event] : []));
  return Object.fromEntries(pods.map(({ key, pod }) => [key, pod?.nodeName]));
}

const NO_POLICIES = "the folder has no policies: every pod is open";

describe("a folder without policies", () => {
  it("is warned of when they go, with how many there were", async () => {
    const manifests = await WatchedManifests.start({
      "d/a.yaml": `${policyText("a")}---\n${policyText("b")}`,
      "d/c.yaml": policyText("c"),
      "d/notes.txt": "x",
    });
    expect(manifests.messages("warn")).toEqual([]);
    manifests.files.remove("d/c.yaml");
    await manifests.settle();
    expect(manifests.messages("warn")).toEqual([]);
    manifests.files.remove("d/a.yaml");
    await manifests.settle();
    expect(manifests.logged.filter(({ level }) => level === "warn")).toMatchObject([{ msg: NO_POLICIES, gone: 2 }]);
    expect(manifests.objects).toEqual([]);
    expect(manifests.failure).toBeUndefined();
  });

  it("is warned of at the start, once", async () => {
    const manifests = await WatchedManifests.start({ "d/pod.yaml": podText("p", "10.0.0.1") });
    manifests.files.write("d/pod.yaml", podText("p", "10.0.0.2"));
    await manifests.settle();
    expect(manifests.logged.filter(({ level }) => level === "warn")).toMatchObject([{ msg: NO_POLICIES, gone: 0 }]);
  });
});

describe("a pod that names no node", () => {
  it("stays on this one when pods of others come, and is doubted as long", async () => {
    const manifests = await WatchedManifests.start({
      "d/policy.yaml": policyText("a"),
      "d/p.yaml": podText("p", "10.0.0.1"),
    });
    expect(placesOf(manifests)).toEqual({ "x/p": "n1" });
    expect(manifests.changes.flatMap(({ diagnostics }) => diagnostics)).toEqual([]);

    manifests.files.write("d/q.yaml", podText("q", "10.0.0.2", "n2"));
    await manifests.settle();
    manifests.files.write("d/r.yaml", podText("r", "10.0.0.3", "n3"));
    await manifests.settle();
    expect(placesOf(manifests)).toEqual({ "x/p": "n1", "x/q": "n2", "x/r": "n3" });
    const doubts = manifests.changes.flatMap(({ diagnostics }) => diagnostics);
    expect(doubts).toMatchObject([
      {
        code: "pod-without-node",
        severity: "warning",
        object: "Pod x/p",
        message: expect.stringContaining("this node"),
      },
    ]);

    manifests.files.write("d/p.yaml", podText("p", "10.0.0.1", "n1"));
    await manifests.settle();
    expect(manifests.changes.at(-1)).toMatchObject({ event: { key: "x/p" }, diagnostics: [] });
  });

  it("is on none when only several others are named, and says so", async () => {
    const manifests = await WatchedManifests.start({
      "d/p.yaml": podText("p", "10.0.0.1"),
      "d/q.yaml": podText("q", "10.0.0.2", "n2"),
      "d/r.yaml": podText("r", "10.0.0.3", "n3"),
    });
    expect(placesOf(manifests)["x/p"]).toBeUndefined();
    const doubts = manifests.changes.flatMap(({ diagnostics }) => diagnostics);
    expect(doubts).toMatchObject([{ object: "Pod x/p", message: expect.stringContaining("no node") }]);
  });
});
