import { describe, expect, it } from "vitest";
import { EditedFiles } from "../../test/support/edited-files.ts";
import { FolderError, type FolderState, WatchedFolder } from "./watched-folder.ts";

const policy = (name: string, spec = "{podSelector: {}}") =>
  `apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: ${name}}\nspec: ${spec}\n`;

function start(texts: Readonly<Record<string, string>>) {
  const files = new EditedFiles();
  for (const [path, text] of Object.entries(texts)) files.write(path, text);
  const folder = new WatchedFolder("d", files.door);
  /** Two looks: the first sees that it has changed, the second that it has settled. */
  const settle = async (): Promise<FolderState> => {
    expect(await folder.look()).toBe("changing");
    const state = await folder.look();
    if (typeof state === "string") throw new Error(`it is ${state}`);
    return state;
  };
  return { files, folder, settle };
}

const names = ({ loaded }: FolderState) => loaded.policies.map((each) => each.name);

describe("a folder", () => {
  it("is read when two looks see the same, and then not again", async () => {
    const { folder, settle } = start({ "d/a.yaml": policy("a"), "d/sub/b.yaml": policy("b"), "d/notes.txt": "x" });
    expect(names(await settle())).toEqual(["a", "b"]);
    expect(await folder.look()).toBe("same");
  });

  it("that is still being written to is not read", async () => {
    const { files, folder, settle } = start({ "d/a.yaml": policy("a") });
    await settle();
    for (let step = 0; step < 5; step++) {
      files.write("d/b.yaml", policy(`b${step}`));
      expect(await folder.look()).toBe("changing");
    }
    expect(names((await folder.look()) as FolderState)).toEqual(["a", "b4"]);
  });

  it("whose file changes while it is read is read again", async () => {
    const { files, folder, settle } = start({ "d/a.yaml": policy("a") });
    let writes = 0;
    files.onRead = (path) => {
      if (writes++ === 0) files.write(path, policy("newer"));
    };
    expect(await folder.look()).toBe("changing");
    expect(await folder.look()).toBe("changing");
    expect(names(await settle())).toEqual(["newer"]);
  });

  it("loses what is deleted, also the last file", async () => {
    const { files, settle } = start({ "d/a.yaml": policy("a"), "d/notes.txt": "x" });
    await settle();
    files.remove("d/a.yaml");
    expect(names(await settle())).toEqual([]);
  });

  it("that is gone is an error; what is in force is not touched", async () => {
    const { files, folder, settle } = start({ "d/a.yaml": policy("a") });
    await settle();
    files.remove("d/a.yaml");
    await expect(folder.look()).rejects.toThrow(FolderError);
    files.write("d/a.yaml", policy("back"));
    expect(names(await settle())).toEqual(["back"]);
  });
});

/** Looks until there is a state, each after a step; how many that took. */
async function looksUntilState(folder: WatchedFolder, step: () => void, most = 400) {
  for (let looks = 1; looks <= most; looks++) {
    step();
    const seen = await folder.look();
    if (typeof seen !== "string") return { looks, state: seen };
  }
  throw new Error(`no state within ${most} looks`);
}

describe("a file that is replaced at every look", () => {
  const replace = (files: EditedFiles, path: string) => {
    let version = 0;
    return () => files.write(path, policy(`version${++version}`));
  };

  it("does not hold up the others: it is left as it was, and told", async () => {
    const { files, folder, settle } = start({ "d/a.yaml": policy("a"), "d/b.yaml": policy("b") });
    await settle();
    const step = replace(files, "d/a.yaml");
    step();
    expect(await folder.look()).toBe("changing");
    files.write("d/b.yaml", policy("b2"));
    const { state, looks } = await looksUntilState(folder, step);
    expect(looks).toBeLessThan(30);
    expect(names(state)).toEqual(["a", "b2"]);
    expect(state.broken).toMatchObject([{ code: "file-restless", position: { file: "d/a.yaml" } }]);
    expect(state.unknownFiles).toBe(0);

    // From now on the others take two looks, as always.
    files.write("d/c.yaml", policy("c"));
    const next = await looksUntilState(folder, step);
    expect(next.looks).toBe(2);
    expect(names(next.state)).toEqual(["a", "b2", "c"]);
    files.remove("d/c.yaml");
    expect(names((await looksUntilState(folder, step)).state)).toEqual(["a", "b2"]);

    const rested = await looksUntilState(folder, () => {});
    expect(names(rested.state)).toEqual([expect.stringMatching(/^version/), "b2"]);
    expect(rested.state.broken).toEqual([]);
  });

  it("and could never be read is not known", async () => {
    const { files, folder } = start({ "d/a.yaml": policy("a"), "d/b.yaml": policy("b") });
    const { state } = await looksUntilState(folder, replace(files, "d/a.yaml"));
    expect(names(state)).toEqual(["b"]);
    expect(state.unknownFiles).toBe(1);
  });

  it("stays what it was when it happens to be absent", async () => {
    const { files, folder, settle } = start({ "d/a.yaml": policy("a"), "d/b.yaml": policy("b") });
    await settle();
    let there = true;
    const { state } = await looksUntilState(folder, () => {
      there = !there;
      if (there) files.write("d/a.yaml", policy("a2"));
      else files.remove("d/a.yaml");
    });
    expect(names(state)).toEqual(["a", "b"]);
  });

  it("under a new name each time stops nothing for ever either", async () => {
    const { files, folder, settle } = start({ "d/a.yaml": policy("a") });
    await settle();
    files.write("d/b.yaml", policy("b"));
    let number = 0;
    const { state, looks } = await looksUntilState(folder, () => {
      files.remove(`d/tmp-${number}.yaml`);
      files.write(`d/tmp-${++number}.yaml`, policy("tmp"));
    });
    expect(looks).toBeLessThan(150);
    expect(names(state)).toEqual(["a", "b"]);
  });
});

describe("files that change together", () => {
  it.each([false, true])(
    "are never seen half, also when a look is in their midst (another is restless: %s)",
    async (busy) => {
      const { files, folder, settle } = start({
        "d/a.yaml": policy("a1"),
        "d/b.yaml": policy("b1"),
        "d/x.yaml": policy("x"),
      });
      await settle();
      let version = 0;
      const step = () => {
        if (busy) files.write("d/x.yaml", policy(`x${++version}`));
      };
      for (let look = 0; look < 40; look++) {
        step();
        await folder.look();
      }
      // As a link to a folder is swapped: after the look has seen the one file, before it sees the other.
      let swapped = false;
      files.onFingerprint = (path) => {
        if (swapped || path !== "d/b.yaml") return;
        swapped = true;
        files.write("d/a.yaml", policy("a2"));
        files.write("d/b.yaml", policy("b2"));
      };
      const { state } = await looksUntilState(folder, step);
      expect(swapped).toBe(true);
      expect(names(state).slice(0, 2)).toEqual(["a2", "b2"]);
    },
  );

  it("one after the other, each within a look of the one before, are seen when the last has come", async () => {
    const { files, folder, settle } = start({ "d/0.yaml": policy("p0") });
    await settle();
    for (let number = 1; number <= 60; number++) {
      files.write(`d/${number}.yaml`, policy(`p${number}`));
      expect(await folder.look()).toBe("changing");
    }
    expect(names((await folder.look()) as FolderState)).toHaveLength(61);
  });
});

describe("a broken file", () => {
  it.each([
    ["cut off", "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a", "syntax-error"],
    ["emptied", "", "empty-file"],
    ["without a kind", "apiVersion: networking.k8s.io/v1\nmetadata: {name: a}\n", "missing-kind"],
    ["binary", "a\0b", "binary-file"],
    ["of another version", policy("a").replace("/v1", "/v2"), "unknown-api-version"],
    [
      "of a group that is gone",
      policy("a").replace("networking.k8s.io/v1", "extensions/v1beta1"),
      "unknown-api-version",
    ],
    ["with a slip in the group", policy("a").replace("k8s", "k8"), "unknown-api-version"],
    ["with a slip in the kind", policy("a").replace("kind: N", "kind: n"), "unknown-kind"],
    ["with a letter less in the kind", policy("a").replace("Policy", "Polcy"), "unknown-kind"],
    ["without apiVersion and kind", policy("a").replace(/.*\n.*\n/, ""), "missing-api-version"],
    ["without a name", policy("a").replace("name: a", ""), "missing-field"],
    ["with a number as its name", policy("a").replace("name: a", "name: 5"), "wrong-type"],
    ["without metadata", policy("a").replace(/metadata.*\n/, ""), "missing-field"],
    ["with a list as its namespace", policy("a").replace("name: a", "name: a, namespace: [shop]"), "wrong-type"],
    ["with a number as its namespace", policy("a").replace("name: a", "name: a, namespace: 5"), "wrong-type"],
    ["with a namespace that cannot be", policy("a").replace("name: a", "name: a, namespace: My_Shop"), "invalid-name"],
    ["in a list with a slip", `apiVersion: v1\nkind: list\nitems: [{kind: NetworkPolicy}]\n`, "unknown-kind"],
    ["in a list that is misspelt", `apiVersion: v1\nkind: List\nitem: [{kind: NetworkPolicy}]\n`, "missing-field"],
    ["beside a copy whose name was forgotten", `${policy("a")}---\n${policy("a")}`, "duplicate-object"],
  ])("%s keeps what it said before, and says so", async (_how, text, code) => {
    const { files, settle } = start({ "d/a.yaml": policy("a"), "d/b.yaml": policy("b") });
    await settle();
    files.write("d/a.yaml", text);
    files.write("d/b.yaml", policy("b2"));
    const state = await settle();
    expect(names(state)).toEqual(["a", "b2"]);
    expect(state.broken[0]).toMatchObject({ code, position: { file: "d/a.yaml" } });
    files.write("d/a.yaml", policy("a2"));
    const repaired = await settle();
    expect(names(repaired)).toEqual(["a2", "b2"]);
    expect(repaired.broken).toEqual([]);
  });

  it("that cannot be read keeps what it said before", async () => {
    const { files, settle } = start({ "d/a.yaml": policy("a") });
    await settle();
    files.unreadable.add("d/a.yaml");
    files.write("d/a.yaml", policy("a2"));
    const state = await settle();
    expect(names(state)).toEqual(["a"]);
    expect(state.broken).toMatchObject([{ code: "file-unreadable" }]);
  });

  it("that was never good does not stop the others", async () => {
    const { settle } = start({ "d/a.yaml": "{", "d/b.yaml": policy("b") });
    const state = await settle();
    expect(names(state)).toEqual(["b"]);
    expect(state.broken).toHaveLength(1);
  });
});

describe("a file that disappears while another cannot be read", () => {
  const shop = "{podSelector: {matchLabels: {app: shop}}}";

  it("stays in force under its name: a broken file that is renamed is gone and unreadable at once", async () => {
    const { files, settle } = start({ "d/a.yaml": policy("a"), "d/c.yaml": policy("c") });
    await settle();
    files.write("d/a.yaml", "{");
    await settle();
    files.remove("d/a.yaml");
    files.write("d/b.yaml", "{");
    const renamed = await settle();
    expect(names(renamed).sort()).toEqual(["a", "c"]);
    expect(renamed.broken).toMatchObject([
      { code: "syntax-error", position: { file: "d/b.yaml" } },
      { code: "file-gone", position: { file: "d/a.yaml" } },
    ]);
    expect(renamed.unknownFiles).toBe(1);
    files.write("d/b.yaml", policy("b"));
    const repaired = await settle();
    expect(names(repaired)).toEqual(["b", "c"]);
    expect(repaired.broken).toEqual([]);
  });

  it("stays when it was merged into one that is broken now", async () => {
    const { files, settle } = start({ "d/a.yaml": policy("a"), "d/b.yaml": policy("b") });
    await settle();
    files.remove("d/b.yaml");
    files.write("d/a.yaml", `${policy("a")}---\n${policy("b")}}`);
    expect(names(await settle())).toEqual(["a", "b"]);
    files.write("d/a.yaml", `${policy("a")}---\n${policy("b")}`);
    const merged = await settle();
    expect(names(merged)).toEqual(["a", "b"]);
    expect(merged.broken).toEqual([]);
  });

  it("is gone as soon as nothing is broken, be it that the broken file is deleted", async () => {
    const { files, settle } = start({ "d/a.yaml": policy("a"), "d/c.yaml": policy("c") });
    await settle();
    files.remove("d/a.yaml");
    files.write("d/b.yaml", "{");
    expect(names(await settle()).sort()).toEqual(["a", "c"]);
    files.remove("d/b.yaml");
    expect(names(await settle())).toEqual(["c"]);
  });

  it("gives way to the file that says the same object now", async () => {
    const { files, settle } = start({ "d/a.yaml": policy("a"), "d/c.yaml": policy("c") });
    await settle();
    files.remove("d/a.yaml");
    files.write("d/b.yaml", "{");
    files.write("d/z.yaml", policy("a", shop));
    const { loaded } = await settle();
    expect(loaded.policies.find(({ name }) => name === "a")?.position.file).toBe("d/z.yaml");
    expect(loaded.diagnostics).toEqual([]);
  });

  it("is itself again when it comes back", async () => {
    const { files, settle } = start({ "d/a.yaml": policy("a"), "d/b.yaml": "{" });
    await settle();
    files.remove("d/a.yaml");
    await settle();
    files.write("d/a.yaml", policy("a2"));
    const { loaded, broken } = await settle();
    expect(loaded.policies.map(({ name }) => name)).toEqual(["a2"]);
    expect(broken).toMatchObject([{ position: { file: "d/b.yaml" } }]);
  });

  it("keeps none of its pods whose address another pod has now", async () => {
    const pod = (name: string, address: string) =>
      `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {containers: []}\nstatus: {podIP: ${address}}\n`;
    const { files, settle } = start({ "d/a.yaml": pod("a", "10.0.0.1"), "d/b.yaml": pod("b", "10.0.0.2") });
    await settle();
    files.remove("d/a.yaml");
    files.remove("d/b.yaml");
    files.write("d/c.yaml", pod("c", "10.0.0.1"));
    files.write("d/d.yaml", "{");
    const { loaded } = await settle();
    expect(loaded.pods.map(({ name }) => name).sort()).toEqual(["b", "c"]);
  });
});

it("an invalid policy is closed, not kept: the text was understood", async () => {
  const { files, settle } = start({ "d/a.yaml": policy("a", "{podSelector: {}, ingress: [{}]}") });
  await settle();
  files.write("d/a.yaml", policy("a", "{podSelector: {}, ingress: [{from: [{ipBlock: {cidr: nonsense}}]}]}"));
  const state = await settle();
  expect(state.broken).toEqual([]);
  expect(state.loaded.policies[0]?.rules.ingress[0]?.peers).toEqual([]);
  expect(state.loaded.diagnostics).toMatchObject([{ severity: "error", object: "NetworkPolicy default/a" }]);
});

it.each([
  ["a workload", "apiVersion: extensions/v1beta1\nkind: Deployment\nmetadata: {name: d}\nspec: {}\n"],
  ["the values of a chart", "replicas: 3\nimage: {tag: x}\n"],
  ["another product's kind", "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: [1]}\n"],
])("%s beside a policy breaks nothing, whatever is wrong with it", async (_what, text) => {
  const { settle } = start({ "d/a.yaml": policy("a"), "d/b.yaml": text });
  const state = await settle();
  expect(names(state)).toEqual(["a"]);
  expect(state.broken).toEqual([]);
});

it("nothing is made up: an address that no pod has may be anybody's", async () => {
  const pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: a}}\nspec: {containers: [{name: c}]}\n";
  const template = "{metadata: {labels: {app: a}}, spec: {containers: [{name: c}]}}";
  const deployment = `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: d}\nspec: {selector: {matchLabels: {app: a}}, template: ${template}}\n`;
  const { settle } = start({ "d/pod.yaml": pod, "d/deployment.yaml": deployment, "d/policy.yaml": policy("p") });
  const { loaded } = await settle();
  expect(loaded.pods.map(({ key, addresses }) => [key, addresses])).toEqual([["default/p", []]]);
});

describe("what cannot be looked at is not gone:", () => {
  it("with a subfolder that cannot be read the folder cannot be, and nothing changes", async () => {
    const { files, folder, settle } = start({ "d/a.yaml": policy("a"), "d/sub/b.yaml": policy("b") });
    expect((await settle()).loaded.policies.map(({ name }) => name)).toEqual(["a", "b"]);
    files.closed.add("d/sub");
    await expect(folder.look()).rejects.toThrow(FolderError);
    await expect(folder.look()).rejects.toThrow("the folder d/sub cannot be read: permission denied");
    files.closed.clear();
    expect(await folder.look()).toBe("same");
  });

  it("a link that leads nowhere leaves in force what it led to", async () => {
    const { files, settle } = start({ "d/a.yaml": policy("a"), "d/b.yaml": policy("b") });
    await settle();
    files.closed.add("d/b.yaml");
    const { loaded, broken } = await settle();
    expect(loaded.policies.map(({ name }) => name)).toEqual(["a", "b"]);
    expect(broken).toMatchObject([
      { position: { file: "d/b.yaml" }, message: "cannot be read: no such file or folder" },
    ]);
  });

  it("a file that vanishes when it is to be read is gone, not broken", async () => {
    const { files, folder, settle } = start({ "d/a.yaml": policy("a"), "d/b.yaml": policy("b") });
    files.onRead = () => files.remove("d/b.yaml");
    expect(await folder.look()).toBe("changing");
    expect(await folder.look()).toBe("changing");
    const state = await settle();
    expect(names(state)).toEqual(["a"]);
    expect(state.broken).toEqual([]);
  });
});
