// Which base chains there are, and where they hook in.

import { describe, expect, it } from "vitest";
import { DEFAULT_PROGRAM_OPTIONS } from "../../program/program.ts";
import { baseChains, type JudgedPods } from "./base-chains.ts";

const NOBODY: JudgedPods = { any: false, towardsNode: false };
const TOWARDS_NODE: JudgedPods = { any: true, towardsNode: true };

function hooks(judged: JudgedPods, serviceProxy: "netfilter" | "ipvs") {
  const chains = baseChains({ ...DEFAULT_PROGRAM_OPTIONS, serviceProxy }, undefined, judged);
  return chains.flatMap(({ hook }) => (hook === undefined ? [] : [`${hook.name} ${hook.priority}`])).sort();
}

describe("base chains", () => {
  it("are one for what is forwarded, while no pod's packets to the node are judged", () => {
    expect(hooks(NOBODY, "netfilter")).toEqual(["forward -5"]);
    expect(hooks({ any: true, towardsNode: false }, "netfilter")).toEqual(["forward -5"]);
  });

  it("have one for what pods send to the node while that is judged", () => {
    expect(hooks(TOWARDS_NODE, "netfilter")).toEqual(["forward -5", "input -5"]);
  });

  it("see what is for the node behind IPVS (98 and 99), which takes what is for services out of the same hook", () => {
    expect(hooks(TOWARDS_NODE, "ipvs")).toEqual(["forward -5", "input 110", "output -5"]);
  });

  it("do not ask a packet to the node whether it begins a connection: what is denied there is denied in mid-connection, too", () => {
    const [input] = baseChains(DEFAULT_PROGRAM_OPTIONS, undefined, TOWARDS_NODE).filter(({ name }) => name === "input");
    expect(JSON.stringify(input?.rules)).not.toContain("tcp flags");
  });
});
