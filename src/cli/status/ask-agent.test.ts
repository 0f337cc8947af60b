import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { askAgent } from "./ask-agent.ts";

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

it("an agent's status is handed over", async () => {
  const status = { kind: "AgentStatus", apiVersion: "nftpol/v1", node: "n1" };
  const address = await listening(createServer((_request, response) => response.end(JSON.stringify(status))));
  expect(await askAgent(address)).toEqual({ kind: "status", status });
});

it("a port where nobody listens has no agent", async () => {
  const server = createServer();
  const address = await listening(server);
  await new Promise((resolve) => server.close(resolve));
  expect(await askAgent(address)).toEqual({ kind: "absent" });
});

it("who listens and does not answer is there: stopped, or hung", async () => {
  const address = await listening(createServer(() => {}));
  expect(await askAgent(address, 200)).toEqual({ kind: "silent", reason: "no answer within 0.2 s" });
});

it("who breaks off is there", async () => {
  const address = await listening(createServer((request) => void request.socket.destroy()));
  expect(await askAgent(address)).toMatchObject({ kind: "silent", reason: expect.stringMatching(/closed|hang up/) });
});

it("a name that means no address is told as that", async () => {
  // Where nobody answers questions about names, it takes longer than our patience.
  const reason = expect.stringMatching(/nowhere\.invalid|no answer/);
  expect(await askAgent("nowhere.invalid:1", 2_000)).toMatchObject({ kind: "silent", reason });
});

it("somebody else is no agent", async () => {
  const address = await listening(createServer((_request, response) => response.end("hello")));
  await expect(askAgent(address)).rejects.toMatchObject({ exitCode: 3, message: expect.stringContaining("no nftpol") });
});

it.each(["off", "", "10360", "a b:1"])("%j is no address, and how one is written is told", async (address) => {
  await expect(askAgent(address)).rejects.toMatchObject({ exitCode: 2, hint: expect.stringContaining("host:port") });
});
