// Connections that last longer than policies: idle ones that stay allowed go on, those that are denied while they are still half open
// never open, and answers come back to whom nobody may send.

import { expect, it } from "vitest";
import { FAMILIES } from "../../src/net/address.ts";
import { describeKernel } from "../support/kernel.ts";
import { type Connection, type ConnectionEnds, cutBy, withConnections } from "../support/lab-connections.ts";
import { app, policyObject } from "../support/lab-manifests.ts";
import { mustRun } from "../support/lab-netns.ts";
import { type Scene, withScene } from "../support/lab-scene.ts";
import { until } from "../support/until.ts";

const PODS = { friend: "node-a", stranger: "node-a", web: "node-a", far: "node-b" };
const SERVERS = ["web", "far"];

function onlyFriend(...more: readonly unknown[]): unknown[] {
  return SERVERS.map((name) => policyObject(name, { ingress: [{ from: [app("friend"), ...more] }] }));
}

describeKernel("connections", () => {
  it.each(["routed", "bridged"] as const)(
    "%s: an idle one goes on after many changes that keep it allowed; one that they deny does not",
    (topology) =>
      withScene({ pods: PODS, topology }, (scene) =>
        withConnections(async (connections) => {
          const open = (from: string) => Promise.all(pairs(scene, from).map((ends) => connections.open(ends)));
          const [friends, strangers] = [await open("friend"), await open("stranger")];
          await scene.enforce(...onlyFriend());
          await until("the denied are cut", () => cutBy(scene) >= strangers.length);
          await scene.enforce(...onlyFriend(app("nobody")));
          await scene.enforce(
            policyObject("friend", { ingress: [], egress: [{ to: SERVERS.map(app) }] }),
            ...onlyFriend(),
          );
          await scene.enforce(
            ...SERVERS.map((name) => policyObject(name, { ingress: [{ from: [app("friend")] }], egress: [] })),
          );
          const before = strangers.map(received);
          for (const connection of strangers) connection.speak();
          await until("the strangers try again", () => strangers.every((connection) => connection.retries() > 0));
          for (const connection of friends) await connection.flows();
          expect(strangers.map(received)).toEqual(before);
          expect(cutBy(scene)).toBe(strangers.length);
        }),
      ),
  );

  it("the answers come to a client to whom nobody may send", () =>
    withScene({ pods: PODS, topology: "vxlan" }, (scene) =>
      withConnections(async (connections) => {
        await scene.enforce(
          policyObject("friend", { ingress: [] }),
          ...SERVERS.map((name) => policyObject(name, { ingress: [{ from: [app("friend")] }], egress: [] })),
        );
        for (const ends of pairs(scene, "friend")) await connections.open(ends);
        const back = SERVERS.map((name) => ({ from: scene.at(name), to: scene.at("friend"), allowed: false }));
        const there = SERVERS.map((name) => ({ from: scene.at("friend"), to: scene.at(name), allowed: true }));
        expect(await scene.wrong([...back, ...there])).toEqual([]);
      }),
    ));

  it.each([
    { topology: "routed", lost: "SYN-ACK", mute: SERVERS, flags: "syn | ack" },
    { topology: "bridged", lost: "ACK", mute: ["friend", "stranger", "leaver"], flags: "ack" },
  ] as const)(
    "$topology: one that is denied before its $lost has come never opens; an allowed one does",
    ({ topology, mute, flags }) =>
      withScene({ pods: { ...PODS, leaver: "node-a" }, topology }, (scene) =>
        withConnections(async (connections) => {
          for (const name of mute) await muteTcp(scene, name, flags);
          const begin = (from: string) => pairs(scene, from).map((ends) => connections.begin(ends));
          const [friends, denied] = [begin("friend"), [...begin("stranger"), ...begin("leaver")]];
          await until("all are half open", async () => (await halfOpen(scene)) === friends.length + denied.length);
          await scene.enforce(...onlyFriend(app("leaver")), policyObject("leaver", { egress: [] }));
          await until("the denied are cut", () => cutBy(scene) >= denied.length);
          for (const name of mute) await mustRun(scene.at(name).ns, ["nft", "delete", "table", "inet", "mute"]);
          const retries = denied.map((connection) => connection.retries());
          for (const connection of denied) connection.speak();
          for (const connection of friends) await connection.flows();
          await until("the denied try again", () =>
            denied.every((connection, index) => connection.retries() >= (retries[index] as number) + 2),
          );
          expect(denied.filter((connection) => connection.isAccepted()).map(({ name }) => name)).toEqual([]);
        }),
      ),
  );
});

function pairs(scene: Scene, from: string): ConnectionEnds[] {
  return SERVERS.flatMap((to) => FAMILIES.map((family) => ({ from: scene.at(from), to: scene.at(to), family })));
}

function received(connection: Connection): readonly string[] {
  return [connection.name, connection.receivedByServer(), connection.receivedByClient()];
}

/** What the pod sends with exactly these flags gets lost, in the pod itself: nobody else sees it. */
async function muteTcp(scene: Scene, name: string, flags: string): Promise<void> {
  const rule = `tcp flags & (fin | syn | rst | ack) == ${flags} drop`;
  const table = `table inet mute {\n  chain output {\n    type filter hook output priority 0\n    ${rule}\n  }\n}\n`;
  await mustRun(scene.at(name).ns, ["nft", "-f", "-"], table);
}

/** Connections of which the servers have only seen the SYN. */
async function halfOpen(scene: Scene): Promise<number> {
  const lists = await Promise.all(
    SERVERS.map((name) => mustRun(scene.at(name).ns, ["ss", "-H", "-t", "-n", "state", "syn-recv"])),
  );
  return lists
    .join("")
    .split("\n")
    .filter((line) => line !== "").length;
}
