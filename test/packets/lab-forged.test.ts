// Packets that claim to come from the pod that they go to: only one that really was sent there through a service is let in.

import { expect, it } from "vitest";
import { encodeProbe, probeNumber } from "../../src/lab/probe-packets.ts";
import { openRawSockets } from "../../src/lab/raw-sockets.ts";
import { PROTOCOL_NUMBER } from "../../src/model/flow.ts";
import type { Address } from "../../src/net/address.ts";
import { addressToBytes } from "../../src/netlink/address-bytes.ts";
import { describeKernel } from "../support/kernel.ts";
import { policyObject } from "../support/lab-manifests.ts";
import { withScene } from "../support/lab-scene.ts";
import { until } from "../support/until.ts";

const PODS = { closed: "node-a", near: "node-a", far: "node-b" };
/** With this protocol number a raw socket takes the IP header, too. */
const IPPROTO_RAW = 255;

describeKernel("forged packets", () => {
  it.each(["routed", "bridged"] as const)("%s: nobody gets into a closed pod under the pod's own address", (topology) =>
    withScene({ pods: PODS, topology }, async (scene) => {
      const sockets = await openRawSockets(scene.lab.network.inside);
      try {
        const closed = scene.at("closed");
        const ear = sockets.open(closed.ns, 6, PROTOCOL_NUMBER.UDP);
        const senders = [scene.at("near"), scene.at("far"), scene.outside];
        const heard = () => {
          const buffer = Buffer.alloc(2048);
          const numbers: (number | undefined)[] = [];
          for (let length = sockets.receive(ear, buffer); length !== undefined; length = sockets.receive(ear, buffer))
            numbers.push(probeNumber(PROTOCOL_NUMBER.UDP, buffer.subarray(0, length)));
          return senders.filter((_, index) => numbers.includes(index + 1)).map(({ name }) => name);
        };
        const forge = () => {
          for (const [index, { ns }] of senders.entries())
            sockets.send(
              sockets.open(ns, 6, IPPROTO_RAW),
              forgedPacket(closed.addresses[6], index + 1),
              closed.addresses[6],
            );
        };
        // The node reaches its own pod whatever the policies say: what was sent before has had its time.
        const afterwards = () => scene.wrong([{ from: scene.at("node-a"), to: closed, families: [6], allowed: true }]);
        const arrived = new Set<string>();
        await until("forged packets of all of them, while there is no policy", async () => {
          forge();
          await afterwards();
          for (const name of heard()) arrived.add(name);
          return arrived.size === senders.length;
        });
        await scene.enforce(policyObject("closed", { ingress: [], egress: [] }));
        forge();
        expect(await afterwards()).toEqual([]);
        expect(heard()).toEqual([]);
      } finally {
        sockets.close();
      }
    }),
  );
});

/** IPv6, UDP, from the address to itself. */
function forgedPacket(address: Address, number: number): Buffer {
  const udp = encodeProbe({
    number,
    protocol: PROTOCOL_NUMBER.UDP,
    source: address,
    destination: address,
    sourcePort: 5000 + Math.floor(Math.random() * 10_000),
    destinationPort: 8080,
  });
  const header = Buffer.alloc(8);
  header[0] = 0x60;
  header.writeUInt16BE(udp.length, 4);
  header[6] = PROTOCOL_NUMBER.UDP;
  header[7] = 64;
  return Buffer.concat([header, addressToBytes(address), addressToBytes(address), udp]);
}
