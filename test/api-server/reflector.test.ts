// The reflector against the fake API server while nothing goes wrong: lists, watches, and what is told of them.

import { describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "./eventually.ts";
import { FakeApiServer, type FakeApiServerOptions } from "./fake-api-server.ts";
import { PODS_PATH, podObject } from "./objects.ts";
import { reflectPods } from "./reflection.ts";

async function startServer(options: FakeApiServerOptions = {}): Promise<FakeApiServer> {
  const server = await FakeApiServer.start(options);
  onTestFinished(() => server.close());
  return server;
}

describe("x", () => {
  for (const streamingLists of ["served", "refused", "ignored"] as const) {
    it(`works ${streamingLists}`, async () => {
      const server = await startServer({ streamingLists });
      server.store.put(PODS_PATH, podObject("shop", "web", "10.0.0.1"));
      const { reflector, mirror, synced } = await reflectPods(server);
      await synced();
      expect(mirror.keys).toEqual(["shop/web"]);
      server.store.put(PODS_PATH, podObject("shop", "db", "10.0.0.2"));
      server.store.delete(PODS_PATH, "shop/web");
      await eventually("change", () => mirror.keys.join() === "shop/db");
      console.log(
        reflector.status(),
        server.requests.map((r) => `${r.path}?${r.query}`),
      );
    });
  }
});
