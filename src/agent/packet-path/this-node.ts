// Makes the packet path's watch of the node that this process runs on. Owns which real parts it is made of.

import { networkInterfaces } from "node:os";
import type { ConnectionTracker } from "../../netlink/connection-tracker.ts";
import { openConnectionTracker } from "../../netlink/open-connection-tracker.ts";
import type { Clock } from "../clock.ts";
import type { Log } from "../log.ts";
import { PathMeasurement } from "./measurement.ts";
import { NftCrossingMeter } from "./meter.ts";
import { NodePathReader } from "./reader.ts";
import { Sysctls } from "./sysctls.ts";
import { PacketPathWatch } from "./watch.ts";

export interface PacketPathSettings {
  /** Addresses of the pods of this node that policies can select. */
  readonly localPodAddresses: () => readonly string[];
  /** `--manage-sysctls`; what that sets is said in PacketPathParts. */
  readonly manageSysctls: boolean;
  /** `/proc/sys`, or where the node's is mounted. */
  readonly sysctlRoot: string;
  /** `--service-proxy=ipvs`. */
  readonly judgesIpvs: boolean;
  /** Only reads: sets no switch, and measures nothing, since that takes rules. */
  readonly dryRun: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly times?: Partial<MeasurementTimes>;
}

export interface MeasurementTimes {
  /** How long is counted. */
  readonly windowMs: number;
  /** Between two measurements while all is well. */
  readonly everyMs: number;
}

const MEASUREMENT_TIMES: MeasurementTimes = { windowMs: 10_000, everyMs: 600_000 };

/** Nothing is asked of the kernel before `run`. */
export function watchThisNode(settings: PacketPathSettings): PacketPathWatch {
  const { localPodAddresses, manageSysctls, sysctlRoot, judgesIpvs, dryRun, clock, log, times } = settings;
  const sysctls = new Sysctls(sysctlRoot);
  const measurement = new PathMeasurement({
    meter: new NftCrossingMeter(clock),
    tracker: trackerOnDemand,
    nodeAddresses: addressesOfThisHost,
    clock,
    ...MEASUREMENT_TIMES,
    ...times,
  });
  return new PacketPathWatch({
    localPodAddresses,
    reader: new NodePathReader({ sysctls }),
    managedSysctls: manageSysctls && !dryRun ? sysctls : undefined,
    judgesIpvs,
    measurement: dryRun ? undefined : measurement,
    clock,
    log,
  });
}

/** Asked only on a suspicion, and whether or not the agent rechecks connections. */
const trackerOnDemand: Pick<ConnectionTracker, "list"> = {
  async list(family, addresses) {
    const tracker = await openConnectionTracker();
    try {
      return await tracker.list(family, addresses);
    } finally {
      tracker.close();
    }
  },
};

/** Link-local ones come with their interface's name. */
function addressesOfThisHost(): ReadonlySet<string> {
  const addresses = Object.values(networkInterfaces()).flatMap((each) => each ?? []);
  return new Set(addresses.map(({ address }) => address.replace(/%.*$/, "")));
}
