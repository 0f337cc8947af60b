// How series are told apart: by colour, by the shape of their points, and ours by weight. Owns palette and shapes.

import type { BenchSeries } from "../document.ts";
import { coordinate, element } from "./svg-text.ts";

export interface SeriesStyle {
  readonly color: string;
  readonly lineWidth: number;
  readonly shape: Shape;
  readonly isFilled: boolean;
}

/** Okabe and Ito's colours, told apart with every kind of colour vision, the pale ones darkened for thin lines on white. */
const PALETTE = ["#0064A6", "#D55E00", "#00805E", "#B5548A", "#B87800", "#3A8FC4", "#4D4D4D"] as const;

const SHAPES = ["circle", "square", "diamond", "triangle", "cross", "plus", "bar"] as const;
type Shape = (typeof SHAPES)[number];

/** Ours are thick and filled. `slot`: the place in the order of colours and shapes. */
export function styleOf({ isOurs }: BenchSeries, slot: number): SeriesStyle {
  // After one round of the palette the shapes are shifted, so that no pair of colour and shape comes back soon.
  const round = Math.floor(slot / PALETTE.length);
  return {
    color: PALETTE[slot % PALETTE.length] as string,
    lineWidth: isOurs ? 3.5 : 1.6,
    shape: SHAPES[(slot + 2 * round) % SHAPES.length] as Shape,
    isFilled: isOurs,
  };
}

export function marker({ color, shape, isFilled }: SeriesStyle, x: number, y: number): string {
  const radius = isFilled ? 5 : 4.2;
  return element("path", {
    d: OUTLINES[shape](radius)
      .map(([command, dx, dy]) => `${command}${coordinate(x + dx)} ${coordinate(y + dy)}`)
      .join("")
      .concat(isOpen(shape) ? "" : "Z"),
    fill: isOpen(shape) ? "none" : isFilled ? color : "#fff",
    stroke: color,
    "stroke-width": isOpen(shape) && isFilled ? 3 : 1.8,
  });
}

function isOpen(shape: Shape): boolean {
  return shape === "cross" || shape === "plus" || shape === "bar";
}

type Step = readonly [command: "M" | "L", dx: number, dy: number];

const OUTLINES: Readonly<Record<Shape, (radius: number) => readonly Step[]>> = {
  circle: (r) => regular(16, r, 0),
  square: (r) => regular(4, r * 1.2, Math.PI / 4),
  diamond: (r) => regular(4, r * 1.25, 0),
  triangle: (r) => regular(3, r * 1.25, -Math.PI / 2),
  cross: (r) => [...stroke(r * 0.85, r * 0.85), ...stroke(r * 0.85, -r * 0.85)],
  plus: (r) => [...stroke(r * 1.1, 0), ...stroke(0, r * 1.1)],
  bar: (r) => stroke(0, r * 1.3),
};

function regular(corners: number, radius: number, turn: number): Step[] {
  return Array.from({ length: corners }, (_, corner): Step => {
    const angle = turn + (2 * Math.PI * corner) / corners;
    return [corner === 0 ? "M" : "L", radius * Math.cos(angle), radius * Math.sin(angle)];
  });
}

function stroke(dx: number, dy: number): Step[] {
  return [
    ["M", -dx, -dy],
    ["L", dx, dy],
  ];
}
