// The node's connection table is full: what is allowed may be lost then, what is denied does not get through, what is open goes on, and
// policies still change.

import { expect, it } from "vitest";
import { FAMILIES } from "../../src/net/address.ts";
import { describeKernel } from "../support/kernel.ts";
import { type Connection, type Connections, cutBy, withConnections } from "../support/lab-connections.ts";
import { fillTable, tableRoom, whyNotFilled } from "../support/lab-full-table.ts";
import { app, policyObject } from "../support/lab-manifests.ts";
import { type Scene, type SceneFlow, withScene } from "../support/lab-scene.ts";
import { until } from "../support/until.ts";

const PODS = { friend: "node-a", guest: "node-a", stranger: "node-a", web: "node-a", shop: "node-a", far: "node-b" };
const SERVERS = ["web", "shop"];
const ALLOWED = ["friend"];
const DENIED = ["stranger", "far"];
const PROTOCOLS = ["TCP", "UDP", "SCTP", "ICMP"] as const;
const FOR_BOTH = SERVERS.map((name) => policyObject(name, { ingress: [{ from: [app("friend"), app("guest")] }] }));

const reason = whyNotFilled();
if (reason !== undefined) process.stderr.write(`NOT RUN: a full connection table: ${reason}\n`);

describeKernel("a full connection table", () => {
  it.skipIf(reason !== undefined)(
    "of flows that the kernel keeps: nothing denied gets through, what is open goes on",
    () =>
      withScene({ pods: PODS, topology: "routed" }, (scene) =>
        withConnections(async (connections) => {
          await scene.enforce(...FOR_BOTH);
          const [allowed, denied] = [flowsOf(scene, ALLOWED, true), flowsOf(scene, DENIED, false)];
          expect(await scene.wrong([...allowed, ...denied])).toEqual([]);
          const [toWeb, toShop] = [await open(scene, connections, "web"), await open(scene, connections, "shop")];
          await fill(scene, "assured");
          expect(await scene.arriving(denied, () => allFlow([...toWeb, ...toShop]))).toEqual([]);
          // Most of the allowed ones neither: so it is full indeed. Some find the room of flows that have just ended.
          const arrived = await scene.arriving(allowed, () => allFlow(toShop));
          expect(arrived.length).toBeLessThan(allowed.length);
          await scene.enforce(FOR_BOTH[1], policyObject("web", { ingress: [{ from: [app("friend")] }] }));
          await until("the connections to web are cut", () => cutBy(scene) >= toWeb.length);
          const before = toWeb.map(received);
          for (const connection of toWeb) connection.speak();
          await until("they try again", () => toWeb.every((connection) => connection.retries() > 0));
          await allFlow(toShop);
          expect(toWeb.map(received)).toEqual(before);
        }),
      ),
  );

  it.skipIf(reason !== undefined)(
    "of flows that the kernel gives up for new ones: allowed ones begin, denied ones do not",
    () =>
      withScene({ pods: PODS, topology: "bridged" }, (scene) =>
        withConnections(async (connections) => {
          const flows = [...flowsOf(scene, ALLOWED, true), ...flowsOf(scene, DENIED, false)];
          expect(await scene.wrongWithoutPolicies(flows)).toEqual([]);
          await scene.enforce(...FOR_BOTH);
          const old = await open(scene, connections, "web");
          await fill(scene, "unanswered");
          expect(await scene.wrong(flows)).toEqual([]);
          await allFlow(old);
        }),
      ),
  );
});

/** The table of the servers' node. */
async function fill(scene: Scene, kind: "assured" | "unanswered"): Promise<void> {
  const { ns } = scene.at("node-a");
  await fillTable(scene.lab.network, ns, kind);
  const { entries, limit } = tableRoom(scene.lab.network, ns);
  // A few end at any time.
  expect(limit - entries).toBeLessThan(100);
}

function flowsOf(scene: Scene, senders: readonly string[], allowed: boolean): SceneFlow[] {
  return SERVERS.flatMap((to) =>
    senders.flatMap((from) =>
      PROTOCOLS.map((protocol) => ({ from: scene.at(from), to: scene.at(to), protocol, allowed })),
    ),
  );
}

/** The guest's, both families. */
async function open(scene: Scene, connections: Connections, to: string): Promise<Connection[]> {
  const ends = FAMILIES.map((family) => ({ from: scene.at("guest"), to: scene.at(to), family }));
  return await Promise.all(ends.map((each) => connections.open(each)));
}

async function allFlow(connections: readonly Connection[]): Promise<void> {
  for (const connection of connections) await connection.flows();
}

function received(connection: Connection): readonly string[] {
  return [connection.name, connection.receivedByServer(), connection.receivedByClient()];
}
