import { describe, expect, it } from "vitest";
import {
  type Answer,
  acknowledgement,
  datagram,
  done,
  int32,
  ScriptedNetlink,
} from "../../test/support/scripted-netlink.ts";
import { ask, dump, sendBatch, type WriteRequest } from "./conversation.ts";
import type { NetlinkMessage } from "./message-reader.ts";
import { NetlinkError } from "./netlink-error.ts";

const PROTOCOL = 12;
const INTERRUPTED = 0x10;

const request: WriteRequest = (writer, flags, sequence) =>
  writer.message({ type: 50, flags, sequence }, new Uint8Array());
const readNumber = ({ bytes, start }: NetlinkMessage) => bytes.readInt32LE(start);

function entry(value: number, flags = 2, sequence = 1): Buffer {
  return datagram({ type: 60, flags, sequence, payload: int32(value) });
}

/** Attempt by attempt; the last again and again. */
function kernel(...attempts: readonly (readonly Answer[])[]): ScriptedNetlink {
  return new ScriptedNetlink((_requests, attempt) => attempts[Math.min(attempt, attempts.length - 1)] ?? []);
}

const dumpFrom = ({ open }: ScriptedNetlink) => dump(open, PROTOCOL, request, readNumber);
const askOf = ({ open }: ScriptedNetlink) => ask(open, PROTOCOL, request, readNumber);
const overrun = new NetlinkError("overrun", "lost", { errno: 105 });

describe("a dump", () => {
  it.each([
    ["over several datagrams", [[entry(1), entry(2), done()]], [1, 2]],
    ["with entries and end in one datagram", [[Buffer.concat([entry(1), entry(2), done()])]], [1, 2]],
    ["that is empty", [[done()]], []],
    [
      "with an end that says nothing, as old kernels have",
      [[entry(1), datagram({ type: 3, flags: 2, sequence: 1 })]],
      [1],
    ],
    ["with messages that say nothing", [[datagram({ type: 1, flags: 0, sequence: 1 }), entry(1), done()]], [1]],
    [
      "that was inconsistent once, in an entry",
      [
        [entry(1, INTERRUPTED), done()],
        [entry(2), done()],
      ],
      [2],
    ],
    [
      "that was inconsistent once, at its end",
      [
        [entry(1), done(1, 0, INTERRUPTED)],
        [entry(2), done()],
      ],
      [2],
    ],
    [
      "that lost an answer once",
      [
        [entry(1), overrun],
        [entry(2), entry(3), done()],
      ],
      [2, 3],
    ],
    [
      "whose kernel says so",
      [
        [entry(1), datagram({ type: 4, flags: 0, sequence: 1 })],
        [entry(2), done()],
      ],
      [2],
    ],
  ] satisfies [string, Answer[][], number[]][])("%s gives every entry once", async (_name, attempts, expected) => {
    const script = kernel(...attempts);
    expect(await dumpFrom(script)).toEqual(expected);
    expect(script.attempts).toBe(attempts.length);
    expect(script.openSockets).toBe(0);
  });

  it("leaves out what its reader does not want", async () => {
    const script = kernel([entry(1), entry(2), done()]);
    const even = await dump(script.open, PROTOCOL, request, (message) =>
      readNumber(message) % 2 === 0 ? readNumber(message) : undefined,
    );
    expect(even).toEqual([2]);
  });

  it("is asked for again with more room when an answer did not fit", async () => {
    const script = kernel([new NetlinkError("truncated", "too long")], [entry(1), done()]);
    expect(await dumpFrom(script)).toEqual([1]);
    expect(script.receiveBytes).toEqual([undefined, 1024 * 1024]);
  });

  it.each([
    ["is never consistent", [entry(1, INTERRUPTED), done()]],
    ["always loses answers", [overrun]],
  ])("is given up as interrupted when it %s: no part is passed off as the whole", async (_name, answers) => {
    const script = kernel(answers);
    await expect(dumpFrom(script)).rejects.toMatchObject({ name: "NetlinkError", kind: "interrupted" });
    expect(script.attempts).toBe(8);
    expect(script.openSockets).toBe(0);
  });

  it.each([
    ["at its start", [acknowledgement(1, 1)], "EPERM"],
    ["in the middle", [entry(1), acknowledgement(1, 12)], "ENOMEM"],
    ["at its end", [entry(1), done(1, 12)], "ENOMEM"],
  ])("fails when the kernel refuses %s", async (_name, answers, code) => {
    const script = kernel(answers);
    await expect(dumpFrom(script)).rejects.toMatchObject({ kind: "refused", code });
    expect(script.attempts).toBe(1);
    expect(script.openSockets).toBe(0);
  });

  it("fails for an answer to another request, and for what its reader cannot read", async () => {
    await expect(dumpFrom(kernel([entry(1, 2, 9), done()]))).rejects.toMatchObject({ kind: "malformed" });
    const script = kernel([entry(1), done()]);
    const failing = dump(script.open, PROTOCOL, request, () => {
      throw new NetlinkError("malformed", "what is this");
    });
    await expect(failing).rejects.toThrow("what is this");
    expect(script.openSockets).toBe(0);
  });
});

describe("a request", () => {
  it("gives its answer, and nothing when the kernel only says yes", async () => {
    expect(await askOf(kernel([entry(5, 0), acknowledgement()]))).toBe(5);
    expect(await askOf(kernel([acknowledgement()]))).toBeUndefined();
  });

  it("fails with the kernel's number, and its reason in words where there is one", async () => {
    await expect(askOf(kernel([acknowledgement(1, 1)]))).rejects.toMatchObject({
      kind: "refused",
      code: "EPERM",
      message: "the kernel refused: EPERM",
    });
    const reason = Buffer.concat([Buffer.from("14000100", "hex"), Buffer.from("no such thing..\0")]);
    const header = Buffer.alloc(16);
    const short = datagram({ type: 2, flags: 0x300, sequence: 1, payload: Buffer.concat([int32(-2), header, reason]) });
    header.writeUInt32LE(24, 0);
    const long = Buffer.concat([int32(-2), header, Buffer.alloc(8), reason]);
    const withRequest = datagram({ type: 2, flags: 0x200, sequence: 1, payload: long });
    for (const answer of [short, withRequest]) {
      await expect(askOf(kernel([answer]))).rejects.toThrow("the kernel refused (no such thing..): ENOENT");
    }
  });

  it("fails when an error has no number", async () => {
    const empty = datagram({ type: 2, flags: 0, sequence: 1 });
    await expect(askOf(kernel([empty]))).rejects.toMatchObject({ kind: "malformed" });
  });
});

describe("a batch", () => {
  const three = [request, request, request];

  it("asks for an acknowledgement of its last request only, and tells which ones failed", async () => {
    const flags: number[] = [];
    const script = new ScriptedNetlink((requests) => {
      flags.push(...requests.map((sent) => sent.flags));
      return [acknowledgement(2, 2), acknowledgement(3)];
    });
    const refused: [number, string | undefined][] = [];
    await sendBatch(script.open, PROTOCOL, three, (index, error) => refused.push([index, error.code]));
    expect(flags).toEqual([1, 1, 5]);
    expect(refused).toEqual([[1, "ENOENT"]]);
    expect(script.openSockets).toBe(0);
  });

  it("ends when its last request failed", async () => {
    const refused: number[] = [];
    const script = kernel([Buffer.concat([acknowledgement(1, 2), acknowledgement(3, 2)])]);
    await sendBatch(script.open, PROTOCOL, three, (index) => refused.push(index));
    expect(refused).toEqual([0, 2]);
  });

  it("fails when answers were lost: what became of it is unknown, so it is not sent again", async () => {
    const script = kernel([acknowledgement(1, 2), overrun]);
    await expect(sendBatch(script.open, PROTOCOL, three, () => {})).rejects.toMatchObject({ kind: "overrun" });
    expect(script.attempts).toBe(1);
    expect(script.openSockets).toBe(0);
  });
});
