// Node's own sockets inside pods. A socket belongs to the namespace of the thread at the moment when it is made, so everything up to
// that moment must happen at once: Node looks up even addresses, and these lookups answer without waiting.

import { createSocket, type Socket as UdpSocket } from "node:dgram";
import { connect, createServer, type Server, type Socket } from "node:net";
import { type Address, addressFamily } from "../net/address.ts";
import { LabError } from "./lab-error.ts";
import type { InsideNetns } from "./netns.ts";

/** Listens on all addresses of the namespace, of both families. Rejects with LabError when the kernel refuses. */
export function listenInside(
  inside: InsideNetns,
  ns: string,
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer({ noDelay: true }, onConnection);
    server.once("listening", () => resolve(server)).once("error", (error) => reject(refused(`${port}/TCP`, error)));
    inside(ns, () => server.listen(port));
  });
}

/** The same for datagrams. */
export function bindInside(inside: InsideNetns, ns: string, port: number): Promise<UdpSocket> {
  return new Promise((resolve, reject) => {
    const socket = createSocket({ type: "udp6", lookup: (host, _options, found) => found(null, host, 6) });
    socket.once("listening", () => resolve(socket)).once("error", (error) => reject(refused(`${port}/UDP`, error)));
    inside(ns, () => socket.bind(port));
  });
}

/** Begins to connect from the namespace: listen for "connect" and "error". */
export function connectInside(inside: InsideNetns, ns: string, to: Address, port: number): Socket {
  const family = addressFamily(to);
  return inside(ns, () =>
    connect({
      // Not the address itself: that would not be looked up, but used later.
      host: "pod",
      port,
      noDelay: true,
      autoSelectFamily: false,
      lookup: (_host, _options, found) => found(null, to, family),
    }),
  );
}

function refused(what: string, cause: Error): LabError {
  return new LabError(`no server on ${what}: ${cause.message}`, undefined, cause);
}
