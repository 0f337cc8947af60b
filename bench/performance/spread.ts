// Labels beside the ends of lines: as near as they can stand without covering each other. Pure.

export interface Label {
  /** Where its middle wants to be. */
  readonly wanted: number;
  readonly height: number;
}

interface Block {
  readonly members: readonly number[];
  readonly height: number;
  readonly middle: number;
}

/** The middles of the labels, in their order. Higher ones stay higher. What does not fit between top and bottom goes beyond the bottom. */
export function spread(labels: readonly Label[], top: number, bottom: number): number[] {
  const order = labels.map((_, index) => index).sort((a, b) => wantedBy(labels, a) - wantedBy(labels, b) || a - b);
  let blocks: Block[] = [];
  for (const index of order) {
    blocks.push(blockOf(labels, [index], top, bottom));
    while (overlapAtEnd(blocks)) {
      const [above, below] = blocks.slice(-2) as [Block, Block];
      blocks = [...blocks.slice(0, -2), blockOf(labels, [...above.members, ...below.members], top, bottom)];
    }
  }
  const middles = labels.map(({ wanted }) => wanted);
  for (const { members, height, middle } of blocks) {
    let at = middle - height / 2;
    for (const index of members) {
      const own = labels[index]?.height ?? 0;
      middles[index] = at + own / 2;
      at += own;
    }
  }
  return middles;
}

function wantedBy(labels: readonly Label[], index: number): number {
  return labels[index]?.wanted ?? 0;
}

/** One below the other without a gap; its middle is where the members want it on average. */
function blockOf(labels: readonly Label[], members: readonly number[], top: number, bottom: number): Block {
  const height = sum(members.map((index) => labels[index]?.height ?? 0));
  const wanted = sum(members.map((index) => wantedBy(labels, index))) / members.length;
  const middle = Math.max(top + height / 2, Math.min(bottom - height / 2, wanted));
  return { members, height, middle };
}

function overlapAtEnd(blocks: readonly Block[]): boolean {
  const [above, below] = blocks.slice(-2);
  if (above === undefined || below === undefined) return false;
  return above.middle + above.height / 2 > below.middle - below.height / 2 + 1e-9;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
