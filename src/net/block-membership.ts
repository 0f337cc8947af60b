// Whether addresses lie in some blocks, read from their text without big numbers: for those who ask it of every address of a
// large cluster.

import { type Address, addressBits, addressFamily, type Family } from "./address.ts";
import type { CidrBlock } from "./cidr.ts";

/** The first words of a block: 8 bits each for IPv4, 16 for IPv6. */
interface BlockWords {
  readonly family: Family;
  readonly words: readonly number[];
  readonly masks: readonly number[];
}

/** Tells of canonical addresses whether any of the blocks contains them. Cost of a question: the text up to the first difference. */
export function blockMembership(blocks: readonly CidrBlock[]): (address: Address) => boolean {
  const wanted = blocks.map(blockWords);
  return (address) => {
    const family = addressFamily(address);
    for (const block of wanted) {
      if (block.family === family && (family === 4 ? isInside4(address, block) : isInside6(address, block)))
        return true;
    }
    return false;
  };
}

function blockWords({ family, first, prefixLength }: CidrBlock): BlockWords {
  const width = family === 4 ? 8 : 16;
  const ones = 2 ** width - 1;
  const words: number[] = [];
  const masks: number[] = [];
  for (let bit = 0; bit < prefixLength; bit += width) {
    words.push(Number((first >> BigInt(addressBits(family) - width - bit)) & BigInt(ones)));
    masks.push(ones & ~(ones >> Math.min(width, prefixLength - bit)));
  }
  return { family, words, masks };
}

function isInside4(text: string, { words, masks }: BlockWords): boolean {
  let at = 0;
  for (let index = 0; index < words.length; index++) {
    let octet = 0;
    for (; at < text.length && text.charCodeAt(at) !== DOT; at++) octet = octet * 10 + text.charCodeAt(at) - ZERO;
    if ((octet & (masks[index] as number)) !== words[index]) return false;
    at++;
  }
  return true;
}

function isInside6(text: string, block: BlockWords): boolean {
  const gap = text.indexOf("::");
  if (gap < 0) return groupsMatch(text, 0, text.length, block, 0);
  if (!groupsMatch(text, 0, gap, block, 0)) return false;
  const tail = 8 - groupCount(text, gap + 2, text.length);
  for (let index = groupCount(text, 0, gap); index < tail && index < block.words.length; index++) {
    if (block.words[index] !== 0) return false;
  }
  return groupsMatch(text, gap + 2, text.length, block, tail);
}

/** Whether the groups between two places of the text are the block's words from `index` on, as far as the block goes. */
function groupsMatch(text: string, from: number, to: number, { words, masks }: BlockWords, index: number): boolean {
  for (let at = from, word = index; at < to && word < words.length; at++, word++) {
    let group = 0;
    for (; at < to && text.charCodeAt(at) !== COLON; at++) group = group * 16 + hexDigit(text.charCodeAt(at));
    if ((group & (masks[word] as number)) !== words[word]) return false;
  }
  return true;
}

function groupCount(text: string, from: number, to: number): number {
  if (from === to) return 0;
  let count = 1;
  for (let at = from; at < to; at++) if (text.charCodeAt(at) === COLON) count++;
  return count;
}

function hexDigit(code: number): number {
  return code < LETTER_A ? code - ZERO : code - LETTER_A + 10;
}

const DOT = ".".charCodeAt(0);
const COLON = ":".charCodeAt(0);
const ZERO = "0".charCodeAt(0);
const LETTER_A = "a".charCodeAt(0);
