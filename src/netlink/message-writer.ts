// Netlink messages as bytes: headers, attributes, nesting, padding. Knows no protocol's message types or attributes.
// Layout: linux/netlink.h. Headers are in host order (little endian, libc.ts sees to it); payloads as their owner says.

export interface MessageHeader {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
}

/** Flags of a request. */
export const NLM_F_REQUEST = 0x1;
export const NLM_F_ACK = 0x4;
export const NLM_F_DUMP = 0x300;

const ATTRIBUTE_IS_NESTED = 0x8000;
const FIRST_SIZE_BYTES = 4096;

/** Writes one or more messages into one growing buffer. */
export class MessageWriter {
  #buffer = Buffer.alloc(FIRST_SIZE_BYTES);
  #length = 0;

  /** One message: its header, then what `body` writes. `family` is the protocol's own fixed header, padded to 4 bytes. */
  message(header: MessageHeader, family: Uint8Array, body: () => void = () => {}): this {
    const start = this.#reserve(16);
    this.#buffer.writeUInt16LE(header.type, start + 4);
    this.#buffer.writeUInt16LE(header.flags, start + 6);
    this.#buffer.writeUInt32LE(header.sequence, start + 8);
    this.#append(family);
    body();
    this.#buffer.writeUInt32LE(this.#length - start, start);
    return this;
  }

  attribute(type: number, payload: Uint8Array): this {
    const start = this.#reserve(4);
    this.#append(payload);
    this.#endAttribute(start, type, 4 + payload.length);
    return this;
  }

  /** An attribute whose payload is the attributes that `body` writes. */
  nested(type: number, body: () => void): this {
    const start = this.#reserve(4);
    body();
    this.#endAttribute(start, type | ATTRIBUTE_IS_NESTED, this.#length - start);
    return this;
  }

  /** 16 bits, big endian. */
  attributeBe16(type: number, value: number): this {
    return this.attribute(type, Uint8Array.of(value >>> 8, value & 0xff));
  }

  /** 32 bits, big endian. */
  attributeBe32(type: number, value: number): this {
    return this.attribute(type, Uint8Array.of(value >>> 24, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff));
  }

  /** 32 bits in host order. */
  attributeU32(type: number, value: number): this {
    return this.attribute(type, Uint8Array.of(value & 0xff, (value >>> 8) & 0xff, (value >>> 16) & 0xff, value >>> 24));
  }

  /** Everything written so far; not to be used together with further writing. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  #endAttribute(start: number, type: number, length: number): void {
    // A longer one would wrap around silently and be read as something else.
    if (length > 0xffff) throw new Error(`netlink attribute ${type} of ${length} bytes: the format ends at 65535`);
    this.#buffer.writeUInt16LE(length, start);
    this.#buffer.writeUInt16LE(type, start + 2);
  }

  #append(bytes: Uint8Array): void {
    const at = this.#reserve((bytes.length + 3) & ~3);
    this.#buffer.set(bytes, at);
  }

  /** Zeroed room at the end; its offset. */
  #reserve(bytes: number): number {
    const start = this.#length;
    this.#length += bytes;
    if (this.#length > this.#buffer.length) {
      const larger = Buffer.alloc(Math.max(this.#buffer.length * 2, this.#length));
      larger.set(this.#buffer);
      this.#buffer = larger;
    }
    return start;
  }
}
