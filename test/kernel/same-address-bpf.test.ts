// The program that compares a packet's addresses, in the kernel: real packets over lo, both variants and both families.

import { expect, it } from "vitest";
import { SAME_ADDRESS_BYTECODE } from "../../src/backends/iptables/same-address-bpf.ts";
import { VARIANTS } from "../../src/backends/iptables/xtables-version.ts";
import type { Family } from "../../src/net/address.ts";
import { describeKernel } from "../support/kernel.ts";
import { filterText, withVariant, XTABLES_PROGRAMS } from "../support/xtables-in-netns.ts";

/** Addresses that differ in the first, in a middle or in the last of their words. */
const ADDRESSES: Readonly<Record<Family, readonly string[]>> = {
  4: ["127.0.0.1", "10.0.0.1", "10.0.0.2", "11.0.0.1"],
  6: ["::1", "fd00::1", "fd00::2", "fd01::1", "fd00:0:1::1", "fd00::1:0:1"],
};

const PACKETS = 3;
const FIRST_PORT = 1000;

/** One datagram after the other from each source to each destination; nobody listens there. */
const SEND = `
  const [family, packets, port, ...addresses] = process.argv.slice(1);
  const dgram = require("node:dgram");
  const pairs = addresses.flatMap((from) => addresses.map((to) => [from, to]));
  (async () => {
    for (const [index, [from, to]] of pairs.entries()) {
      const socket = dgram.createSocket("udp" + family).on("error", () => {});
      await new Promise((resolve) => socket.bind(0, from, resolve));
      for (let sent = 0; sent < Number(packets); sent++)
        await new Promise((resolve) => socket.send("x", Number(port) + index, to, resolve));
      socket.close();
    }
  })();`;

describeKernel(
  "only packets whose source is their destination match",
  () => {
    it.each(VARIANTS.flatMap((variant) => ([4, 6] as const).map((family) => [variant, family] as const)))(
      "%s, IPv%i",
      (variant, family) => {
        const addresses = ADDRESSES[family];
        const pairs = addresses.flatMap((from) => addresses.map((to) => ({ from, to })));
        const rules = ["OUTPUT", "INPUT"].flatMap((chain) =>
          pairs.flatMap((_, index) => {
            const packets = `-A ${chain} -p udp -m udp --dport ${FIRST_PORT + index}`;
            return [packets, `${packets} -m bpf --bytecode "${SAME_ADDRESS_BYTECODE[family]}"`];
          }),
        );
        return withVariant(variant, async (programs, { sh }) => {
          for (const address of addresses.slice(1))
            await sh(`ip address add ${address}/${family === 4 ? 32 : 128} dev lo ${family === 4 ? "" : "nodad"}`);
          await programs.restore(family, filterText(...rules));
          const argv = [family, PACKETS, FIRST_PORT, ...addresses].join(" ");
          await sh(`'${process.execPath}' --eval '${SEND}' ${argv}`);
          const saved = await programs.save(family, { counters: true });
          const expected = ["OUTPUT", "INPUT"].flatMap((chain) =>
            pairs.flatMap(({ from, to }, index) => [
              `${chain} ${from} to ${to}, port ${FIRST_PORT + index}: ${PACKETS}`,
              `${chain} ${from} to ${to}, port ${FIRST_PORT + index}, bpf: ${from === to ? PACKETS : 0}`,
            ]),
          );
          const counted = [...saved.matchAll(/^\[(\d+):\d+\] -A (\S+) -p udp -m udp --dport (\d+)( -m bpf)?/gm)].map(
            ([, packets, chain, port, bpf]) => {
              const { from, to } = pairs[Number(port) - FIRST_PORT] ?? {};
              return `${chain} ${from} to ${to}, port ${port}${bpf === undefined ? "" : ", bpf"}: ${packets}`;
            },
          );
          expect(counted.sort()).toEqual(expected.sort());
        });
      },
    );
  },
  XTABLES_PROGRAMS,
);
