import { expect, it } from "vitest";
import type { Address } from "../net/address.ts";
import type { TrackedConnection } from "../netlink/connection-tracker.ts";
import { ANSWERS_MS, SeveredFlows } from "./severed-flows.ts";

const CLIENT = "10.0.0.1" as Address;
const SERVER = "10.0.0.2" as Address;
const SERVICE = "10.96.0.1" as Address;

function connection(protocol: number, source: Address, sourcePort: number, destination: Address, port: number) {
  const server = destination === SERVICE ? SERVER : destination;
  const made: TrackedConnection = {
    family: 4,
    protocol,
    original: { source, destination, sourcePort, destinationPort: port },
    reply: { source: server, destination: source, sourcePort: port, destinationPort: sourcePort },
    icmpType: undefined,
    handle: undefined,
  };
  return made;
}

const UDP = 17;
const question = connection(UDP, CLIENT, 5353, SERVER, 53);
const answer = connection(UDP, SERVER, 53, CLIENT, 5353);

it.each<[string, TrackedConnection, TrackedConnection, boolean]>([
  ["the answer to a flow that was cut", question, answer, true],
  ["the answer behind a service's address", connection(UDP, CLIENT, 5353, SERVICE, 53), answer, true],
  ["an answer to another port", question, connection(UDP, SERVER, 53, CLIENT, 5354), false],
  ["the flow itself", question, question, false],
  ["an answer of another protocol", question, connection(136, SERVER, 53, CLIENT, 5353), false],
  [
    "TCP, which begins with a handshake",
    connection(6, CLIENT, 1, SERVER, 2),
    connection(6, SERVER, 2, CLIENT, 1),
    false,
  ],
])("%s: is it taken for an answer?", (_, cut, later, expected) => {
  const flows = new SeveredFlows();
  flows.add([cut], 0);
  expect(flows.isAnswer(later, 10)).toBe(expected);
});

it("who may answer is looked at again, also after an answer was cut", () => {
  const flows = new SeveredFlows();
  expect([...flows.add([question, connection(6, CLIENT, 1, SERVER, 2)], 0)]).toEqual([SERVER]);
  expect([...flows.add([answer], 100)]).toEqual([SERVER]);
  expect([...flows.add([connection(6, CLIENT, 1, SERVER, 2)], 100)]).toEqual([]);
});

it("an answer that comes again and again is a conversation of its own in the end", () => {
  const flows = new SeveredFlows();
  flows.add([question], 0);
  flows.add([answer], ANSWERS_MS - 1);
  expect(flows.isAnswer(answer, ANSWERS_MS - 1)).toBe(true);
  expect(flows.isAnswer(answer, ANSWERS_MS)).toBe(false);
});
