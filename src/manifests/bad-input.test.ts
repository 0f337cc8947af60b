// What is said about bad input: code, field and the exact place of each finding.

import { describe, expect, it } from "vitest";
import { findingLine, loadTexts } from "../../test/support/manifests.ts";

/** A valid policy up to its rules; `lines` begin in line 8. */
function policy(...lines: string[]): string {
  const head = [
    "apiVersion: networking.k8s.io/v1",
    "kind: NetworkPolicy",
    "metadata:",
    "  name: web",
    "  namespace: shop",
  ];
  return [...head, "spec:", "  podSelector: {}", ...lines, ""].join("\n");
}

function ingressPort(...lines: string[]): string {
  return policy("  ingress:", "  - ports:", ...lines.map((line, index) => `    ${index === 0 ? "- " : "  "}${line}`));
}

function ipBlock(...lines: string[]): string {
  return policy("  ingress:", "  - from:", "    - ipBlock:", ...lines.map((line) => `        ${line}`));
}

const pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: a\n  uid: u1\n";

const cases: readonly [sentence: string, text: string | Uint8Array, ...findings: string[]][] = [
  ["a tab in the indentation", "apiVersion: v1\nkind: Pod\nmetadata:\n\tname: a\n", "a.yaml:4:1 error syntax-error"],
  ["a key written twice", `${pod}kind: Pod\n`, "a.yaml:6:1 error duplicate-key"],
  [
    "two keys written twice: both are reported",
    "apiVersion: v1\nkind: Pod\nkind: Pod\nmetadata:\n  name: a\n  name: b\n",
    "a.yaml:3:1 error duplicate-key",
    "a.yaml:6:3 error duplicate-key",
  ],
  [
    "an apiVersion of the past",
    "apiVersion: extensions/v1beta1\nkind: NetworkPolicy\nmetadata: {name: a}\n",
    "a.yaml:1:1 error unknown-api-version apiVersion",
  ],
  [
    "a beta apiVersion",
    "kind: NetworkPolicy\napiVersion: networking.k8s.io/v1beta1\n",
    "a.yaml:2:1 error unknown-api-version apiVersion",
  ],
  [
    "an unknown apiVersion of a workload",
    "kind: Deployment\napiVersion: apps/v1beta1\n",
    "a.yaml:2:1 error unknown-api-version apiVersion",
  ],
  [
    "another product's NetworkPolicy",
    "apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\n",
    "a.yaml:2:1 warning policy-not-enforced kind",
  ],
  ["a document without kind", "apiVersion: v1\nmetadata: {name: a}\n", "a.yaml:1:1 error missing-kind kind"],
  ["a document without apiVersion", "kind: Pod\n", "a.yaml:1:1 error missing-api-version apiVersion"],
  ["a document that is a list", "- a\n- b\n", "a.yaml:1:1 error not-a-mapping"],
  ["a document that is a word", "hello\n", "a.yaml:1:1 error not-a-mapping"],
  [
    "a label that YAML reads as a number",
    policy("").replace("{}", "{matchLabels: {v: 1}}"),
    "a.yaml:7:31 error wrong-type spec.podSelector.matchLabels.v",
  ],
  [
    "a label that YAML reads as a boolean",
    policy("").replace("{}", "{matchLabels: {v: yes}}"),
    "a.yaml:7:31 error wrong-type spec.podSelector.matchLabels.v",
  ],
  ["ingress that is no list", policy("  ingress: {}"), "a.yaml:8:3 error wrong-type spec.ingress"],
  ["a rule that is no mapping", policy("  ingress:", "  - from"), "a.yaml:9:5 error wrong-type spec.ingress[0]"],
  [
    "a peer that is no mapping",
    policy("  ingress:", "  - from: [a]"),
    "a.yaml:9:12 error wrong-type spec.ingress[0].from[0]",
  ],
  [
    "an unknown field in a rule",
    policy("  ingress:", "  - form: []"),
    "a.yaml:9:5 error unknown-field spec.ingress[0].form",
  ],
  ["an unknown field in the spec", policy("  egres: []"), "a.yaml:8:3 error unknown-field spec.egres"],
  ["an unknown field at the top", policy("foo: 1"), "a.yaml:8:1 error unknown-field foo"],
  [
    "a misspelt namespace",
    policy("").replace("namespace:", "namespce:"),
    "a.yaml:5:3 error unknown-field metadata.namespce",
  ],
  [
    "a policy without name",
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {}\nspec: {podSelector: {}}\n",
    "a.yaml:3:1 error missing-field metadata.name",
  ],
  ["a bad policy name", policy("").replace("name: web", "name: Web"), "a.yaml:4:3 error invalid-name metadata.name"],
  [
    "a namespace that is no text",
    policy("").replace("shop", "[shop]"),
    "a.yaml:5:3 error wrong-type metadata.namespace",
  ],
  ["a bad namespace", policy("").replace("shop", "a.b"), "a.yaml:5:3 error invalid-name metadata.namespace"],
  [
    "endPort without port",
    ingressPort("protocol: TCP", "endPort: 90"),
    "a.yaml:11:7 error endport-without-port spec.ingress[0].ports[0].endPort",
  ],
  [
    "endPort below port",
    ingressPort("port: 80", "endPort: 79"),
    "a.yaml:11:7 error endport-below-port spec.ingress[0].ports[0].endPort",
  ],
  [
    "a named port with endPort",
    ingressPort("port: http", "endPort: 79"),
    "a.yaml:11:7 error endport-with-named-port spec.ingress[0].ports[0].endPort",
  ],
  [
    "endPort out of range",
    ingressPort("port: 80", "endPort: 65536"),
    "a.yaml:11:7 error port-out-of-range spec.ingress[0].ports[0].endPort",
  ],
  ["port 0", ingressPort("port: 0"), "a.yaml:10:7 error port-out-of-range spec.ingress[0].ports[0].port"],
  ["a quoted port", ingressPort('port: "80"'), "a.yaml:10:7 error port-quoted-number spec.ingress[0].ports[0].port"],
  [
    "a port name that is too long",
    ingressPort("port: abcdefghijklmnop"),
    "a.yaml:10:7 error invalid-port-name spec.ingress[0].ports[0].port",
  ],
  [
    "a port name with two dashes",
    ingressPort("port: a--b"),
    "a.yaml:10:7 error invalid-port-name spec.ingress[0].ports[0].port",
  ],
  ["a port that is a list", ingressPort("port: [80]"), "a.yaml:10:7 error wrong-type spec.ingress[0].ports[0].port"],
  [
    "a protocol in lower case",
    ingressPort("port: 80", "protocol: tcp"),
    "a.yaml:11:7 error unknown-protocol spec.ingress[0].ports[0].protocol",
  ],
  [
    "ICMP as a protocol",
    ingressPort("protocol: ICMP"),
    "a.yaml:10:7 error unknown-protocol spec.ingress[0].ports[0].protocol",
  ],
  [
    "except outside its cidr",
    ipBlock("cidr: 10.0.0.0/8", "except: [11.0.0.0/16]"),
    "a.yaml:12:18 error except-outside-cidr spec.ingress[0].from[0].ipBlock.except[0]",
  ],
  [
    "except equal to its cidr",
    ipBlock("cidr: 10.0.0.0/8", "except: [10.0.0.0/8]"),
    "a.yaml:12:18 error except-outside-cidr spec.ingress[0].from[0].ipBlock.except[0]",
  ],
  [
    "except of the other family",
    ipBlock("cidr: 10.0.0.0/8", 'except: ["fd00::/16"]'),
    "a.yaml:12:18 error except-outside-cidr spec.ingress[0].from[0].ipBlock.except[0]",
  ],
  [
    "host bits set",
    ipBlock("cidr: 10.1.0.0/8"),
    "a.yaml:11:9 warning cidr-host-bits spec.ingress[0].from[0].ipBlock.cidr",
  ],
  [
    "leading zeros in a cidr",
    ipBlock("cidr: 010.0.0.0/8"),
    "a.yaml:11:9 warning unusual-cidr spec.ingress[0].from[0].ipBlock.cidr",
  ],
  [
    "an IPv4-mapped cidr",
    ipBlock('cidr: "::ffff:10.0.0.0/104"'),
    "a.yaml:11:9 warning unusual-cidr spec.ingress[0].from[0].ipBlock.cidr",
  ],
  [
    "an address instead of a cidr",
    ipBlock("cidr: 10.0.0.1"),
    "a.yaml:11:9 error invalid-cidr spec.ingress[0].from[0].ipBlock.cidr",
  ],
  [
    "an ipBlock without cidr",
    ipBlock("except: [10.0.0.0/8]"),
    "a.yaml:10:7 error missing-field spec.ingress[0].from[0].ipBlock.cidr",
  ],
  [
    "an ipBlock beside a selector",
    policy("  ingress:", "  - from:", "    - ipBlock: {cidr: 10.0.0.0/8}", "      podSelector: {}"),
    "a.yaml:10:7 error peer-ipblock-with-selectors spec.ingress[0].from[0].ipBlock",
  ],
  [
    "an empty peer",
    policy("  ingress:", "  - from:", "    - {}"),
    "a.yaml:10:7 error peer-empty spec.ingress[0].from[0]",
  ],
  [
    "an unknown operator",
    policy("").replace("{}", "{matchExpressions: [{key: a, operator: in, values: [b]}]}"),
    "a.yaml:7:45 error unknown-operator spec.podSelector.matchExpressions[0].operator",
  ],
  [
    "In without values",
    policy("").replace("{}", "{matchExpressions: [{key: a, operator: In}]}"),
    "a.yaml:7:36 error selector-values-missing spec.podSelector.matchExpressions[0].values",
  ],
  [
    "Exists with values",
    policy("").replace("{}", "{matchExpressions: [{key: a, operator: Exists, values: [b]}]}"),
    "a.yaml:7:63 error selector-values-forbidden spec.podSelector.matchExpressions[0].values",
  ],
  [
    "an expression without key",
    policy("").replace("{}", "{matchExpressions: [{operator: Exists}]}"),
    "a.yaml:7:36 error missing-field spec.podSelector.matchExpressions[0].key",
  ],
  [
    "a bad label key",
    policy("").replace("{}", '{matchLabels: {"-a": b}}'),
    'a.yaml:7:31 error invalid-label-key spec.podSelector.matchLabels["-a"]',
  ],
  [
    "a bad label value",
    policy("").replace("{}", "{matchLabels: {a: -b}}"),
    "a.yaml:7:31 error invalid-label-value spec.podSelector.matchLabels.a",
  ],
  [
    "an unknown policy type",
    policy("  policyTypes: [ingress]"),
    "a.yaml:8:17 error unknown-policy-type spec.policyTypes[0]",
  ],
  [
    "three policy types",
    policy("  policyTypes: [Ingress, Egress, Ingress]"),
    "a.yaml:8:3 error too-many-policy-types spec.policyTypes",
  ],
  [
    "rules of a direction that is not declared",
    policy("  policyTypes: [Egress]", "  ingress:", "  - {}"),
    "a.yaml:9:3 warning rules-without-effect spec.ingress",
  ],
  [
    "a policy without spec",
    "apiVersion: networking.k8s.io/v1\nkind: NetworkPolicy\nmetadata: {name: a}\n",
    "a.yaml:1:1 warning missing-spec spec",
  ],
  [
    "a running pod without address",
    `${pod}spec: {nodeName: node1}\nstatus: {phase: Pending}\n`,
    "a.yaml:7:1 warning pod-without-address status",
  ],
  ["a pod with a bad address", `${pod}status: {podIP: 10.0.0}\n`, "a.yaml:6:10 error invalid-address status.podIP"],
  [
    "a container port out of range",
    `${pod}spec: {containers: [{ports: [{containerPort: 0}]}]}\nstatus: {podIP: 10.0.0.1}\n`,
    "a.yaml:6:31 error port-out-of-range spec.containers[0].ports[0].containerPort",
  ],
  ["an empty file", "", "a.yaml warning empty-file"],
  ["a file of comments", "# nothing\n---\n# here\n", "a.yaml warning empty-file"],
  ["a binary file", new Uint8Array([1, 0, 2]), "a.yaml error binary-file"],
  ["text that is not UTF-8", new Uint8Array([0x61, 0xff, 0x62]), "a.yaml:1:1 error not-utf8"],
  [
    "a bad second document does not hide the third",
    `${pod}status: {podIP: 10.0.0.1}\n---\na: [\n---\nkind: Pod\n`,
    "a.yaml:9:1 error syntax-error",
    "a.yaml:10:1 error missing-api-version apiVersion",
  ],
  [
    "a template",
    "kind: Pod\n{{- if .Values.x }}\nmetadata:\n  name: {{ .Values.name }}\n{{- end }}\n",
    "a.yaml:2:1 error syntax-error",
  ],
  ["aliases that multiply", aliasBomb(), "a.yaml:1:1 error syntax-error"],
  [
    "the items of a list are located",
    `apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Pod\n  metadata:\n    name: 5\n`,
    "a.yaml:7:5 error wrong-type metadata.name",
  ],
];

function aliasBomb(): string {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 12; i++) lines.push(`a${i}: &a${i} [${new Array(10).fill(`*a${i - 1}`).join(", ")}]`);
  return `${lines.join("\n")}\n`;
}

describe("bad input is reported with its place", () => {
  it.each(cases)("%s", async (_, text, ...findings) => {
    const { diagnostics } = await loadTexts({ "a.yaml": text });
    expect(diagnostics.map(findingLine)).toEqual(findings);
  });

  it("names both places of an object that is defined twice", async () => {
    const { diagnostics, policies } = await loadTexts({ "a.yaml": policy(), "b.yaml": `---\n${policy()}` });
    expect(diagnostics.map(findingLine)).toEqual(["b.yaml:2:1 error duplicate-object"]);
    expect(diagnostics[0]?.message).toContain("a.yaml:1");
    expect(policies).toHaveLength(1);
  });

  it("suggests the field that was probably meant", async () => {
    const { diagnostics } = await loadTexts({ "a.yaml": policy("  ingres: []", "  ingress:", "  - form: []") });
    expect(diagnostics.map(({ hint }) => hint)).toEqual(["did you mean ingress?", "did you mean from?"]);
    expect(diagnostics[0]?.object).toBe("NetworkPolicy shop/web");
  });

  it("names the line of the first of two equal keys", async () => {
    const { diagnostics } = await loadTexts({ "a.yaml": `${pod}kind: Pod\n` });
    expect(diagnostics[0]?.message).toContain("line 2");
  });

  it("tells about tabs in words for people", async () => {
    const { diagnostics } = await loadTexts({ "a.yaml": "a:\n\tb: 1\n" });
    expect(diagnostics[0]?.message).toBe("a tab is used for indentation");
  });

  it("reports repeated keys of JSON", async () => {
    const { diagnostics } = await loadTexts({ "a.json": '{"apiVersion": "v1",\n "kind": "Pod", "kind": "Service"}' });
    expect(diagnostics.map(findingLine)).toEqual(["a.json:2:17 error duplicate-key"]);
  });

  it("reports where JSON breaks", async () => {
    const { diagnostics } = await loadTexts({ "a.json": '{"apiVersion": "v1",\n "kind" "Pod"}' });
    expect(diagnostics.map(findingLine)).toEqual(["a.json:2:9 error syntax-error"]);
  });
});
