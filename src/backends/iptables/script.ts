// The rules of a node as a shell script for people who have no agent. Owns the script's own lines; what they read is `text.ts`'s.

import { FAMILIES } from "../../net/address.ts";
import type { IptablesRuleset } from "./ruleset.ts";
import { restoreText, setsText } from "./text.ts";

/**
 * Makes the rules, or brings older ones of ours to them; may be run again. Its here-documents are quoted, and no line of theirs can be
 * the word that ends them: each begins with a command of ours. They alone hold what comes from cluster objects.
 */
export function renderScript({ chains, sets }: IptablesRuleset): string {
  return [
    HEADER,
    `sets() {\n${document(setsText(sets.values()))}}\n`,
    ...FAMILIES.map((family) => `rules${family}() {\n${document(restoreText(chains[family].values(), family))}}\n`),
    STEPS,
  ].join("\n");
}

function document(text: string): string {
  return `  cat <<'END'\n${text}END\n`;
}

const HEADER = `#!/bin/sh
# Rules of nftpol for one node: sets of ipset, chains of iptables and ip6tables. Run it as root in the node's network
# namespace; it needs ipset, iptables >= 1.6.2 and awk.
#
# What is there of nftpol (NFTPOL-...) becomes what stands here, and nothing else is touched: it may be run again, and over
# older rules. Each set changes in one step, then the rules of each family with the jumps to them: in between, and after a
# step that failed, packets meet old rules with new sets. "nftpol agent --backend iptables" changes rules without that,
# follows the cluster, and cuts connections; this script does not.
#
# It uses the variant of iptables that the programs in PATH are of. For another one:
#   IPTABLES=iptables-legacy IP6TABLES=ip6tables-legacy sh THIS
# Rules of nftpol in the other variant, or in its nft table, stay in force: "nftpol cleanup" removes all.
set -eu
: "\${IPTABLES:=iptables}" "\${IP6TABLES:=ip6tables}" "\${IPSET:=ipset}"
`;

/** A set of that name is never looked up. */
const SCRATCH_SET = "NFTPOL-NEW";

const OUR_JUMP = "^-A (FORWARD|INPUT|OUTPUT) -m comment --comment nftpol -j NFTPOL-";

/** The same for every node. */
const STEPS = String.raw`# A set that is there gets its elements by an exchange: it is never empty in between, and may get another size.
make_sets() {
  "$IPSET" destroy ${SCRATCH_SET} 2>/dev/null || :
  { "$IPSET" list -name; cat; } | awk '
    function exchange() { if (set != "") print "swap ${SCRATCH_SET} " set "\ndestroy ${SCRATCH_SET}" }
    NF == 1 { there[$1]; next }
    $1 == "create" { exchange(); set = $2; if (!(set in there)) print }
    { $2 = "${SCRATCH_SET}"; print }
    END { exchange() }' | "$IPSET" restore
}

# One transaction: chains, jumps, and what goes. A jump that is there already goes and comes again as the first rule.
make_rules() {
  { "$1" -w -S; cat; } | awk '
    $1 == "*filter" { document = 1 }
    !document && $1 == "-N" && $2 ~ /^NFTPOL-/ { old[$2] }
    !document && /${OUR_JUMP}/ { jumps = jumps "-D" substr($0, 3) "\n" }
    !document { next }
    /^:/ { delete old[substr($1, 2)] }
    /^-A/ && !emptied { for (name in old) print ":" name " - [0:0]"; emptied = 1 }
    /^-I/ { printf "%s", jumps; jumps = "" }
    $1 == "COMMIT" { for (name in old) print "-X " name }
    { print }' | "$1-restore" -w --noflush
}

# The kernel lets a set go a moment after the rules that looked it up.
remove_other_sets() {
  { "$IPSET" list -name; cat; } | awk '
    NF == 1 && /^NFTPOL-/ { old[$1] }
    $1 == "create" { delete old[$2] }
    END { for (name in old) print name }' |
    while read -r name; do
      tries=0
      until "$IPSET" destroy "$name" 2>/dev/null; do
        tries=$((tries + 1))
        if [ "$tries" -eq 20 ]; then
          echo "the set $name is of older rules and stays: it is in use (by the other variant of iptables?)" >&2
          break
        fi
        sleep 0.1 2>/dev/null || sleep 1
      done
    done
}

sets | make_sets
rules4 | make_rules "$IPTABLES"
# Without IPv6 the kernel has neither its packets nor a place for its rules.
if [ -e /proc/net/if_inet6 ]; then rules6 | make_rules "$IP6TABLES"; fi
sets | remove_other_sets
`;
