// The addresses and domain names of an egress peer of the tier APIs.

import type { CidrBlock } from "../net/cidr.ts";
import { readCidr } from "./cidr-field.ts";
import { describeValue, type Field } from "./field-reader.ts";
import { refuseRepeatedTexts, someItemsUpTo } from "./item-limits.ts";

const MOST_ITEMS = 25;
const LONGEST_CIDR = 43;

/**
 * Blocks as CEL's isCIDR takes them. Bits behind the prefix are accepted with a warning and mean the whole block: the released CRDs
 * (up to v0.2.0) accept them, later ones do not.
 */
export function readNetworks(list: Field): CidrBlock[] {
  const items = someItemsUpTo(list, MOST_ITEMS, "networks");
  refuseRepeatedTexts(items);
  return items.map(readNetwork).filter((block) => block !== undefined);
}

function readNetwork(item: Field): CidrBlock | undefined {
  if (!item.present || item.value === "") {
    item.error({ code: "invalid-cidr", message: "a network is empty", hint: 'for example "10.0.0.0/8"' });
    return undefined;
  }
  if (typeof item.value === "string" && item.value.length > LONGEST_CIDR) {
    const message = `${describeValue(item.value)} is longer than ${LONGEST_CIDR} characters`;
    item.error({ code: "invalid-cidr", message });
    return undefined;
  }
  return readCidr(item, ["leading zeros", "IPv4-mapped IPv6"]);
}

/** `A-z` is what the released CRDs say: a label may begin with `_`. */
const DOMAIN_NAME = /^(\*\.)?([A-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.)+[A-z0-9]([-a-zA-Z0-9_]*[a-zA-Z0-9])?\.?$/;

export function readDomainNames(list: Field): string[] {
  const items = someItemsUpTo(list, MOST_ITEMS, "domain names");
  refuseRepeatedTexts(items);
  return items.map(readDomainName).filter((name) => name !== undefined);
}

function readDomainName(item: Field): string | undefined {
  const name = item.present ? item.asString() : "";
  if (name === undefined) return undefined;
  if (DOMAIN_NAME.test(name)) return name;
  item.error({
    code: "invalid-domain-name",
    message: `${JSON.stringify(name)} is not a domain name of at least two labels`,
    hint: 'for example "kubernetes.io", or "*.kubernetes.io" for all names below it',
  });
  return undefined;
}
