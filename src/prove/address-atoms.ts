// Cuts the address space where anything on either side makes a difference: between two cuts all addresses are alike.

import { type Address, addressValue, type Family, formatAddress, maxAddressValue } from "../net/address.ts";

/** A run of addresses that no constant separates. */
export interface Atom {
  readonly index: number;
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
  /** The first one stands for all. */
  readonly address: Address;
}

/** The same run with another of its addresses to stand for it; throws where it has but one. */
export function otherAddressOf(atom: Atom): Atom {
  if (atom.first === atom.last) throw new Error(`${atom.address} is the only one of its kind`);
  return { ...atom, address: formatAddress(atom.family, atom.last) };
}

/** Collects the constants of one family, then gives the atoms. */
export class AddressCuts {
  readonly family: Family;
  readonly #edges = new Set<bigint>([0n]);

  constructor(family: Family) {
    this.family = family;
  }

  /** A range of addresses, both ends included, that something treats in its own way. */
  addRange(first: bigint, last: bigint): void {
    this.#edges.add(first);
    if (last < maxAddressValue(this.family)) this.#edges.add(last + 1n);
  }

  addAddress(address: Address): void {
    const value = addressValue(address);
    this.addRange(value, value);
  }

  /** In address order, covering the whole family. */
  atoms(): Atom[] {
    const edges = [...this.#edges].sort((a, b) => (a < b ? -1 : 1));
    return edges.map((first, index) => {
      const last = index + 1 < edges.length ? (edges[index + 1] as bigint) - 1n : maxAddressValue(this.family);
      return { index, family: this.family, first, last, address: formatAddress(this.family, first) };
    });
  }
}

/** The atom that holds an address. Binary search. */
export function atomOf(atoms: readonly Atom[], value: bigint): Atom {
  let low = 0;
  let high = atoms.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((atoms[middle] as Atom).first <= value) low = middle;
    else high = middle - 1;
  }
  return atoms[low] as Atom;
}

/** Atoms of equal keys, in the order of the first ones. */
export function groupAtoms(atoms: readonly Atom[], key: (atom: Atom) => string): Atom[][] {
  const groups = new Map<string, Atom[]>();
  for (const atom of atoms) {
    const text = key(atom);
    const group = groups.get(text);
    if (group === undefined) groups.set(text, [atom]);
    else group.push(atom);
  }
  return [...groups.values()];
}

/** The atoms that lie in a range whose ends are cuts. */
export function atomsIn(atoms: readonly Atom[], first: bigint, last: bigint): readonly Atom[] {
  return atoms.slice(atomOf(atoms, first).index, atomOf(atoms, last).index + 1);
}
