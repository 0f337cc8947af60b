// A field that holds a CIDR block: accepted as the API server accepts it, with a word about spellings that mislead.

import { type CidrBlock, type CidrRemark, parseCidr } from "../net/cidr.ts";
import type { Field } from "./field-reader.ts";

const REMARKS: Readonly<Record<CidrRemark, string>> = {
  "host bits set": "has bits set behind the prefix",
  "leading zeros": "has leading zeros, which some programs read as octal",
  "IPv4-mapped IPv6": "is an IPv4-mapped IPv6 address, which is read as IPv4",
};

/**
 * The block; undefined (reported) when the text is no CIDR block, undefined without a word when it is absent or empty. `refused`: spellings
 * that the API of this field does not accept.
 */
export function readCidr(field: Field, refused: readonly CidrRemark[] = []): CidrBlock | undefined {
  const text = field.asString();
  if (text === undefined || text === "") return undefined;
  const parsed = parseCidr(text);
  if (parsed === undefined) {
    const hint = text.includes("/") ? 'for example "10.0.0.0/8" or "2001:db8::/32"' : singleAddressHint(text);
    field.error({ code: "invalid-cidr", message: `${JSON.stringify(text)} is not a CIDR block`, hint });
    return undefined;
  }
  const fault = parsed.remarks.find((remark) => refused.includes(remark));
  if (fault !== undefined) {
    const message = `${JSON.stringify(text)} ${REMARKS[fault]}`;
    field.error({ code: "invalid-cidr", message, hint: `write ${parsed.block.text}` });
    return undefined;
  }
  for (const remark of parsed.remarks) {
    field.warning({
      code: remark === "host bits set" ? "cidr-host-bits" : "unusual-cidr",
      message: `${JSON.stringify(text)} ${REMARKS[remark]}; it means ${parsed.block.text}`,
      hint: `write ${parsed.block.text}`,
    });
  }
  return parsed.block;
}

function singleAddressHint(text: string): string {
  return `add a prefix length: ${text}/${text.includes(":") ? 128 : 32} for this one address`;
}
