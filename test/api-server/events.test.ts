// Kubernetes Events through the API server: what is sent, and what becomes of refusals.

import { describe, expect, it } from "vitest";
import { type EventReport, eventName, reportEvent } from "../../src/kube/events.ts";
import { startServer } from "./fake-api-server.ts";
import type { ApiObject } from "./object-store.ts";
import { connectTo } from "./reflection.ts";
import { statusObject } from "./status-object.ts";

const REPORT: EventReport = {
  regarding: {
    kind: "NetworkPolicy",
    apiVersion: "networking.k8s.io/v1",
    namespace: "shop",
    name: "closed",
    uid: "uid-closed",
  },
  reason: "InvalidPolicy",
  note: "spec.ingress[0].from[0].ipBlock.cidr: 10.0.0.0/40 is not a CIDR",
  type: "Warning",
  revision: "3",
  reportingInstance: "node-1",
};
const EVENTS_PATH = "/apis/events.k8s.io/v1/namespaces/shop/events";

function never(): AbortSignal {
  return new AbortController().signal;
}

describe("an Event", () => {
  it("is what the API server's validation wants, about the object", async () => {
    const server = await startServer();
    expect(await reportEvent(await connectTo(server), REPORT, never())).toEqual({ kind: "created" });
    expect(server.postedEvents).toEqual([
      {
        apiVersion: "events.k8s.io/v1",
        kind: "Event",
        metadata: { name: eventName(REPORT), namespace: "shop" },
        eventTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/),
        reportingController: "nftpol",
        reportingInstance: "node-1",
        action: "EnforcePolicy",
        reason: "InvalidPolicy",
        regarding: REPORT.regarding,
        note: REPORT.note,
        type: "Warning",
      },
    ]);
  });

  it("that another node has reported is known, and is there once", async () => {
    const server = await startServer();
    const client = await connectTo(server);
    await reportEvent(client, REPORT, never());
    expect(await reportEvent(client, { ...REPORT, reportingInstance: "node-2" }, never())).toEqual({ kind: "known" });
    expect(server.postedEvents).toHaveLength(1);
    expect(server.connectionCount).toBe(1);
  });

  it("of another revision, reason or object is another one", async () => {
    const server = await startServer();
    const client = await connectTo(server);
    const others: readonly EventReport[] = [
      { ...REPORT, revision: "4" },
      { ...REPORT, reason: "PortUnresolved" },
      { ...REPORT, regarding: { ...REPORT.regarding, uid: "uid-2" } },
      { ...REPORT, regarding: { ...REPORT.regarding, name: "other" } },
    ];
    for (const report of [REPORT, ...others]) {
      expect(await reportEvent(client, report, never())).toEqual({ kind: "created" });
    }
    expect(new Set(server.postedEvents.map((event) => (event.metadata as ApiObject).name)).size).toBe(5);
  });

  it("about an object of the whole cluster is in the namespace default", async () => {
    const server = await startServer();
    const regarding = { ...REPORT.regarding, kind: "ClusterNetworkPolicy", namespace: "" };
    expect(await reportEvent(await connectTo(server), { ...REPORT, regarding }, never())).toEqual({ kind: "created" });
    expect(server.postedEvents[0]).toMatchObject({ metadata: { namespace: "default" } });
    expect(server.postedEvents[0]?.regarding).not.toHaveProperty("namespace");
  });

  it.each([
    ["a note of two bytes a letter", { note: "ж".repeat(2_000) }],
    ["a note of four bytes a letter", { note: `a${"😀".repeat(1_000)}` }],
    ["a node with a long name", { reportingInstance: `${"n".repeat(250)}` }],
    ["an object with the longest name", { regarding: { ...REPORT.regarding, name: `${"a.".repeat(126)}a` } }],
    [
      "a name whose cut ends with a dot",
      { regarding: { ...REPORT.regarding, name: `${"a".repeat(231)}.${"b".repeat(20)}` } },
    ],
    ["a name with what no object name has", { regarding: { ...REPORT.regarding, name: "System:Node--" } }],
  ])("is accepted with %s", async (_what, change) => {
    const server = await startServer();
    expect(await reportEvent(await connectTo(server), { ...REPORT, ...change }, never())).toEqual({ kind: "created" });
    const { note, metadata } = server.postedEvents[0] as { note: string; metadata: { name: string } };
    expect(Buffer.byteLength(note)).toBeLessThanOrEqual(1024);
    expect(note).not.toContain("\ufffd");
    expect(metadata.name).toMatch(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/);
  });
});

describe("what does not work", () => {
  it.each([
    [403, "Forbidden", "status"],
    [404, "NotFound", "status"],
    [500, "InternalError", "status"],
  ])("%d is an outcome, not an exception", async (status, reason, kind) => {
    const server = await startServer();
    const body = JSON.stringify(statusObject(status, reason, "because"));
    server.failNext(EVENTS_PATH, { kind: "answer", status, body });
    expect(await reportEvent(await connectTo(server), REPORT, never())).toMatchObject({
      kind: "failed",
      failure: { kind, status, message: expect.stringContaining("events.events.k8s.io") },
    });
  });

  it("a connection that breaks is one, too", async () => {
    const server = await startServer();
    server.failNext(EVENTS_PATH, { kind: "reset" });
    const outcome = await reportEvent(await connectTo(server), REPORT, never());
    expect(outcome).toMatchObject({ kind: "failed", failure: { kind: "unreachable" } });
  });

  it("and so is an abort", async () => {
    const server = await startServer();
    server.failNext(EVENTS_PATH, { kind: "silence" });
    const outcome = await reportEvent(await connectTo(server), REPORT, AbortSignal.timeout(50));
    expect(outcome).toEqual({ kind: "aborted" });
  });
});
