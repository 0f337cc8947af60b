// HTTPS_PROXY, HTTP_PROXY and NO_PROXY, as kubectl (Go's ProxyFromEnvironment) reads them: never for this machine itself.

import { isIPv4 } from "node:net";

export interface ProxyAgentOptions {
  readonly proxyEnv?: Readonly<Record<string, string | undefined>>;
}

/** Options for Node's own agents; nothing where no proxy is to be asked. */
export function proxyEnvironment(url: URL, environment: NodeJS.ProcessEnv = process.env): ProxyAgentOptions {
  return isLoopback(url.hostname) ? {} : { proxyEnv: environment };
}

function isLoopback(hostname: string): boolean {
  if (hostname === "localhost" || hostname === "[::1]") return true;
  return isIPv4(hostname) && hostname.startsWith("127.");
}
