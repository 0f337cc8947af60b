// What a watched folder hands over, and what it warns of.

import { describe, expect, it } from "vitest";
import { podText, policyText, WatchedManifests } from "../../test/support/watched-manifests.ts";

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
