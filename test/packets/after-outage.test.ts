// Policies and labels that change while the API server is away: in no state of the server is the stranger allowed, but new
// policies with old pods, or the reverse, would let it in.

import { expect, it } from "vitest";
import { describeKernel } from "../support/kernel.ts";
import { withAgent } from "../support/packet-agent.ts";
import { withApiServer } from "../support/packet-api-server.ts";
import { withPacketNetwork } from "../support/packet-network.ts";
import { withTraffic } from "../support/packet-traffic.ts";
import { labelSelector, onlyWith, putHost, putNamespace, putNodes, putPolicy } from "./cluster.ts";

const HOSTS = { desk: "bridged", friend: "routed", stranger: "routed" } as const;
const RESOURCES = 4;
/** Long enough that the pauses of the reflectors are seconds, and differ. */
const OUTAGE_MS = 8_000;

describeKernel("after an outage", () => {
  it("all that changed comes into force at once: nothing passes, and nothing is lost, between old and new", () =>
    withPacketNetwork(HOSTS, (network) =>
      withApiServer(network.node, async (api) => {
        const pod = (name: keyof typeof HOSTS, role: string) =>
          putHost(api.store, network.host(name), { app: name, role });
        const allow = (role: string) =>
          putPolicy(api.store, "desk", onlyWith("desk", [{ podSelector: labelSelector({ role }) }]));
        putNodes(api.store);
        putNamespace(api.store, "shop");
        pod("desk", "desk");
        pod("friend", "a");
        pod("stranger", "b");
        allow("a");
        await withAgent(network.node, ["--kubeconfig", api.kubeconfig], (agent) =>
          withTraffic(async (traffic) => {
            const start = (who: "friend" | "stranger", port: number) => {
              const [from, to] = [network.host(who), network.host("desk")];
              return traffic.start({
                name: who,
                kind: "fresh-udp",
                perSecond: 200,
                from: { ns: from.ns, address: from.addresses[4] },
                to: { ns: to.ns, address: to.addresses[4], port },
              });
            };
            const [friend, stranger] = [start("friend", 7000), start("stranger", 7001)];
            await traffic.flowing(5, [friend]);
            api.gone(true);
            const endsAt = performance.now() + OUTAGE_MS;
            await traffic.until("the end of the outage", () => performance.now() > endsAt);
            // The stranger is denied in each of these states.
            allow("nobody");
            pod("friend", "b");
            pod("stranger", "a");
            allow("b");
            const from = agent.log.length;
            api.gone(false);
            await traffic.until(
              "all is watched",
              () => agent.lines("watching again", from).length >= RESOURCES,
              40_000,
            );
            await agent.logged("rules changed", from);
            await traffic.more(100);
            expect(stranger.arrived.count).toBe(0);
            await traffic.finish([friend]);
            expect(friend.arrived.missing(0, friend.sent)).toEqual([]);
          }),
        );
      }),
    ));
});
