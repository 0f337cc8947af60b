import { describe, expect, it } from "vitest";
import { parseExpectationLine, readExpectations } from "./expectations.ts";
import { readExpectedRows } from "./expected-rows.ts";

describe("a line of allow or deny", () => {
  it.each([
    ["a/b -> c/d : 80/TCP", ["a/b"], ["c/d"], ["80/TCP"]],
    ["a/b, c/* -> *, 10.0.0.1 : 80/TCP, ICMP", ["a/b", "c/*"], ["*", "10.0.0.1"], ["80/TCP", "ICMP"]],
    ["2001:db8::1 -> fd00::2 : 53/UDP", ["2001:db8::1"], ["fd00::2"], ["53/UDP"]],
    ["a/b->c/d : 80", ["a/b"], ["c/d"], ["80"]],
  ])("%s", (line, from, to, ports) => {
    expect(parseExpectationLine(line)).toEqual({ from, to, ports });
  });

  it.each([
    "a/b -> c/d",
    "a/b -> c/d: 80",
    "a/b c/d : 80",
    "a/b -> c/d -> e/f : 80",
    "a/b, -> c/d : 80",
    "-> c/d : 80",
    "",
  ])("%j is none", (line) => {
    expect(parseExpectationLine(line)).toBeUndefined();
  });
});

describe("*.expect.yaml", () => {
  it("keeps what was written, with its line", () => {
    const text = `description: some
allow:
  - a/b -> c/d : 80/TCP   # without quotes YAML reads a mapping
deny:
  - "* -> c/d : 1/UDP, ICMP"
checks:
  - { from: a/b, to: [c/d, e/f], ports: [80], egress: deny, family: IPv6, why: "5: 6" }
`;
    const { description, expectations, diagnostics } = readExpectations("x.expect.yaml", text);
    expect({ description, diagnostics }).toEqual({ description: "some", diagnostics: [] });
    const open = { verdict: undefined, ingress: undefined, egress: undefined, family: undefined, why: undefined };
    const at = (line: number) => ({ file: "x.expect.yaml", line, column: 5 });
    expect(expectations).toEqual([
      { ...open, from: ["a/b"], to: ["c/d"], ports: ["80/TCP"], verdict: "allow", position: at(3) },
      { ...open, from: ["*"], to: ["c/d"], ports: ["1/UDP", "ICMP"], verdict: "deny", position: at(5) },
      {
        ...open,
        from: ["a/b"],
        to: ["c/d", "e/f"],
        ports: ["80"],
        egress: "deny",
        family: 6,
        why: "5: 6",
        position: at(7),
      },
    ]);
  });

  it.each([
    ["", 1, "an expectation file is a mapping"],
    ["description: x\n", 1, "the file expects nothing"],
    ["allow: a/b -> c/d\n", 1, "must be a list of lines"],
    ["allow:\n  - a/b to c/d\n", 2, "not of the form"],
    ["allow:\n  - [a/b]\n", 2, "not of the form"],
    ["allow:\n  - a -> b : 80/TCP\n\tdeny: []\n", 3, "tab"],
    ["alow: []\n", 1, 'unknown key "alow"'],
    ["checks:\n  - { from: a/b, to: c/d, verdict: allow }\n", 2, "is missing"],
    ["checks:\n  - { from: a/b, to: c/d, ports: [80] }\n", 2, "asks nothing"],
    ["checks:\n  - { from: a/b, to: c/d, ports: [80], verdict: maybe }\n", 2, "must be allow or deny"],
    ["checks:\n  - { from: a/b, to: c/d, ports: [], verdict: allow }\n", 2, "must not be empty"],
    ["checks:\n  - { from: a/b, to: c/d, ports: [80], verdict: allow, family: 4 }\n", 2, "must be IPv4 or IPv6"],
    ["allow: []\nallow: []\n", 2, "unique"],
  ])("%j: line %i, %s", (text, line, message) => {
    const [first] = readExpectations("x.expect.yaml", text).diagnostics;
    expect(first).toMatchObject({ severity: "error", position: { line } });
    expect(first?.message.toLowerCase()).toContain(message.toLowerCase());
  });
});

describe("expected.json", () => {
  it("has rows, with null for what is not asked, and the line of each", () => {
    const text = `[
{"from":"a/b","to":"10.0.0.1","protocol":"TCP","port":80,"ingress":null,"egress":"deny","combined":"deny"},
{"from":"a/b","to":"a/c","protocol":"ICMP","port":null,"ingress":"allow","egress":"allow","combined":"allow"}
]`;
    const { expectations, diagnostics } = readExpectedRows("expected.json", text);
    expect(diagnostics).toEqual([]);
    expect(expectations).toMatchObject([
      { ports: ["80/TCP"], ingress: undefined, egress: "deny", verdict: "deny", position: { line: 2, column: 1 } },
      { ports: ["ICMP"], ingress: "allow", position: { line: 3, column: 1 } },
    ]);
  });

  it.each([
    ["[", "not valid JSON"],
    ["{}", "must be a list of rows"],
    ["[1]", "row 1: must be an object"],
    ['[{"from":"a/b","to":"a/c","protocol":"TCP","port":"80"}]', "row 1: port must be a number or null"],
    ['[{"from":"a/b","to":"a/c","protocol":"TCP","port":80,"combined":"drop"}]', "must be allow, deny or null"],
  ])("%s: %s", (text, message) => {
    expect(readExpectedRows("expected.json", text).diagnostics[0]?.message).toContain(message);
  });
});
