import { expect, test } from "vitest";
import { EventChunks } from "./event-chunks.ts";

/** As an HTTP client does. */
function bodiesOf(bytes: Buffer): string[] {
  const bodies: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf("\r\n", at);
    const size = Number.parseInt(bytes.toString("latin1", at, end), 16);
    bodies.push(bytes.toString("utf8", end + 2, end + 2 + size));
    expect(bytes.toString("latin1", end + 2 + size, end + 4 + size)).toBe("\r\n");
    at = end + 4 + size;
  }
  return bodies;
}

test("each event is a chunk of its own and one line, also when there was no room left", () => {
  const chunks = new EventChunks(64);
  const objects = [{ name: "a" }, { name: "ä".repeat(100) }, { name: "c" }];
  for (const object of objects) chunks.addObject("ADDED", object);
  const bodies = bodiesOf(chunks.take());
  expect(bodies.map((body) => JSON.parse(body))).toEqual(objects.map((object) => ({ type: "ADDED", object })));
  expect(bodies.every((body) => body.indexOf("\n") === body.length - 1)).toBe(true);
});

test("what was taken stays as it is, and does not come again", () => {
  const chunks = new EventChunks(1_000);
  chunks.addObject("ADDED", { name: "first" });
  const taken = chunks.take();
  chunks.addObject("DELETED", { name: "second" });
  expect(bodiesOf(taken)).toEqual(['{"type":"ADDED","object":{"name":"first"}}\n']);
  expect(bodiesOf(chunks.take())).toEqual(['{"type":"DELETED","object":{"name":"second"}}\n']);
});
