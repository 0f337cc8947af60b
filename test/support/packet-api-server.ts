// The fake API server, reachable from inside a node's namespace. Owns the way there (a relay from the namespace's loopback) and
// its outages; what is answered is the fake API server's.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Address } from "../../src/net/address.ts";
import { FakeApiServer } from "../api-server/fake-api-server.ts";
import { writeKubeconfig } from "../api-server/kubeconfig-files.ts";
import type { ObjectStore } from "../api-server/object-store.ts";
import type { Netns } from "./netns.ts";
import { PacketSockets } from "./packet-sockets.ts";

/** Where the agent finds it, on the namespace's loopback. */
export const API_SERVER_PORT = 6443;

export interface PacketApiServer {
  readonly store: ObjectStore;
  /** For the agent in the namespace; without TLS only. */
  readonly kubeconfig: string;
  /** What the kubelet mounts into a pod: token, ca.crt, namespace; with TLS only. */
  readonly serviceAccount: string;
  /** While true every connection is cut, old ones and new ones. */
  gone(gone: boolean): void;
  /** Connections that were cut because they came while it was gone. */
  refused(): number;
}

export const SERVICE_ACCOUNT_TOKEN = "token-of-the-service-account";

/** Calls `body` with an API server for one namespace; nothing of it remains. `tls`: as pods of a cluster find it. */
export async function withApiServer<T>(
  node: Netns,
  body: (api: PacketApiServer) => Promise<T>,
  { tls = false }: { readonly tls?: boolean } = {},
): Promise<T> {
  const server = await FakeApiServer.start(tls ? { tokens: [SERVICE_ACCOUNT_TOKEN] } : { plainHttp: true });
  const folder = mkdtempSync(join(tmpdir(), "nfpt-api-"));
  const connections = new Set<Socket>();
  let isGone = false;
  let refused = 0;
  const relay = createServer((client) => {
    if (isGone) {
      refused++;
      client.destroy();
      return;
    }
    const upstream = connect(server.port, "127.0.0.1");
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      connections.add(socket);
      socket.pipe(other);
      // Either end may go away at any time; the other follows.
      socket.on("error", () => other.destroy()).on("close", () => other.destroy());
      socket.on("close", () => connections.delete(socket));
    }
  });
  const sockets = new PacketSockets();
  const listener = sockets.listen(node, { address: "127.0.0.1" as Address, port: API_SERVER_PORT });
  await new Promise<void>((resolve) => relay.listen({ fd: sockets.handOver(listener) }, resolve));
  const serviceAccount = join(folder, "serviceaccount");
  mkdirSync(serviceAccount);
  writeFileSync(join(serviceAccount, "token"), SERVICE_ACCOUNT_TOKEN);
  writeFileSync(join(serviceAccount, "ca.crt"), server.authority.certPem);
  writeFileSync(join(serviceAccount, "namespace"), "kube-system");
  try {
    return await body({
      store: server.store,
      serviceAccount,
      kubeconfig: writeKubeconfig({ cluster: { server: `http://127.0.0.1:${API_SERVER_PORT}` } }, folder),
      gone(gone) {
        isGone = gone;
        if (gone) for (const socket of connections) socket.destroy();
      },
      refused: () => refused,
    });
  } finally {
    const closed = new Promise((resolve) => relay.close(resolve));
    for (const socket of connections) socket.destroy();
    await closed;
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}
