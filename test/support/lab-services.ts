// A service's addresses on a node, as kube-proxy translates them: in prerouting for those who send through the node, in output for the node
// itself, and with masquerade for a pod that reaches itself. Owns the rules, of nft and of iptables, old and new.

import { findProgram } from "../../scripts/system-tools.ts";
import { FAMILIES, type Family } from "../../src/net/address.ts";
import type { Addresses } from "./lab-manifests.ts";
import { mustRun } from "./lab-netns.ts";

const TRANSLATORS = ["nft", "iptables-nft", "iptables-legacy"] as const;

export type Translator = (typeof TRANSLATORS)[number];

export interface Service {
  readonly addresses: Addresses;
  /** Of the only pod behind it. */
  readonly pod: Addresses;
  /** A pod that reaches itself has the node's address, as kube-proxy does it; else its own. */
  readonly masquerades: boolean;
}

/** kube-proxy's mark of packets whose source is to be translated. */
const MARK = "0x4000";

/** Those that this machine has; what it has not is said aloud. */
export function translatorsHere(): readonly Translator[] {
  return TRANSLATORS.filter((translator) => {
    const isHere = findProgram(translator) !== undefined;
    if (!isHere) process.stderr.write(`NOT RUN: services translated by ${translator}: the program is missing\n`);
    return isHere;
  });
}

/** Of a pod, in blocks that no pod and no policy has. */
export function serviceAddresses(pod: Addresses): Addresses {
  return {
    4: pod[4].replace("10.244.", "10.96."),
    6: pod[6].replace("fd00:10:244:", "fd00:10:96:"),
  } as Addresses;
}

export function serviceFor(pod: Addresses, masquerades: boolean): Service {
  return { addresses: serviceAddresses(pod), pod, masquerades };
}

/** Translates on all of these nodes until `body` has ended, as kube-proxy on every node does. */
export async function withServicesOn(
  [node, ...others]: readonly string[],
  services: readonly Service[],
  translator: Translator,
  body: () => Promise<void>,
): Promise<void> {
  if (node === undefined) await body();
  else await withServices(node, translator, services, () => withServicesOn(others, services, translator, body));
}

/** Translates on the node until `body` has ended. */
async function withServices<T>(
  node: string,
  translator: Translator,
  services: readonly Service[],
  body: () => Promise<T>,
): Promise<T> {
  if (translator === "nft")
    await mustRun(node, ["nft", "-f", "-"], FAMILIES.map((family) => nftTable(family, services)).join(""));
  else {
    for (const family of FAMILIES)
      await mustRun(node, [restoreProgram(translator, family)], iptablesTable(family, services));
  }
  try {
    return await body();
  } finally {
    if (translator === "nft") {
      await mustRun(node, ["nft", "-f", "-"], "delete table ip lab-proxy\ndelete table ip6 lab-proxy\n");
    } else for (const family of FAMILIES) await mustRun(node, [restoreProgram(translator, family)], "*nat\nCOMMIT\n");
  }
}

function nftTable(family: Family, services: readonly Service[]): string {
  const ip = family === 4 ? "ip" : "ip6";
  const rules = services.flatMap(({ addresses, pod, masquerades }) => [
    ...(masquerades
      ? [`${ip} daddr ${addresses[family]} ${ip} saddr ${pod[family]} meta mark set meta mark or ${MARK}`]
      : []),
    `${ip} daddr ${addresses[family]} dnat to ${pod[family]}`,
  ]);
  return `table ${ip} lab-proxy {
  chain services { ${rules.join("; ")}; }
  chain prerouting { type nat hook prerouting priority dstnat; jump services; }
  chain output { type nat hook output priority -100; jump services; }
  chain postrouting {
    type nat hook postrouting priority srcnat
    meta mark and ${MARK} == 0 return
    meta mark set meta mark xor ${MARK}
    masquerade fully-random
  }
}
`;
}

function iptablesTable(family: Family, services: readonly Service[]): string {
  const rules = services.flatMap(({ addresses, pod, masquerades }) => [
    ...(masquerades ? [`-A KUBE-SERVICES -s ${pod[family]} -d ${addresses[family]} -j MARK --or-mark ${MARK}`] : []),
    ...["tcp", "udp", "sctp"].map(
      (protocol) => `-A KUBE-SERVICES -d ${addresses[family]} -p ${protocol} -j DNAT --to-destination ${pod[family]}`,
    ),
  ]);
  return `*nat
:KUBE-SERVICES - [0:0]
-A PREROUTING -j KUBE-SERVICES
-A OUTPUT -j KUBE-SERVICES
-A POSTROUTING -m mark ! --mark ${MARK}/${MARK} -j RETURN
-A POSTROUTING -j MARK --xor-mark ${MARK}
-A POSTROUTING -j MASQUERADE --random-fully
${rules.join("\n")}
COMMIT
`;
}

function restoreProgram(translator: Translator, family: Family): string {
  const name = family === 4 ? "iptables" : "ip6tables";
  return translator === "iptables-legacy" ? `${name}-legacy-restore` : `${name}-nft-restore`;
}

/** For a pod that reaches itself through a service: otherwise its kernel takes packets from its own IPv4 address that come from elsewhere for forged ones. */
export async function acceptOwnSource(ns: string): Promise<void> {
  const settings = ["eth0.accept_local=1", "all.rp_filter=0", "eth0.rp_filter=0"];
  await mustRun(ns, ["sysctl", "-q", "-w", ...settings.map((setting) => `net.ipv4.conf.${setting}`)]);
}
