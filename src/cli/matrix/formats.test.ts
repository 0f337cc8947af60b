// Every text format, whole, for a cluster small enough to judge by hand, and for names that mean something in the
// format's own language.

import { describe, expect, test } from "vitest";
import { loadTexts } from "../../../test/support/manifests.ts";
import { fillStore } from "../input.ts";
import { parseTraffic, type TrafficQuestion } from "../traffic-text.ts";
import { computeMatrix, type Matrix } from "./compute.ts";
import { formatDot } from "./format-dot.ts";
import { formatMarkdown } from "./format-markdown.ts";
import { formatMermaid } from "./format-mermaid.ts";
import { formatCsv, formatJson } from "./format-rows.ts";
import { formatTable } from "./format-table.ts";
import { type GroupedMatrix, groupMatrix } from "./groups.ts";
import { embedJson, escapeHtml } from "./html/page.ts";

function pod(namespace: string, name: string, app: string, addresses: readonly string[], owner?: string): string {
  const owners =
    owner === undefined ? "" : `, ownerReferences: [{ kind: ReplicaSet, name: ${owner}, controller: true }]`;
  return `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, namespace: ${namespace}, labels: { app: ${app} }${owners} }
spec: { containers: [{ name: c }] }
status: { phase: Running, podIPs: [${addresses.map((ip) => `{ ip: "${ip}" }`).join(", ")}] }
`;
}

function policy(name: string, spec: string): string {
  return `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: ${name}, namespace: shop }
spec: ${spec}
`;
}

const PODS = [
  pod("shop", "db", "db", ["10.0.0.9"]),
  pod("shop", "web-1", "web", ["10.0.0.1"], "web"),
  pod("shop", "web-2", "web", ["10.0.0.2"], "web"),
  pod("tools", "probe", "probe", ["10.0.1.1"]),
];
/** `web` reaches `db` on 5432; nothing leaves `web` but that and 80/TCP to `probe`. */
const POLICIES = [
  policy(
    "db",
    "{ podSelector: { matchLabels: { app: db } }, ingress: [{ from: [{ podSelector: {} }], ports: [{ port: 5432 }] }] }",
  ),
  policy(
    "web",
    "{ podSelector: { matchLabels: { app: web } }, policyTypes: [Egress], egress: [{ to: [{ podSelector: { matchLabels: { app: db } } }] }, { to: [{ namespaceSelector: {} }], ports: [{ port: 80 }] }] }",
  ),
];

function portsOf(texts: readonly string[]): TrafficQuestion[] {
  return texts.map((text) => parseTraffic(text) as TrafficQuestion);
}

async function matrixOf(documents: readonly string[], ports = ["80/TCP", "5432/TCP"]): Promise<Matrix> {
  const { store } = fillStore(await loadTexts({ "a.yaml": documents.join("---") })).input;
  return computeMatrix(store, { ports: portsOf(ports), addresses: [] });
}

const small = await matrixOf([...PODS, ...POLICIES]);
const plain = { columns: undefined, paint: (text: string) => text };

/** The second group under a name that no decoder lets through: formats must not rely on that. */
function renamed(name: string): GroupedMatrix {
  const grouped = groupMatrix(small);
  const groups = grouped.groups.map((group, index) =>
    index === 1 ? { ...group, namespace: name, label: name, shortLabel: name } : group,
  );
  const endpoints = small.endpoints.map((endpoint, index) => (index === 1 ? { ...endpoint, name } : endpoint));
  return { ...grouped, groups, matrix: { ...small, endpoints } };
}

describe("table", () => {
  test("has a line and a column for each group", () => {
    expect(formatTable(groupMatrix(small), plain)).toMatchInlineSnapshot(`
      "ports: 80,5432/TCP (all = each of them; - = none; · = itself)

                    shop/              tools/
      FROM \\ TO     db        web (2)  probe
      shop/db       ·         all      all
      shop/web (2)  5432/TCP  80/TCP   80/TCP
      tools/probe   -         all      ·
      "
    `);
  });

  test("by pod, each pod stands for itself", () => {
    expect(formatTable(groupMatrix(small, true), plain)).toMatchInlineSnapshot(`
      "ports: 80,5432/TCP (all = each of them; - = none; · = itself)

                   shop/                     tools/
      FROM \\ TO    db        web-1   web-2   probe
      shop/db      ·         all     all     all
      shop/web-1   5432/TCP  ·       80/TCP  80/TCP
      shop/web-2   5432/TCP  80/TCP  ·       80/TCP
      tools/probe  -         all     all     ·
      "
    `);
  });

  test("becomes a list where it does not fit the width", () => {
    expect(formatTable(groupMatrix(small), { ...plain, columns: 30 })).toMatchInlineSnapshot(`
      "ports: 80,5432/TCP (all = each of them)

      shop/db
        -> everybody: all
      shop/web (2)
        -> shop/db: 5432/TCP
        -> shop/web (2): 80/TCP
        -> tools/probe: 80/TCP
      tools/probe
        -> shop/web (2): all
      "
    `);
  });

  test("never passes the width that it was given while it is a table", () => {
    const grouped = groupMatrix(small);
    let tables = 0;
    for (let columns = 20; columns < 90; columns++) {
      const [, , ...lines] = formatTable(grouped, { ...plain, columns }).split("\n");
      if (!lines.some((line) => line.startsWith("FROM"))) continue;
      tables++;
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    }
    expect(tables).toBeGreaterThan(0);
  });

  test("colours do not move columns", () => {
    const painted = formatTable(groupMatrix(small), { ...plain, paint: (text, state) => `<${state}>${text}</>` });
    expect(painted.replace(/<[^>]*>/g, "")).toBe(formatTable(groupMatrix(small), plain));
    expect(painted).toContain("<none>-</>");
  });

  test("says so where there is no pod", async () => {
    expect(formatTable(groupMatrix(await matrixOf(POLICIES)), plain)).toBe("no pods\n");
  });

  test("control characters in names are shown, not sent", () => {
    const text = formatTable(renamed("a\u001b[31m\nb\u202e"), plain);
    expect(text).toContain("a\\u{1b}[31m\\u{a}b\\u{202e}");
    for (const character of ["\u001b", "\u202e"]) expect(text).not.toContain(character);
  });
});

describe("md", () => {
  test("is a GitHub table", () => {
    expect(formatMarkdown(groupMatrix(small))).toMatchInlineSnapshot(`
      "Ports asked: 80,5432/TCP. From the left to the top; \`-\` is nothing, \`·\` the pod itself.

      | from \\ to | \`shop/db\` | \`shop/web\` (2) | \`tools/probe\` |
      | --- | :-: | :-: | :-: |
      | \`shop/db\` | · | all | all |
      | \`shop/web\` (2) | 5432/TCP | 80/TCP | 80/TCP |
      | \`tools/probe\` | - | all | · |
      "
    `);
  });

  test("a name cannot end a cell, begin a link, mention somebody or become HTML", () => {
    const text = formatMarkdown(renamed("a|b](http://x)<img src=x>@all`\n*"));
    const lines = text.trimEnd().split("\n");
    expect(lines).toHaveLength(formatMarkdown(groupMatrix(small)).trimEnd().split("\n").length);
    const columns = lines.slice(2).map((line) => line.split("|").length);
    expect(new Set(columns).size).toBe(1);
    expect(text).not.toContain("<img");
    expect(text).toContain("a&#124;b&#93;&#40;http");
    expect(text).toContain("&#64;&#8203;all");
  });
});

describe("mermaid", () => {
  test("is a flowchart of what is allowed", () => {
    expect(formatMermaid(groupMatrix(small))).toMatchInlineSnapshot(`
      "%% who reaches whom; ports asked: 80,5432/TCP
      flowchart LR
        subgraph ns0["shop"]
          g0["db"]
          g1["web (2)"]
        end
        subgraph ns1["tools"]
          g2["probe"]
        end
        g0 -->|"all"| g1
        g0 -->|"all"| g2
        g1 -->|"5432/TCP"| g0
        g1 -->|"80/TCP"| g1
        g1 -->|"80/TCP"| g2
        g2 -->|"all"| g1
      "
    `);
  });

  test("a name cannot end its quotes or its line", () => {
    const text = formatMermaid(renamed('a"]; click g0 call x()\n%%{init}%%<b>#35;'));
    expect(text).toContain(
      '["a#34;#93;#59; click g0 call x()#65533;#37;#37;#123;init#125;#37;#37;#60;b#62;#35;35#59;"]',
    );
    expect(text).not.toMatch(/^\s*(?!%% who)%%/m);
  });
});

describe("dot", () => {
  test("is a digraph of what is allowed", () => {
    expect(formatDot(groupMatrix(small))).toMatchInlineSnapshot(`
      "digraph matrix {
        label="who reaches whom; ports asked: 80,5432/TCP";
        rankdir=LR;
        fontname="sans-serif"; node [fontname="sans-serif", shape=box, style=rounded]; edge [fontname="sans-serif", fontsize=10];
        subgraph cluster_0 {
          label="shop";
          g0 [label="db"];
          g1 [label="web (2)"];
        }
        subgraph cluster_1 {
          label="tools";
          g2 [label="probe"];
        }
        g0 -> g1 [label="all"];
        g0 -> g2 [label="all"];
        g1 -> g0 [label="5432/TCP"];
        g1 -> g1 [label="80/TCP"];
        g1 -> g2 [label="80/TCP"];
        g2 -> g1 [label="all"];
      }
      "
    `);
  });

  test("a name cannot end its quotes, escape them or bring a reference", () => {
    const text = formatDot(renamed('a"\\"]; x -> y\n\\N&quot;'));
    expect(text).toContain('"a\\"\\\\\\"]; x -> y\\\\u{a}\\\\N&amp;quot;"');
  });
});

describe("csv", () => {
  test("has every pair and port, one a line", async () => {
    const two = await matrixOf([...PODS.slice(0, 2), ...POLICIES]);
    expect([...formatCsv(two)].join("").replaceAll("\r\n", "\n")).toMatchInlineSnapshot(`
      "from,to,protocol,port,ingress,egress,verdict
      shop/db,shop/db,TCP,80,allow,allow,allow
      shop/db,shop/db,TCP,5432,allow,allow,allow
      shop/db,shop/web-1,TCP,80,allow,allow,allow
      shop/db,shop/web-1,TCP,5432,allow,allow,allow
      shop/web-1,shop/db,TCP,80,deny,allow,deny
      shop/web-1,shop/db,TCP,5432,allow,allow,allow
      shop/web-1,shop/web-1,TCP,80,allow,allow,allow
      shop/web-1,shop/web-1,TCP,5432,allow,allow,allow
      "
    `);
  });

  test("names the family only where families differ", async () => {
    const pods = [pod("shop", "a", "a", ["10.0.0.1", "fd00::1"]), pod("shop", "b", "b", ["10.0.0.2", "fd00::2"])];
    const onlyV4 = policy(
      "v4",
      '{ podSelector: { matchLabels: { app: b } }, ingress: [{ from: [{ ipBlock: { cidr: "0.0.0.0/0" } }] }] }',
    );
    const text = [...formatCsv(await matrixOf([...pods, onlyV4], ["80"]))].join("").replaceAll("\r\n", "\n");
    expect(text).toMatchInlineSnapshot(`
      "from,to,protocol,port,ingress,egress,verdict,family
      shop/a,shop/a,TCP,80,allow,allow,allow,
      shop/a,shop/b,TCP,80,allow,allow,allow,IPv4
      shop/a,shop/b,TCP,80,deny,allow,deny,IPv6
      shop/b,shop/a,TCP,80,allow,allow,allow,
      shop/b,shop/b,TCP,80,allow,allow,allow,
      "
    `);
  });

  test("lines end as RFC 4180 says, and none is broken by a name", () => {
    const text = [...formatCsv(renamed('=cmd("x"),\r\ny').matrix)].join("");
    expect(text).toContain('"\'=cmd(""x""),\r\ny",shop/db,TCP,80');
    expect(text.endsWith("\r\n")).toBe(true);
  });
});

describe("json", () => {
  test("is an array of rows, whatever the names", () => {
    const rows: unknown = JSON.parse([...formatJson(renamed('"\n\u2028').matrix)].join(""));
    expect(rows).toHaveLength(4 * 4 * 2);
    expect(rows).toContainEqual({
      from: "tools/probe",
      to: "shop/db",
      protocol: "TCP",
      port: 5432,
      ingress: "deny",
      egress: "allow",
      verdict: "deny",
    });
  });

  test("is an empty array where there is no pod", async () => {
    expect(JSON.parse([...formatJson(await matrixOf(POLICIES))].join(""))).toEqual([]);
  });
});

describe("html", () => {
  test("text is text in elements and attributes", () => {
    expect(escapeHtml(`<a href="x" title='y'>&amp;\u0007`)).toBe(
      "&lt;a href=&quot;x&quot; title=&#39;y&#39;&gt;&amp;amp;\\u{7}",
    );
  });

  test("embedded data cannot end its element and stays the same data", () => {
    const data = { name: "</script><!--<script>\u2028&" };
    expect(embedJson(data)).not.toMatch(/[<>&\u2028]/);
    expect(JSON.parse(embedJson(data))).toEqual(data);
  });
});
