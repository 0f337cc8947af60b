// `nftpol matrix`: who reaches whom. Wires options, computation and formats; data to stdout, remarks to stderr.

import pc from "picocolors";
import { type Address, addressFamily, FAMILIES, type Family, parseAddress } from "../../net/address.ts";
import type { ClusterStore } from "../../state/store.ts";
import { loadCluster } from "../input.ts";
import type { CellState } from "../matrix/cell-text.ts";
import { computeMatrix, type Matrix } from "../matrix/compute.ts";
import { allowedEdges } from "../matrix/edges.ts";
import { formatDot } from "../matrix/format-dot.ts";
import { formatMarkdown } from "../matrix/format-markdown.ts";
import { formatMermaid, MERMAID_MAX_CHARACTERS, MERMAID_MAX_EDGES } from "../matrix/format-mermaid.ts";
import { formatCsv, formatJson } from "../matrix/format-rows.ts";
import { formatTable } from "../matrix/format-table.ts";
import { type GroupedMatrix, groupMatrix } from "../matrix/groups.ts";
import { formatHtml } from "../matrix/html/page.ts";
import { defaultPorts, sortPorts } from "../matrix/ports.ts";
import { programOptions } from "../node-ruleset.ts";
import { startProgress } from "../progress.ts";
import { countOf, printable } from "../terminal-text.ts";
import { formatQuestion, parseTraffic, TRAFFIC_FORMS, type TrafficQuestion } from "../traffic-text.ts";
import {
  CommandError,
  flagOption,
  listOption,
  type OptionValues,
  textOption,
  type VerbContext,
  type VerbRun,
} from "../verb.ts";

export const run: VerbRun = async (_args, options, context) => {
  const asked = parsePorts(listOption(options, "port"));
  const addresses = parseAddresses(listOption(options, "ip"));
  const { store } = await loadCluster(options, context);
  const namespace = knownNamespace(store, textOption(options, "namespace"));
  const families = wantedFamilies(options);
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

function parsePorts(texts: readonly string[]): TrafficQuestion[] {
  const ports = texts
    .flatMap((text) => text.split(","))
    .map((text) => {
      const port = parseTraffic(text);
      if (port === undefined)
        throw new CommandError(2, `--port ${JSON.stringify(text)} is no port`, `write ${TRAFFIC_FORMS}`);
      return port;
    });
  return sortPorts(ports);
}

function parseAddresses(texts: readonly string[]): Address[] {
  return texts
    .flatMap((text) => text.split(","))
    .map((text) => {
      const parsed = parseAddress(text.trim());
      if (parsed !== undefined) return parsed.address;
      throw new CommandError(
        2,
        `--ip ${JSON.stringify(text)} is no IP address`,
        "for example --ip 203.0.113.7; no CIDR, no name",
      );
    });
}

function knownNamespace(store: ClusterStore, name: string | undefined): string | undefined {
  if (name === undefined || [...store.namespaceNames()].includes(name)) return name;
  const known = [...store.namespaceNames()].sort().join(", ");
  throw new CommandError(
    2,
    `there is no namespace ${JSON.stringify(name)}`,
    known === "" ? undefined : `there are: ${known}`,
  );
}

function wantedFamilies(options: OptionValues): readonly Family[] {
  const wanted = textOption(options, "family");
  return wanted === undefined ? FAMILIES : FAMILIES.filter((family) => `IPv${family}` === wanted);
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

function occurringPorts(store: ClusterStore, context: VerbContext): readonly TrafficQuestion[] {
  const { ports, leftOut, guessed } = defaultPorts(store);
  if (guessed) {
    const text = formatQuestion(ports[0] as TrafficQuestion);
    context.stderr(`note: no pod and no policy names a port, so this asks about ${text}; choose with --port\n`);
  }
  if (leftOut > 0) {
    context.stderr(
      `note: the ${ports.length} ports that occur most; ${countOf(leftOut, "other")} left out, choose with --port\n`,
    );
  }
  return ports;
}

function painter(colour: boolean): (text: string, state: CellState) => string {
  const { green, yellow, red, dim } = pc.createColors(colour);
  const paint = { all: green, some: yellow, none: red, self: dim, unasked: dim };
  return (text, state) => paint[state](text);
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
