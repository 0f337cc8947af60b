// A matrix asked with packets, in a lab without namespaces.

import { describe, expect, it } from "vitest";
import { CLUSTER, POLICIES } from "../../../test/cli/small-cluster.ts";
import { type FakeRunSettings, fakeRun } from "../../../test/support/fake-lab.ts";
import type { Address } from "../../net/address.ts";
import { formatQuestion, type TrafficQuestion } from "../traffic-text.ts";
import { flowCount, type MeasuredFlow, matrixAsMeasured } from "./measured-matrix.ts";

const SHOP = `${CLUSTER}---\n${POLICIES}`;

async function run(settings: FakeRunSettings = {}, yaml = SHOP) {
  const found = await fakeRun(yaml, { ports: ["9090/TCP"], ...settings });
  const { matrix } = found;
  const name = (index: number) => matrix.endpoints[index]?.name ?? "";
  const text = ({ from, to, port, family }: MeasuredFlow) =>
    `${name(from)} -> ${name(to)} : ${formatQuestion(matrix.ports[port] as TrafficQuestion)} IPv${family}`;
  return { ...found, text };
}

describe("measureMatrix", () => {
  it("asks about every flow of the matrix once, in its order, and finds it as it is meant", async () => {
    const { measured, matrix, text } = await run({ ports: ["22/TCP", "9090/TCP"] });
    expect(measured.differences).toEqual([]);
    expect(measured.flows).toHaveLength(flowCount(matrix));
    expect(measured.flows.slice(0, 4).map((flow) => `${text(flow)} ${flow.measured}`)).toEqual([
      "ops/tool -> shop/api : 22/TCP IPv4 false",
      "ops/tool -> shop/api : 9090/TCP IPv4 false",
      "ops/tool -> shop/web : 22/TCP IPv4 true",
      "ops/tool -> shop/web : 9090/TCP IPv4 true",
    ]);
  });

  it("sends a packet of the very flow, from where it comes to where it goes", async () => {
    const seen: string[] = [];
    await run({
      ports: ["9090/TCP", "ICMP", "proto/47"],
      kernel: () => (probe, attempt) => {
        const { from, to, protocol, port } = probe;
        if (attempt === 0) seen.push(`${from.ns} ${from.address} > ${to.ns} ${to.address} ${protocol} ${port}`);
        return true;
      },
    });
    expect(seen).toContain("pod shop/web 10.0.0.1 > pod shop/api 10.0.0.2 6 9090");
    expect(seen).toContain("pod shop/web 10.0.0.1 > pod shop/api 10.0.0.2 1 undefined");
    expect(seen).toContain("pod shop/web 10.0.0.1 > pod shop/api 10.0.0.2 47 undefined");
    expect(seen).toContain("outside 198.51.100.7 > pod shop/api 10.0.0.2 6 9090");
  });

  it("finds what is open and should be closed, and what is closed and should be open", async () => {
    const { measured, text } = await run({
      kernel: (faithful) => (probe, attempt) => {
        if (probe.from.address === "10.0.0.3" && probe.to.address === "10.0.0.2") return true;
        if (probe.from.address === "10.0.0.1" && probe.to.address === "10.0.0.2") return false;
        return faithful(probe, attempt);
      },
    });
    expect(measured.differences.map((flow) => `${text(flow)}: ${flow.meant}, ${flow.measured}`)).toEqual([
      "ops/tool -> shop/api : 9090/TCP IPv4: false, true",
      "shop/web -> shop/api : 9090/TCP IPv4: true, false",
    ]);
  });

  it("asks again with patience what should arrive and did not: loss is no difference", async () => {
    const { measured } = await run({
      kernel: (faithful) => (probe, attempt) => attempt >= 5 && faithful(probe, attempt),
    });
    expect(measured.differences).toEqual([]);
    const denied = measured.flows.filter(({ meant }) => !meant).length;
    expect(measured.packets).toBe(6 * (measured.flows.length - denied) + 3 * denied);
  });

  it("asks nothing again that is as it is meant: denied flows cost three packets", async () => {
    const { measured } = await run();
    const denied = measured.flows.filter(({ meant }) => !meant).length;
    expect(denied).toBeGreaterThan(0);
    expect(measured.packets).toBe(measured.flows.length - denied + 3 * denied);
  });

  it("counts a packet that should not have arrived at its first time", async () => {
    const { measured } = await run({ kernel: () => (_, attempt) => attempt === 0 });
    expect(measured.differences.every(({ measured: open }) => open)).toBe(true);
    expect(measured.differences).toHaveLength(measured.flows.filter(({ meant }) => !meant).length);
  });

  it("leaves out flows whose ends are not in the lab", async () => {
    const far = CLUSTER.replace("name: worker-1}\nstatus", "name: worker-9}\nstatus").replace(
      "192.168.0.1",
      "192.168.0.9",
    );
    const address = "192.168.0.9" as Address;
    const { measured, matrix } = await run({ addresses: [address] }, far);
    expect(matrix.endpoints.map(({ name }) => name)).toContain(address);
    expect(measured.flows.length).toBe(6);
    expect(flowCount(matrix)).toBeGreaterThan(6);
  });
});

describe("matrixAsMeasured", () => {
  it("has the packets' answers, in both halves", async () => {
    const { matrix, measured } = await run({
      kernel:
        () =>
        ({ from }) =>
          from.address === "10.0.0.3",
    });
    const asMeasured = matrixAsMeasured(matrix, measured);
    const index = (name: string) => matrix.endpoints.findIndex((each) => each.name === name);
    expect(asMeasured.cell(index("ops/tool"), index("shop/api"))).toEqual({
      kind: "judged",
      families: [{ family: 4, egress: [true], ingress: [true] }],
    });
    expect(asMeasured.cell(index("shop/web"), index("shop/api"))).toMatchObject({ families: [{ egress: [false] }] });
    expect(asMeasured.cell(index("shop/web"), index("shop/web"))).toEqual({ kind: "self" });
  });

  it("has equal cells as one object, by which groups are found", async () => {
    const { matrix, measured } = await run({ kernel: () => () => true });
    const asMeasured = matrixAsMeasured(matrix, measured);
    expect(asMeasured.cell(0, 1)).toBe(asMeasured.cell(1, 2));
  });

  it("does not show as closed what no packet was sent for", async () => {
    const { matrix, measured } = await run();
    const asMeasured = matrixAsMeasured(matrix, {
      ...measured,
      flows: measured.flows.filter(({ from }) => from !== 0),
    });
    expect(asMeasured.cell(0, 1)).toEqual({ kind: "unasked" });
    expect(asMeasured.cell(1, 0)).toMatchObject({ kind: "judged" });
  });
});
