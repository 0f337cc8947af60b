// Who reaches whom, as a table where it fits, else as a list, and what its words mean.

import type { ReachCell, ReachTable } from "./reach.ts";
import type { DemoScreen } from "./screen.ts";

const GAP = "  ";
const TABLE_LEGEND = "all: every port that is served there; a number: that port only; -: none";
const LIST_LEGEND = "without a number: every port that is served there";

export function showTable(screen: DemoScreen, table: ReachTable): void {
  const first = Math.max(...table.rows.map(({ from }) => from.length));
  const widths = table.columns.map((column, index) =>
    Math.max(column.length, ...table.rows.map(({ cells }) => cells[index]?.text.length ?? 0)),
  );
  const total = widths.reduce((sum, width) => sum + GAP.length + width, first);
  if (total > screen.room) {
    showList(screen, table);
    return;
  }
  const header = table.columns.map((column, index) => column.padEnd(widths[index] ?? 0));
  screen.line([" ".repeat(first), ...header].join(GAP).trimEnd());
  for (const { from, cells } of table.rows) {
    const fields = cells.map(
      (cell, index) => paint(screen, cell) + " ".repeat((widths[index] ?? 0) - cell.text.length),
    );
    screen.line([from.padEnd(first), ...fields].join(GAP).trimEnd());
  }
  screen.text(TABLE_LEGEND);
}

function showList(screen: DemoScreen, { columns, rows }: ReachTable): void {
  const first = Math.max(...rows.map(({ from }) => from.length));
  for (const { from, cells } of rows) {
    const targets = cells.flatMap(({ state, text }, index) =>
      state === "all" ? [`${columns[index]}`] : state === "some" ? [`${columns[index]}:${text}`] : [],
    );
    screen.item(from.padEnd(first), targets.length === 0 ? "reaches nobody" : `→ ${targets.join(", ")}`);
  }
  screen.text(LIST_LEGEND);
}

function paint({ colours }: DemoScreen, { state, text }: ReachCell): string {
  if (text === "") return "";
  const painters = { all: colours.green, some: colours.yellow, none: colours.dim, unasked: colours.dim };
  return painters[state](text);
}
