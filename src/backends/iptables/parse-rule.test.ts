// Lines of iptables-save -> rules: what is ours in whatever spelling, and what is not understood, however close to ours it is.

import { describe, expect, it } from "vitest";
import type { Family } from "../../net/address.ts";
import { parseRule } from "./parse-rule.ts";
import { SAME_ADDRESS_BYTECODE } from "./same-address-bpf.ts";
import { ruleText } from "./text.ts";

const parsed = (text: string, family: Family = 4) => {
  const rule = parseRule(`-A NFTPOL-X ${text}`, family);
  return rule && ruleText(rule, family);
};

describe("read as it is written", () => {
  it.each<[text: string, family?: Family]>([
    ["-j RETURN"],
    ["-j DROP"],
    ["-j NFTPOL-Y"],
    ["-g NFTPOL-Y"],
    ["-s 10.0.0.0/8 -d 192.0.2.7/32 -j RETURN"],
    ["-s fe80::/10 -d ff00::/8 -j RETURN", 6],
    ["-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -j NFTPOL-Y"],
    ["-p udp -m udp --sport 67 --dport 68 -j RETURN"],
    ["-p sctp -m sctp --dport 1:65535 -j RETURN"],
    ["-p tcp -m multiport --dports 80,443,8000:9000 -j RETURN"],
    ["-p ipv6-icmp -m icmp6 --icmpv6-type 135 -j RETURN", 6],
    ["-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN"],
    ["-m conntrack --ctstate DNAT -j RETURN"],
    ["-m set --match-set NFTPOL-p4-a src -j RETURN"],
    ["-m set ! --match-set NFTPOL-known4 dst -j NFTPOL-Y"],
    ["-m set --match-set NFTPOL-d4-a dst,dst -m set --match-set NFTPOL-p4-b src -j RETURN"],
    ["-m addrtype --src-type LOCAL -j RETURN"],
    [`-m bpf --bytecode "${SAME_ADDRESS_BYTECODE[4]}" -j RETURN`],
    [`-m bpf --bytecode "${SAME_ADDRESS_BYTECODE[6]}" -j RETURN`, 6],
    ['-m limit --limit 10/sec --limit-burst 20 -j NFLOG --nflog-prefix "nftpol a " --nflog-group 100'],
    ['-m comment --comment "x/web[0], x/web[1]" -j RETURN'],
    ["-m comment --comment plain -j RETURN"],
    ['-m comment --comment "it\\\'s -j ACCEPT" -j RETURN'],
    ["-p tcp -j RETURN"],
  ])("%s", (text, family) => {
    expect(parsed(text, family)).toBe(text);
  });
});

describe("equal in another spelling", () => {
  it.each<[text: string, ours: string, family?: Family]>([
    ["-s 10.0.0.1 -j RETURN", "-s 10.0.0.1/32 -j RETURN"],
    ["-s ::ffff:0.0.0.0/97 -d ::10.0.0.1/128 -j RETURN", "-s ::ffff:0:0/97 -d ::a00:1/128 -j RETURN", 6],
    ["-p icmpv6 -m icmp6 --icmpv6-type 135 -j RETURN", "-p ipv6-icmp -m icmp6 --icmpv6-type 135 -j RETURN", 6],
    ["-m conntrack --ctstate ESTABLISHED,RELATED -j RETURN", "-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN"],
    ["-p tcp -m multiport --dports 80 -j RETURN", "-p tcp -m tcp --dport 80 -j RETURN"],
    ["-m limit --limit 10/second --limit-burst 20 -j DROP", "-m limit --limit 10/sec --limit-burst 20 -j DROP"],
    ["-m limit --limit 10/s --limit-burst 20 -j DROP", "-m limit --limit 10/sec --limit-burst 20 -j DROP"],
    ["-m comment --comment c -p tcp -j RETURN", "-p tcp -m comment --comment c -j RETURN"],
    ["-m set --match-set a src -s 10.0.0.0/8 -j DROP", "-s 10.0.0.0/8 -m set --match-set a src -j DROP"],
    ["-j NFLOG  --nflog-prefix  nftpol --nflog-group 100", "-j NFLOG --nflog-prefix nftpol --nflog-group 100"],
  ])("%s", (text, ours, family) => {
    expect(parsed(text, family)).toBe(ours);
  });
});

describe("not understood", () => {
  it.each<[text: string, family?: Family]>([
    [""],
    ["-s 10.0.0.0/8"],
    ["-j ACCEPT"],
    ["-j REJECT --reject-with icmp-port-unreachable"],
    ["-j OTHER"],
    ["-j DROP -j RETURN"],
    ["-i eth0 -j DROP"],
    ["! -s 10.0.0.0/8 -j DROP"],
    ["! -p tcp -j DROP"],
    ["-p udplite -j DROP"],
    ["-p tcp -m tcp ! --dport 80 -j DROP"],
    ["-p tcp -m tcp --tcp-flags FIN,SYN,RST,ACK SYN -j DROP"],
    ["-p tcp -m tcp ! --tcp-flags SYN,ACK SYN -j DROP"],
    ["-p tcp -m tcp --sport 1:2 -j DROP"],
    ["-p tcp -m multiport --ports 80,81 -j DROP"],
    ["-p tcp -m multiport --sports 80,81 -j DROP"],
    ["-p tcp -m tcp --dport 80 -m multiport --dports 81,82 -j DROP"],
    ["-s 10.0.0.0/8 -s 10.0.0.0/9 -j DROP"],
    ["-s fe80::/10 -j DROP"],
    ["-s 10.0.0.0/255.0.255.0 -j DROP"],
    ["-m conntrack --ctstate NEW -j DROP"],
    ["-m conntrack --ctstate ESTABLISHED,DNAT -j DROP"],
    ["-m conntrack ! --ctstate ESTABLISHED -j DROP"],
    ["-m conntrack --ctstate ESTABLISHED --ctdir ORIGINAL -j DROP"],
    ["-m set --match-set a src --return-nomatch -j DROP"],
    ["-m set --match-set a src,src,mac -j DROP"],
    ["-m addrtype --dst-type LOCAL -j DROP"],
    ["-m addrtype --src-type LOCAL --limit-iface-in -j DROP"],
    ['-m bpf --bytecode "1,6 0 0 1" -j DROP'],
    [`-m bpf --bytecode "${SAME_ADDRESS_BYTECODE[4]}" -j DROP`, 6],
    ["-m limit --limit 10/min --limit-burst 20 -j DROP"],
    ["-m limit --limit 10/sec -j DROP"],
    ["-j NFLOG --nflog-prefix a --nflog-group 100 --nflog-size 10"],
    ["-m mark --mark 0x7 -j DROP"],
    // These ask for something without any option.
    ["-m eui64 -j RETURN", 6],
    ["-m rpfilter -j RETURN"],
    ["-m socket -j RETURN"],
    ["-m time -j RETURN"],
  ])("%s", (text, family) => {
    expect(parsed(text, family)).toBeUndefined();
  });
});
