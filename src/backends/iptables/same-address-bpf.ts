// Whether a packet goes to where it comes from: iptables compares addresses with constants only, so a classic BPF program does it.

import type { Family } from "../../net/address.ts";

type Instruction = readonly [code: number, whenTrue: number, whenFalse: number, operand: number];

const LOAD_WORD = 0x20;
const TO_INDEX = 0x07;
const EQUALS_INDEX = 0x1d;
const RETURN = 0x06;

/** Where the two addresses begin in the header, and how long they are (RFC 791, RFC 8200); xt_bpf counts from the header. */
const ADDRESSES = {
  4: { source: 12, destination: 16, words: 1 },
  6: { source: 8, destination: 24, words: 4 },
} as const;

/** 1 where all words of the two addresses are equal, else 0. */
function sameAddress(family: Family): Instruction[] {
  const { source, destination, words } = ADDRESSES[family];
  const compared = Array.from({ length: words }, (_, index): Instruction[] => [
    [LOAD_WORD, 0, 0, source + 4 * index],
    [TO_INDEX, 0, 0, 0],
    [LOAD_WORD, 0, 0, destination + 4 * index],
    // To the last instruction where they differ: over the words that follow and the `return 1`.
    [EQUALS_INDEX, 0, 4 * (words - 1 - index) + 1, 0],
  ]);
  return [...compared.flat(), [RETURN, 0, 0, 1], [RETURN, 0, 0, 0]];
}

function bytecode(program: readonly Instruction[]): string {
  return [program.length, ...program.map((instruction) => instruction.join(" "))].join(",");
}

/** As `-m bpf --bytecode` takes it, and as iptables-save writes it. */
export const SAME_ADDRESS_BYTECODE: Readonly<Record<Family, string>> = {
  4: bytecode(sameAddress(4)),
  6: bytecode(sameAddress(6)),
};
