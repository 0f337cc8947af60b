// What sockets, DNS and TLS report, in words for people: an ApiError that says what happened and what to do.

import { ApiError, type ApiErrorKind, IDLE } from "./api-error.ts";
import { redact } from "./secrets.ts";

/** What the failing request was about; `secrets` are kept out of the text. */
export interface RequestPlace {
  /** `https://host:port`. */
  readonly origin: string;
  readonly path: string;
  readonly contextName: string;
  readonly secrets: readonly string[];
}

interface Wording {
  readonly kind: ApiErrorKind;
  readonly message: string;
  readonly hint: string;
}

const CHECK_ADDRESS = "check that the cluster runs and that the server in the kubeconfig is right";
const CHECK_NETWORK = "check network, VPN and firewall between here and the cluster";
const CHECK_AUTHORITY =
  "check certificate-authority of the cluster in the kubeconfig; was the cluster made anew under the same address?";
const CHECK_CLIENT = "check client-certificate and client-key of the user in the kubeconfig; they may have expired";

const REFUSED: Wording = { kind: "unreachable", message: "connection refused", hint: CHECK_ADDRESS };
const BROKEN: Wording = {
  kind: "unreachable",
  message: "the connection broke before the answer was complete",
  hint: "try again; if it happens each time, a proxy or load balancer on the way cuts the connection",
};
const NO_ROUTE: Wording = { kind: "unreachable", message: "there is no route to it", hint: CHECK_NETWORK };
const UNTRUSTED: Wording = {
  kind: "certificate",
  message: "its certificate is not signed by an authority that the kubeconfig trusts",
  hint: CHECK_AUTHORITY,
};
const NOT_TLS: Wording = {
  kind: "certificate",
  message: "it does not speak TLS",
  hint: "does the server in the kubeconfig begin with https:// where http:// is meant, or is the port another program's?",
};
const BAD_CLIENT_MATERIAL: Wording = {
  kind: "certificate",
  message: "the client certificate or key cannot be read",
  hint: CHECK_CLIENT,
};

const BY_CODE: Readonly<Record<string, Wording>> = {
  ECONNREFUSED: REFUSED,
  ENOTFOUND: { kind: "unreachable", message: "its name is unknown", hint: CHECK_ADDRESS },
  EAI_AGAIN: { kind: "unreachable", message: "its name cannot be looked up now", hint: CHECK_NETWORK },
  EHOSTUNREACH: NO_ROUTE,
  ENETUNREACH: NO_ROUTE,
  EADDRNOTAVAIL: NO_ROUTE,
  ETIMEDOUT: { kind: "timeout", message: "it does not answer (connecting timed out)", hint: CHECK_NETWORK },
  ECONNRESET: BROKEN,
  EPIPE: BROKEN,
  ECONNABORTED: BROKEN,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_UNTRUSTED: UNTRUSTED,
  CERT_HAS_EXPIRED: {
    kind: "certificate",
    message: "its certificate has expired",
    hint: "renew the API server's certificates, or check this machine's clock",
  },
  CERT_NOT_YET_VALID: {
    kind: "certificate",
    message: "its certificate is not valid yet",
    hint: "check this machine's clock",
  },
  ERR_TLS_CERT_ALTNAME_INVALID: {
    kind: "certificate",
    message: "its certificate is for other names",
    hint: "use a server address that the certificate names, or set tls-server-name in the kubeconfig",
  },
  ERR_OSSL_X509_KEY_VALUES_MISMATCH: {
    kind: "certificate",
    message: "the client certificate and key do not belong together",
    hint: CHECK_CLIENT,
  },
};

/**
 * Any failure of a request before its answer was complete. An ApiError is returned as it is.
 * Read only the error's code and message: causes of TLS errors hold no credentials, and headers are in none.
 */
export function connectionFailure(error: unknown, place: RequestPlace): ApiError {
  if (error instanceof ApiError) return error;
  const code = errorCode(error);
  const wording =
    (code === undefined ? undefined : (BY_CODE[code] ?? byFamily(code, error))) ?? unknownFailure(error, place);
  const detail = code === "ERR_TLS_CERT_ALTNAME_INVALID" ? certificateNames(error) : "";
  return new ApiError({
    kind: wording.kind,
    message: `${server(place)}: ${wording.message}${detail}`,
    hint: wording.hint,
    reason: code,
    path: place.path,
    cause: error,
  });
}

export function headerTimeout(place: RequestPlace, timeoutMs: number): ApiError {
  return timeout(place, `it did not begin to answer within ${timeoutMs / 1000} s`, "ETIMEDOUT");
}

export function idleTimeout(place: RequestPlace, timeoutMs: number): ApiError {
  return timeout(place, `it stopped in the middle of its answer for ${timeoutMs / 1000} s`, IDLE);
}

function timeout(place: RequestPlace, what: string, reason: string): ApiError {
  const message = `${server(place)}: ${what}`;
  return new ApiError({ kind: "timeout", message, hint: CHECK_NETWORK, reason, path: place.path });
}

function server(place: RequestPlace): string {
  return `the API server ${place.origin} (context ${place.contextName}) cannot be used`;
}

function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  // Several addresses of one name were tried.
  const first = error instanceof AggregateError ? error.errors[0] : undefined;
  return first === undefined ? undefined : errorCode(first);
}

function byFamily(code: string, error: unknown): Wording | undefined {
  if (code === "EPROTO" || code.startsWith("ERR_SSL_")) return tlsFailure(code, error);
  if (code.startsWith("ERR_OSSL_")) return BAD_CLIENT_MATERIAL;
  if (code.startsWith("CERT_") || code.startsWith("UNABLE_TO_") || code.startsWith("ERR_TLS_CERT")) return UNTRUSTED;
  if (code.startsWith("Z_") || code.startsWith("HPE_")) {
    return { kind: "protocol", message: "its answer is not valid HTTP or gzip", hint: CHECK_ADDRESS };
  }
  return undefined;
}

/** OpenSSL's own words stand in the error's message (`...:SSL routines:function:wrong version number:...`) or in its code. */
function tlsFailure(code: string, error: unknown): Wording {
  const message = error instanceof Error ? error.message : "";
  const words = /SSL routines:[^:]*:([^:]+):/.exec(message)?.[1] ?? code.replace("ERR_SSL_", "").replaceAll("_", " ");
  const reason = words.toLowerCase();
  if (/wrong version number|packet length too long|http request/.test(reason)) return NOT_TLS;
  if (reason.includes("alert")) {
    return { kind: "certificate", message: `it refuses our side of TLS (${reason})`, hint: CHECK_CLIENT };
  }
  return { kind: "certificate", message: `TLS failed (${reason})`, hint: CHECK_AUTHORITY };
}

function unknownFailure(error: unknown, place: RequestPlace): Wording {
  const text = error instanceof Error ? redact(error.message, place.secrets) : "unknown failure";
  return { kind: "unreachable", message: text === "" ? "the connection failed" : text, hint: CHECK_NETWORK };
}

/** The names that the certificate has. */
function certificateNames(error: unknown): string {
  const certificate =
    error instanceof Error && "cert" in error ? (error.cert as { subjectaltname?: unknown }) : undefined;
  return typeof certificate?.subjectaltname === "string" ? ` (${redact(certificate.subjectaltname)})` : "";
}
