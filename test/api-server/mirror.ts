// What a reflector's owner sees: its batches, checked and applied to a map. Owns the rules that every batch must keep.

import type { ObjectChange } from "../../src/kube/object-change.ts";

export class Mirror<T> {
  readonly batches: (readonly ObjectChange<T>[])[] = [];
  readonly objects = new Map<string, ObjectChange<T>>();

  /** For onChanges. Throws when a batch contradicts the ones before, which ends the reflector and fails its test. */
  readonly take = (batch: readonly ObjectChange<T>[]): void => {
    if (this.batches.length > 0 && batch.length === 0) throw new Error("an empty batch that is not the first");
    for (const change of batch) this.#apply(change);
    this.batches.push(batch);
  };

  get keys(): readonly string[] {
    return [...this.objects.keys()].sort();
  }

  /** `+key` and `-key` of a batch, in its order. */
  changesOf(batchIndex: number): readonly string[] {
    return (this.batches.at(batchIndex) ?? []).map(({ key, object }) => `${object === undefined ? "-" : "+"}${key}`);
  }

  #apply(change: ObjectChange<T>): void {
    const known = this.objects.get(change.key);
    if (change.object === undefined) {
      if (known === undefined) throw new Error(`${change.key} is deleted and was not there`);
      if (known.uid !== change.uid) throw new Error(`${change.key} is deleted as ${change.uid}, but is ${known.uid}`);
      this.objects.delete(change.key);
      return;
    }
    if (known !== undefined && known.uid !== change.uid) throw new Error(`${change.key} is replaced, but not deleted`);
    this.objects.set(change.key, change);
  }
}
