// What a node's kernel holds against what a program compiles to, for either backend. Each program that asks the kernel is started inside
// the node's namespace, and at once: the namespace is the thread's.

import { compileRuleset as compileIptables } from "../backends/iptables/compile.ts";
import { IpsetProgram } from "../backends/iptables/io/ipset-program.ts";
import { findXtables, type XtablesPrograms } from "../backends/iptables/io/xtables-programs.ts";
import { readBack } from "../backends/iptables/read-back.ts";
import { differenceTo } from "../backends/iptables/repair.ts";
import { stageText } from "../backends/iptables/stages.ts";
import type { Variant } from "../backends/iptables/xtables-version.ts";
import { compileRuleset as compileNft } from "../backends/nft/compile.ts";
import { describeDrift } from "../backends/nft/drift.ts";
import { NftKernelTable } from "../backends/nft/io/nft-kernel-table.ts";
import { DEFAULT_NFT } from "../backends/nft/io/nft-process.ts";
import type { NodeProgram } from "../program/program.ts";
import { LabError } from "./lab-error.ts";

/** What the agents of a lab write. */
export type LabBackend = { readonly name: "nft" } | { readonly name: "iptables"; readonly variant: Variant };

/** Calls something that starts a child at once inside the node. */
export type InsideNode = <T>(body: () => T) => T;

/** The first difference, for people; undefined: there is none. */
export type FindDifference = (program: NodeProgram, inside: InsideNode) => Promise<string | undefined>;

/** Throws LabError where what has to be asked is not installed. */
export async function differenceFinder(backend: LabBackend): Promise<FindDifference> {
  if (backend.name === "nft") return nftDifference;
  const programs = await findXtables(backend.variant);
  if (programs === undefined)
    throw new LabError(`the variant ${backend.variant} of iptables is not installed`, "install the package iptables");
  return (program, inside) => iptablesDifference(programs, program, inside);
}

async function nftDifference(program: NodeProgram, inside: InsideNode): Promise<string | undefined> {
  const table = new NftKernelTable({
    program: DEFAULT_NFT,
    options: program.options,
    writer: "child",
    batchFolder: undefined,
  });
  const [difference] = describeDrift(await inside(() => table.read()), compileNft(program));
  return difference;
}

async function iptablesDifference(
  programs: XtablesPrograms,
  program: NodeProgram,
  inside: InsideNode,
): Promise<string | undefined> {
  const rules = { 4: await inside(() => programs.save(4)), 6: await inside(() => programs.save(6)) };
  const sets = await inside(() => new IpsetProgram().save());
  const [stage] = differenceTo(readBack({ rules, sets }), compileIptables(program)).stages;
  return stage && stageText(stage).slice(0, 200);
}
