// The program that compares a packet's addresses, run by a small interpreter of classic BPF (the kernel's own: test/kernel/).

import { describe, expect, it } from "vitest";
import type { Family } from "../../net/address.ts";
import { SAME_ADDRESS_BYTECODE } from "./same-address-bpf.ts";

/** What the program returns for a packet; throws for what the kernel would not load. */
function run(bytecode: string, packet: DataView): number {
  const [length, ...rest] = bytecode.split(",");
  const program = rest.map((each) => each.split(" ").map(Number) as [number, number, number, number]);
  if (program.length !== Number(length) || program.length > 64) throw new Error("the length is wrong");
  let accumulator = 0;
  let index = 0;
  for (let at = 0; ; at++) {
    const instruction = program[at];
    if (instruction === undefined) throw new Error("the program runs off its end");
    const [code, whenTrue, whenFalse, operand] = instruction;
    // linux/bpf_common.h: class, size and mode, or operation and source.
    if (code === (0x00 | 0x00 | 0x20)) accumulator = packet.getUint32(operand);
    else if (code === (0x07 | 0x00)) index = accumulator;
    else if (code === (0x05 | 0x10 | 0x08)) at += accumulator === index ? whenTrue : whenFalse;
    else if (code === (0x06 | 0x00)) return operand;
    else throw new Error(`unknown code ${code}`);
  }
}

/** The header of IPv4 or IPv6 with every other byte different from what it is elsewhere. */
function header(family: Family, source: readonly number[], destination: readonly number[]): DataView {
  const bytes = Uint8Array.from({ length: family === 4 ? 20 : 40 }, (_, at) => at + 1);
  const begin = family === 4 ? 12 : 8;
  bytes.set(source, begin);
  bytes.set(destination, begin + source.length);
  return new DataView(bytes.buffer);
}

describe.each<[Family, number]>([
  [4, 4],
  [6, 16],
])("IPv%i", (family, length) => {
  const address = Array.from({ length }, (_, at) => 0xf0 + at);

  it("equal addresses match", () => {
    expect(run(SAME_ADDRESS_BYTECODE[family], header(family, address, address))).toBe(1);
    expect(
      run(
        SAME_ADDRESS_BYTECODE[family],
        header(
          family,
          address.map(() => 0),
          address.map(() => 0),
        ),
      ),
    ).toBe(1);
  });

  it("addresses that differ in any single bit do not", () => {
    for (let bit = 0; bit < length * 8; bit++) {
      const other = address.map((byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
      expect(run(SAME_ADDRESS_BYTECODE[family], header(family, address, other))).toBe(0);
      expect(run(SAME_ADDRESS_BYTECODE[family], header(family, other, address))).toBe(0);
    }
  });
});
