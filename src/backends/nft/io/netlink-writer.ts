// Writes changes of elements straight to the kernel, and hands everything else to a writer that speaks with nft. Owns which way a
// transaction takes, and what the kernel's answers mean for the backend.

import { BackendError } from "../../backend.ts";
import { type ElementSocket, elementChanges } from "../element-changes.ts";
import type { Transaction } from "../transaction.ts";
import type { TransactionWriter } from "./transaction-writer.ts";

export class NetlinkWriter implements TransactionWriter {
  readonly name: string;
  readonly #socket: ElementSocket;
  readonly #nft: TransactionWriter;

  /** Closes `nft` with itself, and leaves the socket open. */
  constructor(socket: ElementSocket, nft: TransactionWriter) {
    this.name = `netlink, ${nft.name}`;
    this.#socket = socket;
    this.#nft = nft;
  }

  async write(transaction: Transaction): Promise<void> {
    const changes = elementChanges(transaction);
    if (changes === undefined) return await this.#nft.write(transaction);
    const answer = await this.#socket.write(transaction.table, changes);
    switch (answer.kind) {
      case "written":
        return;
      case "not-sent":
        return await this.#nft.write(transaction);
      case "unknown":
        throw new BackendError(
          "broken",
          `it is not known whether the kernel took a change of elements: ${answer.reason}`,
        );
      case "refused":
        throw answer.code === "EPERM" ? notPermitted(answer.reason) : refused(answer.reason, answer.set);
    }
  }

  close(): Promise<void> {
    return this.#nft.close();
  }
}

function refused(reason: string, set: string | undefined): BackendError {
  return new BackendError("refused", `a change of ${set === undefined ? "elements" : `set ${set}`} failed: ${reason}`);
}

function notPermitted(reason: string): BackendError {
  return new BackendError("not-permitted", "the kernel does not let us change elements of our sets", {
    output: reason,
    hint: "run as root (CAP_NET_ADMIN); if it is so: another process owns the table of our name (nft list table shows its flag owner)",
  });
}
