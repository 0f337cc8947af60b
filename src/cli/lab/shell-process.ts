// The shell of `lab shell`: a process in a pod's network namespace, with names of its own where the system lets it have them.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { constants } from "node:os";
import { LabError } from "../../lab/lab-error.ts";
import type { LabFolder } from "../../lab/lab-folder.ts";
import type { LabNetwork } from "../../lab/lab-network.ts";
import { programEnvironment } from "../../lab/program-environment.ts";
import type { Pod } from "../../model/cluster.ts";
import { hostName, hostsText, RESOLV_CONF_TEXT } from "./shell-names.ts";

/**
 * Words that start a command where /etc/hosts and the host's name are others; `slave`: what others unmount meanwhile is unmounted there,
 * too. The host's own files are not written to.
 */
const NAMED = ["unshare", "--mount", "--uts", "--propagation", "slave", "sh", "-c"] as const;
const PREPARE = `mount --bind "$1" /etc/hosts || exit 1
[ ! -e /etc/resolv.conf ] || mount --bind "$2" /etc/resolv.conf || exit 1
{ printf %s "$3" > /proc/sys/kernel/hostname; } 2>/dev/null
shift 3
exec "$@"`;

/** Words to put before a command so that it knows the pods' names; none where the system has not what it takes (unshare, mount). */
export function prepareNames(folder: LabFolder, pods: readonly Pod[], own: Pod): readonly string[] {
  const hosts = folder.writeText("hosts", hostsText(pods, own));
  const resolver = folder.writeText("resolv.conf", RESOLV_CONF_TEXT);
  const words = [...NAMED, PREPARE, "sh", hosts, resolver, hostName(own)];
  const [program = "", ...args] = [...words, "true"];
  const { status } = spawnSync(program, args, { env: programEnvironment(), stdio: "ignore" });
  return status === 0 ? words : [];
}

/** A shell that does not end when it is told to is ended with the lab. */
const HANG_UP_PATIENCE_MS = 1_000;

export class ShellProcess {
  /** Its exit code; 128 and the signal's number when a signal ended it. Throws LabError when it could not be started. */
  readonly ended: Promise<number>;
  readonly #child: ChildProcess;

  /** Starts it, with this process's terminal or pipes. */
  constructor({ inside, leash, pod }: LabNetwork, own: Pod, command: readonly string[]) {
    const [program = "", ...args] = [...leash("HUP"), ...command];
    this.#child = inside(pod(own.key), () => spawn(program, args, { env: programEnvironment(), stdio: "inherit" }));
    this.ended = new Promise((resolve, reject) => {
      this.#child
        .once("exit", (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])))
        .once("error", (cause) =>
          reject(new LabError(`the shell could not be started: ${cause.message}`, undefined, cause)),
        );
    });
  }

  /** As when its terminal goes away: it may put that in order first. */
  async hangUp(): Promise<void> {
    this.#child.kill("SIGHUP");
    const { promise: patience, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, HANG_UP_PATIENCE_MS);
    await Promise.race([this.ended.catch(() => {}), patience]);
    clearTimeout(timer);
  }
}
