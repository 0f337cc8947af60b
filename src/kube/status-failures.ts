// What the API server's refusals mean for the user: Status objects and HTTP codes as ApiError with a sentence and a way out.

import { isMapping } from "../dialects/field-reader.ts";
import { ApiError, VERSION_TOO_LARGE } from "./api-error.ts";
import type { RequestPlace } from "./connection-failures.ts";
import type { Resource } from "./resources.ts";
import { redact } from "./secrets.ts";
import type { Answer } from "./transport.ts";

/** A Status object is a few hundred bytes; other programs' error pages are not worth more. */
const LONGEST_STATUS_BYTES = 65_536;

/** What was asked for, in RBAC's words. */
export type Verb = "list" | "watch" | "create";

interface Status {
  readonly code: number | undefined;
  readonly reason: string | undefined;
  readonly message: string | undefined;
  readonly retryAfterMs: number | undefined;
}

/** The failure that an answer other than 200 stands for. Reads the answer's body. */
export async function statusFailure(answer: Answer, resource: Resource, verb: Verb = "list"): Promise<ApiError> {
  const status = await readStatus(answer);
  const askedForMs = retryAfterMs(answer.headers["retry-after"]);
  return failureOf(answer.status, status, { ...answer, resource, verb }, askedForMs);
}

/** The failure that the Status object of a watch's ERROR event stands for. */
export function errorEventFailure(status: unknown, answer: Answer, resource: Resource): ApiError {
  const read = readStatusObject(status, answer.place.secrets);
  return failureOf(read.code ?? 500, read, { ...answer, resource, verb: "watch" }, undefined);
}

interface Asked {
  readonly place: RequestPlace;
  readonly resource: Resource;
  readonly verb: Verb;
}

function failureOf(code: number, status: Status, asked: Asked, headerMs: number | undefined): ApiError {
  const { message, hint } = wording(code, status, asked);
  return new ApiError({
    kind: "status",
    message,
    hint,
    status: code,
    reason: status.reason ?? `HTTP ${code}`,
    statusMessage: status.message,
    path: asked.place.path,
    retryAfterMs: headerMs ?? status.retryAfterMs,
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

/** A page whose token asks for the same page again: going on would never end. */
export function samePageFailure(contextName: string, { name, path }: Resource): ApiError {
  return new ApiError({
    kind: "protocol",
    message: `the API server (context ${contextName}) answers the same page of ${name} again and again`,
    hint: "is there a caching proxy before the API server?",
    path,
  });
}

function wording(code: number, status: Status, asked: Asked): { message: string; hint: string } {
  const { place, resource, verb } = asked;
  const { origin, contextName } = place;
  const said = status.message === undefined ? "" : `: ${status.message}`;
  const server = `the API server ${origin} (context ${contextName})`;
  switch (code) {
    case 401:
      return {
        message: `${server} does not accept the credentials (401${said})`,
        hint: "log in again, or renew the token or certificate of the user in the kubeconfig",
      };
    case 403:
      return {
        message: `not allowed to ${verb} ${resource.name}${verb === "create" ? "" : " in all namespaces"} (403${said})`,
        hint: neededRights(resource, verb),
      };
    case 404:
      return {
        message: `${server} does not serve ${resource.name} (404${said})`,
        hint: "check that the server in the kubeconfig, with its path, is a Kubernetes API server",
      };
    case 429:
      return { message: `${server} has too many requests now (429${said})`, hint: "try again in a minute" };
    default:
      return code >= 300 && code < 400
        ? {
            message: `${server} sends us elsewhere (${code}) instead of answering`,
            hint: "redirects are not followed: put the API server's own address into the kubeconfig",
          }
        : {
            message: `${server} failed to ${verb} ${resource.name} (${code}${said})`,
            hint: "try again; kubectl get --raw /readyz shows the server's health",
          };
  }
}

function neededRights({ name }: Resource, verb: Verb): string {
  const check = `kubectl auth can-i ${verb} ${name} --all-namespaces`;
  if (verb === "create") return `needed: create on ${name} for the whole cluster; ${check}`;
  const resources =
    "pods, namespaces, networkpolicies, the cluster-wide policies that are installed and, if possible, nodes";
  return `needed: ${verb} on ${resources}, for the whole cluster; ${check}`;
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
  try {
    return readStatusObject(JSON.parse(text), secrets);
  } catch {
    // Load balancers and proxies answer in plain text or HTML.
    const plain = text.trimStart().startsWith("<") ? "" : redact(text.slice(0, 300), secrets);
    return { code: undefined, reason: undefined, message: plain === "" ? undefined : plain, retryAfterMs: undefined };
  }
}

function readStatusObject(value: unknown, secrets: readonly string[]): Status {
  const { code, reason, message, details } = isMapping(value) ? value : {};
  const { retryAfterSeconds, causes } = isMapping(details) ? details : {};
  const text = typeof message === "string" && message !== "" ? redact(message, secrets) : undefined;
  const said = typeof reason === "string" && reason !== "" ? reason : undefined;
  return {
    code: typeof code === "number" && code >= 400 && code < 600 ? code : undefined,
    reason: isVersionTooLarge(causes, text) ? VERSION_TOO_LARGE : said,
    message: text,
    retryAfterMs: typeof retryAfterSeconds === "number" && retryAfterSeconds > 0 ? retryAfterSeconds * 1000 : undefined,
  };
}

/** As client-go: a cause since Kubernetes 1.18, before that only the words. */
function isVersionTooLarge(causes: unknown, message: string | undefined): boolean {
  if (message?.startsWith("Too large resource version")) return true;
  return Array.isArray(causes) && causes.some((cause) => isMapping(cause) && cause.reason === VERSION_TOO_LARGE);
}

/** The header Retry-After: seconds or an HTTP date. */
export function retryAfterMs(header: string | undefined): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
