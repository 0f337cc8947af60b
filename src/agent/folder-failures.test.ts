// What of a watched folder cannot be read, as status, log and metrics tell it.

import { describe, expect, it } from "vitest";
import { policyText, WatchedManifests } from "../../test/support/watched-manifests.ts";

const UNREADABLE = "manifests cannot be read: what they said before stays in force";
const AGAIN = "the folder of manifests can be read again";

describe("a folder that is away", () => {
  it("is a failure that names it, and none any more when it is back as it was; the next time is another", async () => {
    const manifests = await WatchedManifests.start({ "d/a.yaml": policyText("a") });
    for (const time of [1, 2]) {
      manifests.files.closed.add("d");
      await manifests.settle();
      expect(manifests.failure).toBe("the folder d cannot be read: no such file or folder");
      expect(manifests.source.status()).toMatchObject([{ failures: time, synced: true }]);
      manifests.files.closed.clear();
      await manifests.settle();
      expect(manifests.failure).toBeUndefined();
      const told = manifests.messages().filter((message) => message === UNREADABLE || message === AGAIN);
      expect(told).toEqual(Array.from({ length: time }, () => [UNREADABLE, AGAIN]).flat());
    }
    expect(manifests.objects).toEqual(["NetworkPolicy/x/a"]);
  });

  it("hides a broken file only as long", async () => {
    const manifests = await WatchedManifests.start({ "d/a.yaml": policyText("a") });
    manifests.files.write("d/a.yaml", "{");
    await manifests.settle();
    manifests.files.closed.add("d");
    await manifests.settle();
    expect(manifests.failure).toContain("the folder d");
    manifests.files.closed.clear();
    await manifests.settle();
    expect(manifests.failure).toContain("d/a.yaml:1: ");
  });

  it("is logged once, however often it is looked at", async () => {
    const manifests = await WatchedManifests.start({ "d/a.yaml": policyText("a") });
    manifests.files.closed.add("d");
    for (let look = 0; look < 5; look++) await manifests.settle();
    expect(manifests.messages("warn")).toEqual([UNREADABLE]);
  });
});

describe("broken files", () => {
  it("are counted as files, and the first is named with its line", async () => {
    const manifests = await WatchedManifests.start({
      "d/a.yaml": policyText("a"),
      "d/b.yaml": policyText("b"),
      "d/c.yaml": policyText("c"),
    });
    manifests.files.write("d/a.yaml", policyText("a").replace("kind: ", "kind: [\nkind: "));
    manifests.files.write("d/b.yaml", policyText("b").replace("/v1", "/v2").replace("name: b", "name: 5"));
    await manifests.settle();
    expect(manifests.failure).toMatch(/^d\/a\.yaml:3: .* \(1 of 2 files; the others: d\/b\.yaml\)$/);
    expect(manifests.logged.filter(({ msg }) => msg === "manifests read").at(-1)).toMatchObject({ broken: 2 });
    expect(manifests.logged.filter(({ msg }) => msg === UNREADABLE)).toMatchObject([{ files: 2 }]);

    manifests.files.write("d/a.yaml", policyText("a"));
    await manifests.settle();
    expect(manifests.failure).toBe("d/b.yaml:1: apiVersion: NetworkPolicy is not served as networking.k8s.io/v2");
    manifests.files.write("d/b.yaml", policyText("b"));
    await manifests.settle();
    expect(manifests.failure).toBeUndefined();
  });
});
