// What the API server's refusals mean for the user: Status objects and HTTP codes as ApiError with a sentence and a way out.

import { isMapping } from "../dialects/field-reader.ts";
import { ApiError } from "./api-error.ts";
import type { Resource } from "./resources.ts";
import { redact } from "./secrets.ts";
import type { Answer } from "./transport.ts";

/** A Status object is a few hundred bytes; other programs' error pages are not worth more. */
const LONGEST_STATUS_BYTES = 65_536;

interface Status {
  readonly reason: string | undefined;
  readonly message: string | undefined;
}

/** The failure that an answer other than 200 stands for. Reads the answer's body. */
export async function statusFailure(answer: Answer, resource: Resource): Promise<ApiError> {
  const status = await readStatus(answer);
  const reason = status.reason ?? `HTTP ${answer.status}`;
  const { message, hint } = wording(answer, status, resource);
  return new ApiError({
    kind: "status",
    message,
    hint,
    status: answer.status,
    reason,
    statusMessage: status.message,
    path: answer.place.path,
    retryAfterMs: retryAfterMs(answer.headers["retry-after"]),
  });
}

/** An answer that no API server gives. */
export function answerFailure(answer: Answer, what: string): ApiError {
  const { origin, path, contextName } = answer.place;
  return new ApiError({
    kind: "protocol",
    message: `the answer of ${origin} (context ${contextName}) to ${path} cannot be used: ${what}`,
    hint: "is the server in the kubeconfig a Kubernetes API server, or a login page or proxy before one?",
    status: answer.status,
    path,
  });
}

function wording(answer: Answer, status: Status, resource: Resource): { message: string; hint: string } {
  const { origin, contextName } = answer.place;
  const said = status.message === undefined ? "" : `: ${status.message}`;
  const server = `the API server ${origin} (context ${contextName})`;
  switch (answer.status) {
    case 401:
      return {
        message: `${server} does not accept the credentials (401${said})`,
        hint: "log in again, or renew the token or certificate of the user in the kubeconfig",
      };
    case 403:
      return {
        message: `not allowed to list ${resource.name} in all namespaces (403${said})`,
        hint: `needed: list on pods, namespaces, networkpolicies and, if possible, nodes, for the whole cluster; kubectl auth can-i list ${resource.name} --all-namespaces`,
      };
    case 404:
      return {
        message: `${server} does not serve ${resource.name} (404${said})`,
        hint: "check that the server in the kubeconfig, with its path, is a Kubernetes API server",
      };
    case 429:
      return { message: `${server} has too many requests now (429${said})`, hint: "try again in a minute" };
    default:
      return answer.status >= 300 && answer.status < 400
        ? {
            message: `${server} sends us elsewhere (${answer.status}) instead of answering`,
            hint: "redirects are not followed: put the API server's own address into the kubeconfig",
          }
        : {
            message: `${server} failed to list ${resource.name} (${answer.status}${said})`,
            hint: "try again; kubectl get --raw /readyz shows the server's health",
          };
  }
}

async function readStatus(answer: Answer): Promise<Status> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  for await (const chunk of answer.body) {
    chunks.push(chunk);
    sizeBytes += chunk.length;
    if (sizeBytes > LONGEST_STATUS_BYTES) break;
  }
  return parseStatus(Buffer.concat(chunks).toString("utf8"), answer.place.secrets);
}

function parseStatus(text: string, secrets: readonly string[]): Status {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // Load balancers and proxies answer in plain text or HTML.
    const plain = text.trimStart().startsWith("<") ? "" : redact(text.slice(0, 300), secrets);
    return { reason: undefined, message: plain === "" ? undefined : plain };
  }
  const { reason, message } = isMapping(value) ? value : {};
  return {
    reason: typeof reason === "string" && reason !== "" ? reason : undefined,
    message: typeof message === "string" && message !== "" ? redact(message, secrets) : undefined,
  };
}

/** Seconds or an HTTP date. */
function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
