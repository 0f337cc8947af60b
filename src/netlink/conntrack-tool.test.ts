// The program conntrack replaced by one that says what a test wants. With the real one: test/kernel/conntrack.test.ts.

import { describe, expect, it } from "vitest";
import { ConntrackTool } from "./conntrack-tool.ts";

/** A conntrack that runs `script` with its arguments in `argv`. */
function fakeConntrack(script: string): readonly string[] {
  const count = `if (argv.includes("-C")) { console.log("0"); process.exit(0); }`;
  return [process.execPath, "-e", `const argv = process.argv.slice(1); ${count} ${script}`, "--"];
}

const line = (port: number) =>
  `ipv4 2 udp 17 99 src=10.0.0.1 dst=10.0.0.2 sport=${port} dport=2 src=10.0.0.2 dst=10.0.0.1 sport=2 dport=${port} mark=0 zone=6 use=1 id=4`;
const list = `if (argv[0] === "-L") { console.log(${JSON.stringify([1, 2, 3].map(line).join("\n"))}); process.exit(0); }`;

describe("the program conntrack", () => {
  it("is asked for with what to install when it is not there", async () => {
    const starting = ConntrackTool.start(["/nonexistent/conntrack"]);
    await expect(starting).rejects.toMatchObject({ name: "ConnectionTrackerError", kind: "unsupported" });
    await expect(starting).rejects.toThrow("conntrack-tools");
  });

  it("that says what is not understood is an error, not an empty table", async () => {
    const tool = await ConntrackTool.start(fakeConntrack(`console.log("surprise"); setInterval(() => {}, 1000);`));
    await expect(tool.list(4)).rejects.toThrow("not understood: surprise");
  });

  it("that lists the other family is an error", async () => {
    const tool = await ConntrackTool.start(fakeConntrack(list));
    expect(await tool.list(4)).toHaveLength(3);
    await expect(tool.list(6)).rejects.toThrow("not understood: ipv4");
  });

  it("that fails in the middle is an error, whatever it listed before", async () => {
    const tool = await ConntrackTool.start(
      fakeConntrack(`console.log("${line(1)}"); console.error("out of luck"); process.exit(1);`),
    );
    await expect(tool.list(4)).rejects.toMatchObject({
      kind: "failed",
      message: "conntrack -L ended with 1: out of luck",
    });
  });

  it("is told everything that makes out a connection, and goes on after a failure", async () => {
    const script = `${list}
      if (argv.join(" ") !== "-D -f ipv4 -p udp -s 10.0.0.1 -d 10.0.0.2 -r 10.0.0.2 -q 10.0.0.1 -w 6 --orig-port-src " + argv[16] +
        " --orig-port-dst 2 --reply-port-src 2 --reply-port-dst " + argv[16]) { console.error("strange arguments"); process.exit(2); }
      const gone = { 1: 1, 3: 0 }[argv[16]];
      console.error(gone === undefined ? "out of luck" : "conntrack v1: " + gone + " flow entries have been deleted.");
      process.exit(gone === 1 ? 0 : 1);`;
    const tool = await ConntrackTool.start(fakeConntrack(script));
    const [one, two, three] = await tool.list(4);
    if (one === undefined || two === undefined || three === undefined) throw new Error("three are listed");
    expect(await tool.delete([three, one])).toBe(1);
    await expect(tool.delete([two, one])).rejects.toThrow(
      "1 of 2 connections could not be deleted: conntrack -D ended with 1",
    );
  });
});
