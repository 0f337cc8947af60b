// The program ipset: what we ask of it. What it says when something goes wrong is read by `ipset-output.ts`.

import { BackendError } from "../../backend.ts";
import { type ChildOutcome, type ChildProgram, runChild, startError } from "../../child-process.ts";
import { errorFromIpset } from "../ipset-output.ts";

export const DEFAULT_IPSET: ChildProgram = { binary: "ipset", timeoutMs: 30_000 };

/** All methods throw BackendError, as `errorFromIpset` has it. `restore` must not overlap with another of ours. */
export class IpsetProgram {
  readonly #program: ChildProgram;

  constructor(program: ChildProgram = DEFAULT_IPSET) {
    this.#program = program;
  }

  /** `ipset v7.17, protocol version: 7`. Needs no rights. */
  async version(): Promise<string> {
    return (await this.#ask(["--version"])).trim();
  }

  /** All sets of this network namespace with their elements, those of other software included, as `restore` takes them. */
  async save(): Promise<string> {
    return this.#ask(["save"]);
  }

  /** All sets of this network namespace. Cost: one child, however many elements they have. */
  async names(): Promise<readonly string[]> {
    return (await this.#ask(["list", "-name"])).split("\n").filter((name) => name !== "");
  }

  /** By how many rules each set is looked up, and other sets that name it. Cost: one child. */
  async references(): Promise<ReadonlyMap<string, number>> {
    const listing = await this.#ask(["list", "-terse"]);
    return new Map(
      [...listing.matchAll(/^Name: (\S+)\n(?:[^\n]+\n)*?References: (\d+)$/gm)].map(([, name = "", count]) => [
        name,
        Number(count),
      ]),
    );
  }

  /**
   * Takes a line after the other: no transaction. "refused": nothing of it was applied; "broken": not known how much. `exist`: what is
   * to be made and is there, and what is to be deleted and is not, is no error; a set of that name has to be equal.
   */
  async restore(text: string, { exist = false } = {}): Promise<void> {
    await this.#ask(exist ? ["-exist", "restore"] : ["restore"], text);
  }

  async #ask(argv: readonly string[], input = ""): Promise<string> {
    const outcome = await run(this.#program, argv, input);
    if (outcome.code !== 0) throw errorFromIpset({ ...outcome, program: "ipset", input });
    return outcome.stdout;
  }
}

function run(program: ChildProgram, argv: readonly string[], input: string): Promise<ChildOutcome> {
  return runChild(program, argv, input, {
    startError: (cause) => startError(program.binary, "ipset", cause),
    hungError: (output) =>
      new BackendError("broken", `ipset did not answer within ${program.timeoutMs / 1000} s and was ended`, {
        output,
        hint: "look for a process that holds the kernel's lock for sets, or for a node without CPU time",
      }),
  });
}
