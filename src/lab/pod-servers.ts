// What the containers of a lab would be: something that answers on each of their ports and says who it is.

import type { Socket as UdpSocket } from "node:dgram";
import type { Server, Socket } from "node:net";
import type { PodKey } from "../model/cluster.ts";
import type { ClusterStore } from "../state/store.ts";
import type { LabNetwork } from "./lab-network.ts";
import { bindInside, listenInside } from "./pod-sockets.ts";

export interface PodServers {
  /** Ends them and cuts their connections. */
  close(): void;
}

/**
 * A server on every TCP and UDP port of every pod that has a namespace. Whatever a TCP connection sends is answered with an HTTP response
 * that says who answers and who asks; the connection stays open until the client closes it. A datagram gets the same line. Nobody
 * answers on SCTP ports. Throws LabError; then none is left.
 */
export async function startPodServers(network: LabNetwork, store: ClusterStore): Promise<PodServers> {
  const servers = new OpenServers();
  try {
    for (const { key } of network.plan.pods) {
      const ports = store.selectablePod(key)?.pod.ports ?? [];
      for (const port of portsOf(ports, "TCP")) await servers.answerTcp(network, key, port);
      for (const port of portsOf(ports, "UDP")) await servers.answerUdp(network, key, port);
    }
    return servers;
  } catch (error) {
    servers.close();
    throw error;
  }
}

function portsOf(ports: readonly { readonly protocol: string; readonly port: number }[], protocol: "TCP" | "UDP") {
  return new Set(ports.filter((each) => each.protocol === protocol).map(({ port }) => port));
}

class OpenServers implements PodServers {
  readonly #open = new Set<Server | UdpSocket>();
  readonly #connections = new Set<Socket>();

  async answerTcp({ inside, pod }: LabNetwork, key: PodKey, port: number): Promise<void> {
    const server = await listenInside(inside, pod(key), port, (socket) => {
      this.#connections.add(socket);
      const answer = httpResponse(greeting(key, socket.remoteAddress ?? ""));
      socket
        .on("data", () => socket.write(answer))
        .on("close", () => this.#connections.delete(socket))
        // A client that went away in the middle is nothing to a server.
        .on("error", () => {});
    });
    this.#open.add(server);
  }

  async answerUdp({ inside, pod }: LabNetwork, key: PodKey, port: number): Promise<void> {
    const socket = await bindInside(inside, pod(key), port);
    socket
      .on("message", (_, from) => socket.send(greeting(key, from.address), from.port, from.address, () => {}))
      // Of an answer that could not be sent.
      .on("error", () => {});
    this.#open.add(socket);
  }

  close(): void {
    for (const each of this.#open) each.close();
    this.#open.clear();
    for (const socket of this.#connections) socket.destroy();
  }
}

/** The sockets are of both families; IPv4 addresses are written as themselves. */
function greeting(key: PodKey, from: string): string {
  return `I am ${key}, you are ${from.replace(/^::ffff:(?=[\d.]+$)/, "")}\n`;
}

function httpResponse(body: string): string {
  const head = ["HTTP/1.1 200 OK", "Content-Type: text/plain", `Content-Length: ${Buffer.byteLength(body)}`];
  return `${head.join("\r\n")}\r\n\r\n${body}`;
}
