import { type Address, addressFamily, type Family } from "../../net/address.ts";
import type { ClusterStore } from "../../state/store.ts";
import { loadCluster } from "../input.ts";
import { askedAddresses, askedFamilies, askedNamespace, askedPorts, occurringPorts, painter } from "../matrix/asked.ts";
import { computeMatrix, type Matrix } from "../matrix/compute.ts";
import { allowedEdges } from "../matrix/edges.ts";
import { formatDot } from "../matrix/format-dot.ts";
import { formatMarkdown } from "../matrix/format-markdown.ts";
import { formatMermaid, MERMAID_MAX_CHARACTERS, MERMAID_MAX_EDGES } from "../matrix/format-mermaid.ts";
import { formatCsv, formatJson } from "../matrix/format-rows.ts";
import { formatTable } from "../matrix/format-table.ts";
import { type GroupedMatrix, groupMatrix } from "../matrix/groups.ts";
import { formatHtml } from "../matrix/html/page.ts";
import { programOptions } from "../node-ruleset.ts";
import { startProgress } from "../progress.ts";
import { printable } from "../terminal-text.ts";
import { CommandError, flagOption, type OptionValues, textOption, type VerbContext, type VerbRun } from "../verb.ts";

export const run: VerbRun = async (_args, options, context) => {
  const asked = askedPorts(options);
  const addresses = askedAddresses(options);
  const { store } = await loadCluster(options, context);
  const namespace = askedNamespace(store, options);
  const families = askedFamilies(options);
  remarkOnAddresses(store, addresses, families, context);
  const ports = asked.length > 0 ? asked : occurringPorts(store, context);
  const progress = startProgress(context);
  const matrix = computeMatrix(store, {
    ports,
    addresses,
    families,
    namespace,
    options: programOptions(options),
    onProgress: (done, total) => progress.report(`judging: ${done} of ${total} kinds of pods`),
  });
  progress.finish();
  if (!matrix.endpoints.some(({ pod }) => pod !== undefined)) context.stderr("note: no pod that policies can select\n");
  for (const text of format(matrix, options, context)) context.stdout(text);
  return 0;
};

function format(matrix: Matrix, options: OptionValues, context: VerbContext): Iterable<string> {
  const output = textOption(options, "output") ?? "table";
  if (output === "json") return formatJson(matrix);
  if (output === "csv") return formatCsv(matrix);
  const grouped = groupMatrix(matrix, flagOption(options, "byPod"));
  switch (output) {
    case "table":
      return [formatTable(grouped, { columns: context.columns, paint: painter(context.colour) })];
    case "wide":
      return [formatTable(grouped, { columns: undefined, paint: painter(context.colour) })];
    case "md":
      return [formatMarkdown(grouped)];
    case "mermaid":
      return [mermaidWithRemark(grouped, context)];
    case "dot":
      return [formatDot(grouped)];
    case "html":
      return [formatHtml(grouped)];
    default:
      throw new CommandError(2, `unknown output format ${JSON.stringify(output)}`);
  }
}

function remarkOnAddresses(
  store: ClusterStore,
  addresses: readonly Address[],
  families: readonly Family[],
  context: VerbContext,
): void {
  for (const address of new Set(addresses)) {
    const owner = store.ownerOf(address);
    if (owner !== undefined)
      context.stderr(`note: ${address} is the pod ${printable(owner.key)}, which is there anyway\n`);
    else if (!families.includes(addressFamily(address)))
      context.stderr(`note: ${address} is not of the family asked for\n`);
  }
}

function mermaidWithRemark(grouped: GroupedMatrix, context: VerbContext): string {
  const text = formatMermaid(grouped);
  if (allowedEdges(grouped).length > MERMAID_MAX_EDGES || text.length > MERMAID_MAX_CHARACTERS) {
    context.stderr(
      "note: too large for Mermaid's default limits; narrow it with -n or --port, or take -o html or -o dot\n",
    );
  }
  return text;
}
