import { describe, expect, it } from "vitest";
import { faultsOfText, readRunningObjects } from "./running-objects.ts";

const YAML = `apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: a
  namespace: x
spec:
  podSelector: {}
`;
const JSON_TEXT = JSON.stringify({
  apiVersion: "v1",
  kind: "List",
  items: [
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "NetworkPolicy",
      metadata: { name: "a", namespace: "x" },
      spec: { podSelector: {} },
    },
  ],
});

/** A letter less, twice, another, one more, in the other case, swapped with the next; a line less. */
function slips(text: string): string[] {
  const slips: string[] = [];
  for (let at = 0; at < text.length; at++) {
    const [before, letter, after] = [text.slice(0, at), text.charAt(at), text.slice(at + 1)];
    const other = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
    slips.push(before + after, before + letter + letter + after, before + other + after);
    for (const wrong of "q#:- \n\"'{[*&!") slips.push(before + wrong + after, before + wrong + letter + after);
    slips.push(before + after.charAt(0) + letter + after.slice(1));
  }
  const lines = text.split("\n");
  for (let line = 0; line < lines.length; line++) slips.push(lines.toSpliced(line, 1).join("\n"));
  return slips;
}

/** As far as it is written. */
function cuts(text: string): string[] {
  return Array.from(text, (_, length) => text.slice(0, length));
}

const PODS = `apiVersion: v1
kind: Pod
metadata: {name: p, namespace: x}
spec: {containers: []}
status: {podIP: 10.0.0.1}
---
apiVersion: v1
kind: Namespace
metadata:
  name: x
`;

const TIERS = `apiVersion: policy.networking.k8s.io/v1alpha2
kind: ClusterNetworkPolicy
metadata: {name: a}
spec: {tier: Admin, priority: 1, subject: {namespaces: {}}, egress: [{action: Deny, to: [{nodes: {}}]}]}
---
kind: AdminNetworkPolicy
apiVersion: policy.networking.k8s.io/v1alpha1
metadata: {name: a}
---
kind: BaselineAdminNetworkPolicy
apiVersion: policy.networking.k8s.io/v1alpha1
metadata: {name: default}
`;

const objectsOf = async (path: string, bytes: Uint8Array) => {
  const { policies, pods, namespaces } = await readRunningObjects(new Map([[path, bytes]]));
  return [...policies, ...pods, ...namespaces].length;
};

describe("one slip of the pen, or an end before the end,", () => {
  it.each([
    ["a.yaml", YAML, slips],
    ["a.json", JSON_TEXT, slips],
    ["two.yaml", PODS, slips],
    ["tiers.yaml", TIERS, slips],
    ["a.yaml", YAML, cuts],
    ["a.json", JSON_TEXT, cuts],
    ["tier.yaml", TIERS.slice(0, TIERS.indexOf("---")), cuts],
  ])(
    "leaves every object of %s an object, or makes the text one that is not trusted",
    async (path, text, spoil) => {
      const whole = await objectsOf(path, Buffer.from(text));
      const lost: string[] = [];
      for (const slip of spoil(text)) {
        const bytes = Buffer.from(slip);
        if ((await faultsOfText(path, bytes)).length > 0) continue;
        if ((await objectsOf(path, bytes)) < whole) lost.push(slip);
      }
      expect(lost).toEqual([]);
    },
    60_000,
  );
});
