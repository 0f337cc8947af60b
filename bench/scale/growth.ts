// How a figure grows with a number: between neighbours, and over all by least squares. Pure.

export interface Point {
  readonly x: number;
  readonly y: number;
}

/** Of the line through all points that is nearest to them. NaN for fewer than two different x. */
export function slope(points: readonly Point[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanX, meanY] = [mean(points.map(({ x }) => x)), mean(points.map(({ y }) => y))];
  const above = points.reduce((sum, { x, y }) => sum + (x - meanX) * (y - meanY), 0);
  return above / points.reduce((sum, { x }) => sum + (x - meanX) ** 2, 0);
}

/** Between each point and the next. */
export function steps(points: readonly Point[]): readonly number[] {
  return points.slice(1).map((point, index) => slope([points[index] as Point, point]));
}
