// A service's address for each host, translated on the node, in a table of its own, as kube-proxy does it.

import { type Address, FAMILIES, type Family } from "../../src/net/address.ts";
import type { PacketNetwork } from "../support/packet-network.ts";

export function serviceAddress(network: PacketNetwork, host: string, family: Family): Address {
  const last = network.host(host).addresses[4].split(".").slice(2).join(".");
  return (family === 4 ? `10.96.${last}` : `fd00:10:96::${last.replace(".", ":")}`) as Address;
}

export async function loadServices(network: PacketNetwork, hosts: readonly string[]): Promise<void> {
  const rules = hosts.flatMap((name) =>
    FAMILIES.map((family) => {
      const ip = family === 4 ? "ip" : "ip6";
      return `${ip} daddr ${serviceAddress(network, name, family)} dnat ${ip} to ${network.host(name).addresses[family]}`;
    }),
  );
  const chain = `chain services {\n  type nat hook prerouting priority dstnat;\n${rules.join("\n")}\n}`;
  const { code, stderr } = await network.node.run(["nft", "-f", "-"], {
    input: `table inet services {\n${chain}\n}\n`,
  });
  if (code !== 0) throw new Error(`services: ${stderr}`);
}
