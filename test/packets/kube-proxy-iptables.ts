// kube-proxy in iptables mode, as far as packets and other software notice it: its chains in nat and filter, its jumps in front of
// FORWARD, and its sync, which writes all its chains again. The rules are those of Kubernetes 1.27 to 1.34 in form.

import { FAMILIES, type Family } from "../../src/net/address.ts";
import type { PacketNetwork } from "../support/packet-network.ts";
import { serviceAddress } from "./services.ts";

export type Variant = "nft" | "legacy";

export class KubeProxyRules {
  readonly #network: PacketNetwork;
  readonly #variant: Variant;
  readonly #hosts: readonly string[];

  constructor(network: PacketNetwork, variant: Variant, hosts: readonly string[]) {
    this.#network = network;
    this.#variant = variant;
    this.#hosts = hosts;
  }

  /** Chains, and jumps to them in front of everything, as kube-proxy does when it starts or finds them missing. */
  async start(): Promise<void> {
    await this.sync();
    for (const family of FAMILIES) {
      const tool = this.#program(family, "");
      await this.#must([tool, "-w", "-I", "FORWARD", "1", "-j", "KUBE-FORWARD"]);
      await this.#must([
        tool,
        "-w",
        "-I",
        "FORWARD",
        "1",
        "-m",
        "conntrack",
        "--ctstate",
        "NEW",
        "-j",
        "KUBE-SERVICES",
      ]);
      await this.#must([tool, "-w", "-t", "nat", "-I", "PREROUTING", "1", "-j", "KUBE-SERVICES"]);
      await this.#must([tool, "-w", "-t", "nat", "-I", "POSTROUTING", "1", "-j", "KUBE-POSTROUTING"]);
    }
  }

  /** `iptables-restore --noflush --counters` with all its chains, as at every change of a service or an endpoint. */
  async sync(): Promise<void> {
    for (const family of FAMILIES)
      await this.#must([this.#program(family, "-restore"), "-w", "5", "--noflush", "--counters"], this.#rules(family));
  }

  /** Somebody restores the tables nat and mangle as a file has them: without --noflush all else in them goes. */
  async restoreOtherTables(): Promise<void> {
    for (const family of FAMILIES) {
      const nat = (await this.#must([this.#program(family, "-save"), "-t", "nat"])).trimEnd();
      const mangle = "*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -m mark --mark 0x99 -j ACCEPT\nCOMMIT\n";
      await this.#must([this.#program(family, "-restore"), "-w", "5"], `${nat}\n${mangle}`);
    }
  }

  /** Everything that iptables has in these tables, counters aside. */
  async saved(table: "nat" | "filter"): Promise<string> {
    const texts: string[] = [];
    for (const family of FAMILIES) texts.push(await this.#must([this.#program(family, "-save"), "-t", table]));
    return texts.join("").replace(/^#.*\n|\[\d+:\d+\]/gm, "");
  }

  #rules(family: Family): string {
    const chains = this.#hosts.map((name) => ({
      name,
      service: `KUBE-SVC-${chainWord(name)}`,
      endpoint: `KUBE-SEP-${chainWord(name)}`,
    }));
    const bits = family === 4 ? 32 : 128;
    const nat = chains.flatMap(({ name, service, endpoint }) => {
      const cluster = serviceAddress(this.#network, name, family);
      const pod = this.#network.host(name).addresses[family];
      const target = family === 4 ? pod : `[${pod}]`;
      return [
        ...["tcp", "udp"].map(
          (protocol) =>
            `-A KUBE-SERVICES -m comment --comment "shop/${name} cluster IP" -d ${cluster}/${bits} -p ${protocol} -j ${service}`,
        ),
        `-A ${service} -j ${endpoint}`,
        `-A ${endpoint} -s ${pod}/${bits} -j KUBE-MARK-MASQ`,
        ...["tcp", "udp"].map((protocol) => `-A ${endpoint} -p ${protocol} -j DNAT --to-destination ${target}`),
      ];
    });
    return [
      "*filter",
      ...["KUBE-SERVICES", "KUBE-FORWARD", "KUBE-PROXY-CANARY"].map((name) => `:${name} - [0:0]`),
      "-A KUBE-FORWARD -m conntrack --ctstate INVALID -j DROP",
      "-A KUBE-FORWARD -m mark --mark 0x4000/0x4000 -j ACCEPT",
      "-A KUBE-FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "COMMIT",
      "*nat",
      ...["KUBE-SERVICES", "KUBE-POSTROUTING", "KUBE-MARK-MASQ"].map((name) => `:${name} - [0:0]`),
      ...chains.flatMap(({ service, endpoint }) => [`:${service} - [0:0]`, `:${endpoint} - [0:0]`]),
      "-A KUBE-MARK-MASQ -j MARK --or-mark 0x4000",
      "-A KUBE-POSTROUTING -m mark ! --mark 0x4000/0x4000 -j RETURN",
      "-A KUBE-POSTROUTING -j MARK --xor-mark 0x4000",
      "-A KUBE-POSTROUTING -j MASQUERADE",
      ...nat,
      "COMMIT",
      "",
    ].join("\n");
  }

  #program(family: Family, end: "" | "-save" | "-restore"): string {
    return `${family === 4 ? "iptables" : "ip6tables"}-${this.#variant}${end}`;
  }

  async #must(argv: readonly string[], input = ""): Promise<string> {
    const { code, stdout, stderr } = await this.#network.node.run([...argv], { input });
    if (code !== 0) throw new Error(`${argv.join(" ")}: ${stderr}`);
    return stdout;
  }
}

function chainWord(name: string): string {
  return name.toUpperCase().replace(/\W/g, "").padEnd(16, "X");
}
