// Which way a transaction takes, and what becomes of the kernel's answers.

import { describe, expect, it } from "vitest";
import { BackendError } from "../../backend.ts";
import type { ElementAnswer, ElementChange, ElementSocket } from "../element-changes.ts";
import type { Operation, SetKey, Transaction } from "../transaction.ts";
import { NetlinkWriter } from "./netlink-writer.ts";
import type { TransactionWriter } from "./transaction-writer.ts";

const KEY: SetKey = { fields: ["ip saddr"], interval: false };
const ADD: Operation = {
  kind: "add-elements",
  set: "s",
  key: KEY,
  elements: [
    { key: "10.0.0.1", verdict: { kind: "accept" } },
    { key: "10.0.0.2", verdict: { kind: "jump", chain: "c" } },
  ],
};
const DELETE: Operation = { kind: "delete-elements", set: "t", key: KEY, elements: ["10.0.0.3"] };

function writerWith(answer: ElementAnswer) {
  const sent: (readonly ElementChange[])[] = [];
  const byNft: Transaction[] = [];
  let closed = 0;
  const socket: ElementSocket = {
    refusal: async () => undefined,
    write: async (table, changes) => {
      expect(table).toBe("nftpol");
      sent.push(changes);
      return answer;
    },
    close: () => {},
  };
  const nft: TransactionWriter = {
    name: "nft -i",
    write: async (transaction) => void byNft.push(transaction),
    close: async () => void closed++,
  };
  const writer = new NetlinkWriter(socket, nft);
  const write = (...operations: readonly Operation[]) => writer.write({ table: "nftpol", operations });
  return { writer, write, sent, byNft, closed: () => closed };
}

describe("a transaction", () => {
  it("of elements only goes to the kernel, in order", async () => {
    const { write, sent, byNft } = writerWith({ kind: "written" });
    await write(DELETE, ADD);
    expect(byNft).toEqual([]);
    const single = { keyLength: 4, keyEnds: undefined };
    expect(sent).toEqual([
      [
        { kind: "delete", set: "t", ...single, keys: Uint8Array.of(10, 0, 0, 3), verdicts: undefined },
        {
          kind: "add",
          set: "s",
          ...single,
          keys: Uint8Array.of(10, 0, 0, 1, 10, 0, 0, 2),
          verdicts: [{ kind: "accept" }, { kind: "jump", chain: "c" }],
        },
      ],
    ]);
  });

  it.each<[string, Operation]>([
    ["a rule", { kind: "add-rule", chain: "c", rule: { statements: [], comment: undefined } }],
    ["a chain", { kind: "flush-chain", chain: "c" }],
    ["a set that goes", { kind: "delete-set", set: "s", setKind: "set" }],
    ["an element that only nft can write", { ...DELETE, key: { ...KEY, interval: true }, elements: ["10.0.0.0/8"] }],
    ["words that are not ours", { ...DELETE, elements: ["localhost"] }],
  ])("with %s goes to nft, whole", async (_, operation) => {
    const { write, sent, byNft } = writerWith({ kind: "written" });
    await write(ADD, operation);
    expect(sent).toEqual([]);
    expect(byNft).toEqual([{ table: "nftpol", operations: [ADD, operation] }]);
  });

  it("that the kernel has not seen goes to nft", async () => {
    const { write, byNft } = writerWith({ kind: "not-sent", reason: "too long" });
    await write(ADD);
    expect(byNft).toEqual([{ table: "nftpol", operations: [ADD] }]);
  });

  it.each<[ElementAnswer, Partial<BackendError>]>([
    [
      { kind: "refused", reason: "the kernel refused: ENOENT", code: "ENOENT", set: "s" },
      { kind: "refused", message: "a change of set s failed: the kernel refused: ENOENT" },
    ],
    [
      { kind: "refused", reason: "the kernel refused: EPERM", code: "EPERM", set: undefined },
      { kind: "not-permitted", hint: expect.stringContaining("CAP_NET_ADMIN") as unknown as string },
    ],
    [
      { kind: "unknown", reason: "no answer" },
      { kind: "broken", message: expect.stringContaining("no answer") as unknown as string },
    ],
  ])("with the answer %o fails, and is not tried again", async (answer, expected) => {
    const { write, byNft } = writerWith(answer);
    const error = await write(ADD).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(BackendError);
    expect(error).toMatchObject(expected);
    expect(byNft).toEqual([]);
  });
});

it("names both ways, and ends nft with itself", async () => {
  const { writer, closed } = writerWith({ kind: "written" });
  expect(writer.name).toBe("netlink, nft -i");
  await writer.close();
  expect(closed()).toBe(1);
});
