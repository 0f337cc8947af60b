// What the kernel's answers mean, with a C library that plays the kernel. Against the real one: test/kernel/netlink-writer.test.ts.

import { afterEach, describe, expect, it } from "vitest";
import type { ElementChange } from "./element-batch.ts";
import type { Libc } from "./libc.ts";
import { MessageWriter } from "./message-writer.ts";
import { SetElements } from "./set-elements.ts";

const [ENOENT, EMSGSIZE, ENOBUFS, EMFILE, EAGAIN, EINTR] = [2, 90, 105, 24, 11, 4];
const CHANGE: ElementChange = {
  kind: "add",
  set: "s",
  keyLength: 4,
  keys: Uint8Array.of(10, 0, 0, 1),
  keyEnds: undefined,
  verdicts: undefined,
};
const LONG: ElementChange = { ...CHANGE, keys: new Uint8Array(4 * 5_000) };

/** An error message, or with 0 an acknowledgement. */
function answer(sequence: number, errno = 0): Buffer {
  const payload = Buffer.alloc(20);
  payload.writeInt32LE(-errno, 0);
  return Buffer.from(new MessageWriter().message({ type: 2, flags: 0, sequence }, payload).bytes());
}

/** Of each batch: what send returns, then what receive does until EAGAIN. */
interface Play {
  readonly sent?: number;
  readonly received: readonly (Buffer | number)[];
}

class PlayedKernel implements Libc {
  readonly sends: ("now" | "on a thread")[] = [];
  readonly open = new Set<number>();
  socketResult: number | undefined;
  #received: (Buffer | number)[] = [];
  readonly #plays: Play[];

  constructor(plays: readonly Play[]) {
    this.#plays = [...plays];
  }

  socket(): number {
    if (this.socketResult !== undefined) return this.socketResult;
    const fd = 3 + this.open.size;
    this.open.add(fd);
    return fd;
  }
  connect = () => 0;
  bind = () => 0;
  setOption = () => 0;
  async send(fd: number, bytes: Buffer): Promise<number> {
    return this.#send("on a thread", fd, bytes);
  }
  sendNow(fd: number, bytes: Buffer): number {
    return this.#send("now", fd, bytes);
  }
  #send(how: "now" | "on a thread", fd: number, bytes: Buffer): number {
    expect(this.open).toContain(fd);
    this.sends.push(how);
    const play = this.#plays.shift() as Play;
    this.#received = [...play.received];
    return play.sent ?? bytes.length;
  }
  receive = (): Promise<number> => Promise.reject(new Error("nobody waits for answers"));
  receiveNow(_: number, buffer: Buffer): number {
    const next = this.#received.shift() ?? -EAGAIN;
    if (typeof next === "number") return next;
    next.copy(buffer);
    return next.length;
  }
  closeOnThread = (fd: number): void => {
    this.close(fd);
  };
  close(fd: number): number {
    this.open.delete(fd);
    return 0;
  }
}

let kernel = new PlayedKernel([]);
function elementsOver(...plays: readonly Play[]): SetElements {
  kernel = new PlayedKernel(plays);
  return new SetElements(kernel);
}

afterEach(() => expect(kernel.open.size).toBeLessThanOrEqual(1));

describe("a batch of element changes", () => {
  it("is written when the last change is acknowledged", async () => {
    expect(await elementsOver({ received: [answer(2)] }).write("t", [CHANGE])).toEqual({ kind: "written" });
    expect(kernel.sends).toEqual(["now"]);
  });

  it("does not hold up the event loop when it is long", async () => {
    const elements = elementsOver({ received: [answer(9)] });
    expect((await elements.write("t", [LONG])).kind).not.toBe("not-sent");
    expect(kernel.sends).toEqual(["on a thread"]);
  });

  it("is refused with the set whose change was", async () => {
    const changes = [CHANGE, { ...CHANGE, set: "other" }];
    expect(await elementsOver({ received: [answer(3, ENOENT)] }).write("t", changes)).toEqual({
      kind: "refused",
      reason: "the kernel refused: ENOENT",
      code: "ENOENT",
      set: "other",
    });
  });

  it("is refused as a whole, whatever is acknowledged after that", async () => {
    const received = [Buffer.concat([answer(1, ENOENT), answer(2)])];
    expect(await elementsOver({ received }).write("t", [CHANGE])).toMatchObject({ kind: "refused", set: undefined });
    expect(await elementsOver({ received: [answer(1, ENOENT), answer(2)] }).write("t", [CHANGE])).toMatchObject({
      kind: "refused",
    });
  });

  it("was not sent when the kernel does not take it", async () => {
    const elements = elementsOver({ sent: -EMSGSIZE, received: [] }, { received: [answer(2)] });
    expect(await elements.write("t", [CHANGE])).toEqual({
      kind: "not-sent",
      reason: "a batch of element changes was not taken: EMSGSIZE",
    });
    expect(await elements.write("t", [CHANGE])).toEqual({ kind: "written" });
  });

  it.each<[string, Play]>([
    ["no answer", { received: [] }],
    ["an answer that was dropped", { received: [-ENOBUFS] }],
    ["another's acknowledgement only", { received: [answer(1)] }],
    ["an answer that is no netlink", { received: [Buffer.alloc(20, 0xff)] }],
    ["an answer that does not fit", { received: [1 << 20] }],
  ])("%s: nobody knows, and the next batch has a socket of its own", async (_, play) => {
    const elements = elementsOver(play, { received: [answer(2)] });
    const [before] = kernel.open;
    expect(await elements.write("t", [CHANGE])).toMatchObject({ kind: "unknown" });
    expect(kernel.open).not.toContain(before);
    expect(await elements.write("t", [CHANGE])).toEqual({ kind: "written" });
  });

  it("was not sent when there is no new socket", async () => {
    const elements = elementsOver({ received: [] });
    await elements.write("t", [CHANGE]);
    kernel.socketResult = -EMFILE;
    expect(await elements.write("t", [CHANGE])).toEqual({ kind: "not-sent", reason: "no netlink socket: EMFILE" });
  });

  it("is read on after an interruption", async () => {
    expect(await elementsOver({ received: [-EINTR, answer(2)] }).write("t", [CHANGE])).toEqual({ kind: "written" });
  });
});

describe("whether the kernel takes element changes", () => {
  it.each<[string, Play, string | undefined]>([
    ["it knows no such table", { received: [answer(2, ENOENT)] }, undefined],
    ["it does not permit it", { received: [answer(2, 1)] }, "the kernel refused: EPERM"],
    ["it knows no nftables", { received: [answer(1, 95)] }, "the kernel refused: ENOTSUP"],
    [
      "it agrees to what cannot be",
      { received: [answer(2)] },
      "the kernel says that a set changed which does not exist",
    ],
    ["it takes nothing", { sent: -1, received: [] }, "a batch of element changes was not taken: EPERM"],
  ])("%s", async (_, play, refusal) => {
    expect(await elementsOver(play).refusal()).toBe(refusal);
  });
});
