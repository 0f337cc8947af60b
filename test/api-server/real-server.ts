// A real kube-apiserver with its etcd on loopback, from the binaries in KUBEBUILDER_ASSETS (the ecosystem's convention).
// Owns their start, restart and end: a folder of its own, processes ended by their ids.

import { type ChildProcess, spawn } from "node:child_process";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:https";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { issueCertificate, makeAuthority } from "./certificates.ts";

const ADMIN_TOKEN = "admin-token-0123456789";
const NOBODY_TOKEN = "nobody-token-0123456789";
const START_DEADLINE_MS = 90_000;

export interface HttpAnswer {
  readonly status: number;
  readonly text: string;
}

export class RealServer {
  readonly port: number;
  readonly #folder = mkdtempSync(join(tmpdir(), "nftpol-apiserver-"));
  readonly #authority = makeAuthority();
  readonly #assets: string;
  readonly #etcdPort: number;
  readonly #peerPort: number;
  #etcd: ChildProcess | undefined;
  #apiServer: ChildProcess | undefined;

  private constructor(assets: string, ports: readonly number[]) {
    const [port, etcdPort, peerPort] = ports as readonly [number, number, number];
    this.#assets = assets;
    this.port = port;
    this.#etcdPort = etcdPort;
    this.#peerPort = peerPort;
  }

  /** Resolves when it is ready; about ten seconds. */
  static async start(assets: string): Promise<RealServer> {
    const server = new RealServer(assets, await freePorts(3));
    try {
      server.#writeFiles();
      server.#startEtcd();
      await server.#startApiServer();
      return server;
    } catch (error) {
      await server.close();
      throw error;
    }
  }

  /** May do everything. */
  get adminToken(): string {
    return ADMIN_TOKEN;
  }

  /** Known, but may do nothing. */
  get nobodyToken(): string {
    return NOBODY_TOKEN;
  }

  get authorityPem(): string {
    return this.#authority.certPem;
  }

  /** As the administrator. Any status is an answer. */
  send(method: string, path: string, body?: unknown): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: "127.0.0.1",
          port: this.port,
          method,
          path,
          ca: this.#authority.certPem,
          agent: false,
          headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
        },
        (answer) => {
          const chunks: Buffer[] = [];
          answer.on("data", (chunk: Buffer) => chunks.push(chunk));
          answer.on("error", reject);
          answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString() }));
        },
      );
      sent.on("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /** The API server alone, at the same port: its watch cache knows nothing of what was before. */
  async restart(): Promise<void> {
    await stop(this.#apiServer);
    await this.#startApiServer();
  }

  async close(): Promise<void> {
    await stop(this.#apiServer);
    await stop(this.#etcd);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #writeFiles(): void {
    const own = issueCertificate(this.#authority, { commonName: "api server", names: ["localhost", "127.0.0.1"] });
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const files: Readonly<Record<string, string>> = {
      "ca.crt": this.#authority.certPem,
      "server.crt": own.certPem,
      "server.key": own.keyPem,
      "sa.key": privateKey.export({ type: "pkcs1", format: "pem" }).toString(),
      "sa.pub": publicKey.export({ type: "spki", format: "pem" }).toString(),
      "tokens.csv": `${ADMIN_TOKEN},admin,1,"system:masters"\n${NOBODY_TOKEN},nobody,2\n`,
    };
    for (const [name, text] of Object.entries(files)) writeFileSync(join(this.#folder, name), text, { mode: 0o600 });
  }

  #startEtcd(): void {
    const client = `http://127.0.0.1:${this.#etcdPort}`;
    const peer = `http://127.0.0.1:${this.#peerPort}`;
    this.#etcd = this.#spawn("etcd", [
      `--data-dir=${join(this.#folder, "etcd")}`,
      `--listen-client-urls=${client}`,
      `--advertise-client-urls=${client}`,
      `--listen-peer-urls=${peer}`,
      `--initial-advertise-peer-urls=${peer}`,
      `--initial-cluster=default=${peer}`,
    ]);
  }

  async #startApiServer(): Promise<void> {
    const file = (name: string) => join(this.#folder, name);
    this.#apiServer = this.#spawn("kube-apiserver", [
      `--etcd-servers=http://127.0.0.1:${this.#etcdPort}`,
      "--bind-address=127.0.0.1",
      "--advertise-address=127.0.0.1",
      `--secure-port=${this.port}`,
      `--tls-cert-file=${file("server.crt")}`,
      `--tls-private-key-file=${file("server.key")}`,
      `--client-ca-file=${file("ca.crt")}`,
      `--token-auth-file=${file("tokens.csv")}`,
      "--authorization-mode=RBAC",
      "--disable-admission-plugins=ServiceAccount",
      "--service-account-issuer=https://kubernetes.default.svc",
      `--service-account-key-file=${file("sa.pub")}`,
      `--service-account-signing-key-file=${file("sa.key")}`,
      "--service-cluster-ip-range=10.0.0.0/24",
    ]);
    await this.#ready();
  }

  async #ready(): Promise<void> {
    const endsAtMs = performance.now() + START_DEADLINE_MS;
    for (;;) {
      const answer = await this.send("GET", "/readyz?verbose").catch(() => undefined);
      if (answer?.status === 200) return;
      const hasEnded = this.#apiServer?.exitCode !== null || this.#etcd?.exitCode !== null;
      if (hasEnded || performance.now() > endsAtMs) {
        throw new Error(`the API server is not ready: ${answer?.text}\n${this.#logs()}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #spawn(name: string, args: readonly string[]): ChildProcess {
    const log = openSync(join(this.#folder, `${name}.log`), "a");
    const child = spawn(join(this.#assets, name), args, { cwd: this.#folder, stdio: ["ignore", log, log] });
    // A program that is not there; its exit code stays null, the deadline and the log tell.
    child.on("error", (error) => writeFileSync(join(this.#folder, `${name}.log`), String(error), { flag: "a" }));
    return child;
  }

  #logs(): string {
    return ["etcd", "kube-apiserver"]
      .map((name) => {
        const lines = readFileSync(join(this.#folder, `${name}.log`), "utf8")
          .trimEnd()
          .split("\n");
        return `${name}:\n${lines.slice(-15).join("\n")}`;
      })
      .join("\n");
  }
}

async function stop(child: ChildProcess | undefined): Promise<void> {
  if (child === undefined || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const impatience = setTimeout(() => child.kill("SIGKILL"), 10_000);
  await ended;
  clearTimeout(impatience);
}

/** Free at this moment; all of them at the same time, so that they differ. */
async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer());
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
