import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type HttpServer, json, ListenError, parseListenAddress, type Routes, serveHttp, text } from "./http-server.ts";

const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

async function serve(routes: Routes, errors: unknown[] = []): Promise<string> {
  const server = await serveHttp("127.0.0.1:0", routes, (error) => errors.push(error));
  servers.push(server);
  return `http://${server.address}`;
}

describe("an address", () => {
  it.each([
    ["127.0.0.1:80", { host: "127.0.0.1", port: 80 }],
    [":9000", { host: "", port: 9000 }],
    ["[::1]:9000", { host: "::1", port: 9000 }],
    ["localhost:0", { host: "localhost", port: 0 }],
  ])("%s is %j", (address, parsed) => expect(parseListenAddress(address)).toEqual(parsed));

  it.each(["", "80", "localhost", "::1:80", "a b:80", "1.2.3.4:70000", "[x]:1"])("%j is none", (address) =>
    expect(parseListenAddress(address)).toBeUndefined(),
  );

  it("that is taken is a ListenError", async () => {
    const url = await serve({});
    await expect(serveHttp(new URL(url).host, {}, () => {})).rejects.toThrow(ListenError);
  });

  it.each([
    ["that is taken", undefined, "is another agent running?"],
    // 192.0.2.0/24 is for documentation: no machine has it.
    ["that this machine does not have", "192.0.2.1:10360", "this machine has no such address"],
    ["whose name means nothing", "nowhere.invalid:10360", "the name does not resolve"],
  ])(
    "%s is a ListenError that says what to do",
    async (_what, address, hint) => {
      const taken = address ?? new URL(await serve({})).host;
      const error = await serveHttp(taken, {}, () => {}).catch((each: unknown) => each);
      expect(error).toBeInstanceOf(ListenError);
      expect(error).toMatchObject({ hint: expect.stringContaining(hint) });
    },
    60_000,
  );
});

it("more than a hundred connections at once are not taken, and afterwards it answers as before", async () => {
  const url = await serve({ "/healthz": () => text(200, "ok") });
  const { hostname, port } = new URL(url);
  const sockets = Array.from({ length: 120 }, () => connect(Number(port), hostname));
  const closed = sockets.map(
    (socket) => new Promise<void>((resolve) => socket.on("error", () => {}).on("close", () => resolve())),
  );
  let closedSoFar = 0;
  for (const each of closed) void each.then(() => closedSoFar++);
  await expect.poll(() => closedSoFar).toBe(20);
  for (const socket of sockets) socket.destroy();
  await Promise.all(closed);
  await expect
    .poll(() =>
      fetch(`${url}/healthz`).then(
        (answer) => answer.status,
        () => 0,
      ),
    )
    .toBe(200);
});

describe("an answer", () => {
  it("is the route's, without the query", async () => {
    const url = await serve({ "/readyz": () => text(503, "not yet\n"), "/status": async () => json({ a: 1 }) });
    const ready = await fetch(`${url}/readyz?verbose`);
    expect([ready.status, await ready.text()]).toEqual([503, "not yet\n"]);
    const status = await fetch(`${url}/status`);
    expect([status.headers.get("content-type"), await status.json()]).toEqual(["application/json", { a: 1 }]);
  });

  it("of an unknown path names those that are there; inherited names are no paths", async () => {
    const url = await serve({ "/healthz": () => text(200, "ok") });
    expect(await (await fetch(`${url}/`)).text()).toContain("/healthz");
    expect((await fetch(`${url}/constructor`)).status).toBe(404);
  });

  it("changes nothing: only GET and HEAD", async () => {
    const url = await serve({ "/healthz": () => text(200, "ok") });
    expect((await fetch(`${url}/healthz`, { method: "POST" })).status).toBe(405);
    const head = await fetch(`${url}/healthz`, { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
  });

  it("of a route that fails is 500 without details, and the failure is told", async () => {
    const errors: unknown[] = [];
    const failure = new Error("secret");
    const url = await serve({ "/metrics": () => Promise.reject(failure) }, errors);
    const answer = await fetch(`${url}/metrics`);
    expect(answer.status).toBe(500);
    expect(await answer.text()).not.toContain("secret");
    expect(errors).toEqual([failure]);
  });
});
