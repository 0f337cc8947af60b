// Raw ICMP sockets at places of a lab: what errors come there, and forged ones to send.

import { openRawSockets, type RawSockets } from "../../src/lab/raw-sockets.ts";
import type { Address, Family } from "../../src/net/address.ts";
import { FAMILIES } from "../../src/net/address.ts";
import { ICMP_PROTOCOL, type IcmpArrival, readIcmpError } from "./lab-icmp.ts";
import type { Place, Scene } from "./lab-scene.ts";

const LONGEST = 2048;

export class IcmpEars {
  readonly #sockets: RawSockets;
  readonly #ears: readonly { readonly family: Family; readonly fd: number; readonly heard: IcmpArrival[] }[];
  readonly #buffer = Buffer.alloc(LONGEST);

  static async at(scene: Scene, place: Place): Promise<IcmpEars> {
    return new IcmpEars(await openRawSockets(scene.lab.network.inside), place);
  }

  private constructor(sockets: RawSockets, { ns }: Place) {
    this.#sockets = sockets;
    this.#ears = FAMILIES.map((family) => ({
      family,
      fd: sockets.open(ns, family, ICMP_PROTOCOL[family]),
      heard: [],
    }));
  }

  /** All errors of a family that have come since it listens. */
  heard(family: Family): readonly IcmpArrival[] {
    const ear = this.#ears.find((each) => each.family === family);
    if (ear === undefined) throw new Error(`no IPv${family} here`);
    for (;;) {
      const length = this.#sockets.receive(ear.fd, this.#buffer);
      if (length === undefined) return ear.heard;
      const arrival = readIcmpError(family, this.#buffer.subarray(0, length));
      if (arrival !== undefined) ear.heard.push(arrival);
    }
  }

  /** From anywhere in the lab. */
  send(from: Place, family: Family, bytes: Buffer, to: Address): void {
    this.#sockets.send(this.#sockets.open(from.ns, family, ICMP_PROTOCOL[family], from.addresses[family]), bytes, to);
  }

  close(): void {
    this.#sockets.close();
  }
}
