// A kernel for tests of netlink code: answers each request with the datagrams that a script gives. Owns the sockets' side;
// what is answered is the test's.

import type { NetlinkMessage } from "../../src/netlink/message-reader.ts";
import { readMessages } from "../../src/netlink/message-reader.ts";
import { type MessageHeader, MessageWriter } from "../../src/netlink/message-writer.ts";
import type { NetlinkChannel, OpenNetlink } from "../../src/netlink/netlink-socket.ts";

/** An answer: a datagram, or what receiving it throws. */
export type Answer = Buffer | Error;

/** The answers to the requests of one datagram. `attempt` counts datagrams, over all sockets, from 0. */
export type Script = (requests: readonly NetlinkMessage[], attempt: number) => readonly Answer[];

export class ScriptedNetlink {
  readonly #script: Script;
  attempts = 0;
  openSockets = 0;
  /** As each socket was opened. */
  readonly receiveBytes: (number | undefined)[] = [];

  constructor(script: Script) {
    this.#script = script;
  }

  readonly open: OpenNetlink = (_protocol, receiveBytes) => {
    this.openSockets += 1;
    this.receiveBytes.push(receiveBytes);
    const answers: Answer[] = [];
    const channel: NetlinkChannel = {
      send: async (bytes) => {
        answers.push(...this.#script(readMessages(Buffer.from(bytes)), this.attempts));
        this.attempts += 1;
      },
      receive: async () => {
        const answer = answers.shift();
        if (answer === undefined)
          throw new Error("the script has no further answer: a real kernel would leave us waiting");
        if (answer instanceof Error) throw answer;
        return answer;
      },
      close: () => {
        this.openSockets -= 1;
      },
    };
    return channel;
  };
}

/** One datagram of messages with these payloads. */
export function datagram(...messages: readonly (MessageHeader & { readonly payload?: Uint8Array })[]): Buffer {
  const writer = new MessageWriter();
  for (const { payload = new Uint8Array(), ...header } of messages) writer.message(header, payload);
  return Buffer.from(writer.bytes());
}

/** The end of a dump; with an error number, its failure. */
export function done(sequence = 1, errno = 0, flags = 0): Buffer {
  return datagram({ type: 3, flags, sequence, payload: int32(-errno) });
}

/** Success (0) or an error number for the request; then the header of the request, as kernels that leave the rest out. */
export function acknowledgement(sequence = 1, errno = 0): Buffer {
  return datagram({ type: 2, flags: 0x100, sequence, payload: Buffer.concat([int32(-errno), Buffer.alloc(16)]) });
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}
