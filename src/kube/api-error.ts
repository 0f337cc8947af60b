// Everything that can go wrong between this program and the API server, as one error type with classifiers.
// Owns the shape only: texts are made where the failure is met (connection-failures, api-client, kubeconfig).

export type ApiErrorKind =
  /** No kubeconfig, an unreadable one, or a context that it does not have. Nothing was sent. */
  | "kubeconfig"
  /** The credentials could not be obtained or read (exec plugin, key files). Nothing was sent. */
  | "credentials"
  /** TLS: one side does not accept the other's certificate. */
  | "certificate"
  /** No connection, or it broke. */
  | "unreachable"
  /** Connected, perhaps, but nothing came in time. */
  | "timeout"
  /** The server answered with a failure: `status` is set. */
  | "status"
  /** The server answered something that the Kubernetes API does not answer. */
  | "protocol";

export interface ApiErrorDetails {
  readonly kind: ApiErrorKind;
  /** One sentence, one line. Never contains credentials. */
  readonly message: string;
  /** What the user can do. */
  readonly hint?: string | undefined;
  /** HTTP status code. */
  readonly status?: number | undefined;
  /** `reason` of the Status object (`Forbidden`, `Expired`) or of its decisive cause, or the code of the socket or TLS error (`ECONNREFUSED`). */
  readonly reason?: string | undefined;
  /** `message` of the Status object. */
  readonly statusMessage?: string | undefined;
  /** Of the URL, without query. */
  readonly path?: string | undefined;
  /** What the server asked for with Retry-After. */
  readonly retryAfterMs?: number | undefined;
  /** Left out where it might hold credentials. */
  readonly cause?: unknown;
}

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly kind: ApiErrorKind;
  readonly hint: string | undefined;
  readonly status: number | undefined;
  readonly reason: string | undefined;
  readonly statusMessage: string | undefined;
  readonly path: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(details: ApiErrorDetails) {
    super(details.message, details.cause === undefined ? undefined : { cause: details.cause });
    this.kind = details.kind;
    this.hint = details.hint;
    this.status = details.status;
    this.reason = details.reason;
    this.statusMessage = details.statusMessage;
    this.path = details.path;
    this.retryAfterMs = details.retryAfterMs;
  }
}

/** What to do: the error's own hint, and where no cluster was named what could be read instead (`read manifests with -f`). */
export function hintFor({ kind, hint }: ApiError, otherwise: string): string {
  if (hint === undefined) return `or ${otherwise}`;
  return kind === "kubeconfig" ? `${hint}, or ${otherwise}` : hint;
}

/** 401: the server does not know who asks. */
export function isUnauthorized(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 401;
}

/** 403: the server knows who asks and refuses. */
export function isForbidden(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 403;
}

/** 404: nothing is served at this path. */
export function isNotFound(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 404;
}

/** 410: the resourceVersion or continue token is too old; list again. */
export function isGone(error: unknown): error is ApiError {
  return error instanceof ApiError && error.status === 410;
}

export const VERSION_TOO_LARGE = "ResourceVersionTooLarge";

/** The server has not reached the resourceVersion that was asked for, or never will (a restored etcd). */
export function isVersionTooLarge(error: unknown): error is ApiError {
  return error instanceof ApiError && error.reason === VERSION_TOO_LARGE;
}

export const IDLE = "IdleTimeout";

/** An answer began, and then nothing more of it came for too long. */
export function isIdle(error: unknown): error is ApiError {
  return error instanceof ApiError && error.reason === IDLE;
}

/** Not even a connection: the server is down, or no way leads to it. */
export function isWithoutConnection(error: unknown): error is ApiError {
  return error instanceof ApiError && NO_CONNECTION.has(error.reason ?? "");
}

const NO_CONNECTION: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
]);

/** No answer: no connection, a broken one, or none in time. Another attempt may succeed. */
export function isUnreachable(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.kind === "unreachable" || error.kind === "timeout");
}

/** The connection was there and broke before the answer was complete. */
export function isConnectionBroken(error: unknown): error is ApiError {
  return error instanceof ApiError && (error.reason === "ECONNRESET" || error.reason === "EPIPE");
}
