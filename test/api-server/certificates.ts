// X.509 certificates made at test time with node:crypto alone: an authority, servers and clients, also expired ones.
// Owns just enough DER for that; ECDSA P-256.

import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP, isIPv4 } from "node:net";

export interface Certificate {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface Authority extends Certificate {
  readonly name: string;
  readonly key: KeyObject;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** Groups of a client certificate. */
  readonly organizations?: readonly string[];
  /** DNS names and IPv4 addresses. */
  readonly names?: readonly string[];
  /** Default: from an hour ago for a day. */
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const HOUR_MS = 3_600_000;

export function makeAuthority(name = "test authority"): Authority {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const extensions = [extension("551d13", der(0x30, der(0x01, Buffer.from([0xff]))), true)];
  const certPem = certificatePem({ commonName: name }, name, publicKey, privateKey, extensions);
  return { name, certPem, keyPem: keyPem(privateKey), key: privateKey };
}

export function issueCertificate(authority: Authority, request: CertificateRequest): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const names = request.names ?? [];
  const extensions = names.length === 0 ? [] : [extension("551d11", der(0x30, ...names.map(generalName)), false)];
  const certPem = certificatePem(request, authority.name, publicKey, authority.key, extensions);
  return { certPem, keyPem: keyPem(privateKey) };
}

function certificatePem(
  subject: CertificateRequest,
  issuerName: string,
  publicKey: KeyObject,
  signer: KeyObject,
  extensions: readonly Buffer[],
): string {
  const notBefore = subject.notBefore ?? new Date(Date.now() - HOUR_MS);
  const notAfter = subject.notAfter ?? new Date(Date.now() + 24 * HOUR_MS);
  const algorithm = der(0x30, oid("2a8648ce3d040302"));
  const body = der(
    0x30,
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    distinguishedName(issuerName, []),
    der(0x30, utcTime(notBefore), utcTime(notAfter)),
    distinguishedName(subject.commonName, subject.organizations ?? []),
    publicKey.export({ type: "spki", format: "der" }),
    ...(extensions.length === 0 ? [] : [der(0xa3, der(0x30, ...extensions))]),
  );
  const signature = sign("sha256", body, signer);
  const whole = der(0x30, body, algorithm, der(0x03, Buffer.from([0]), signature));
  const lines = whole.toString("base64").replace(/.{64}/g, "$&\n").trimEnd();
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

function keyPem(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

/** Tag, length and content; the length in as few bytes as possible, or strict parsers (Go's) refuse it. */
function der(tag: number, ...content: readonly Buffer[]): Buffer {
  const value = Buffer.concat(content);
  const { length } = value;
  return Buffer.concat([Buffer.from([tag, ...derLength(length)]), value]);
}

function derLength(length: number): readonly number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

function oid(hex: string): Buffer {
  return der(0x06, Buffer.from(hex, "hex"));
}

function distinguishedName(commonName: string, organizations: readonly string[]): Buffer {
  const part = (type: string, text: string) => der(0x31, der(0x30, oid(type), der(0x0c, Buffer.from(text))));
  return der(0x30, ...organizations.map((name) => part("55040a", name)), part("550403", commonName));
}

function utcTime(time: Date): Buffer {
  const digits = time.toISOString().replace(/\D/g, "").slice(2, 14);
  return der(0x17, Buffer.from(`${digits}Z`));
}

function extension(type: string, value: Buffer, critical: boolean): Buffer {
  return der(0x30, oid(type), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));
}

function generalName(name: string): Buffer {
  if (isIP(name) !== 0 && !isIPv4(name)) throw new Error("only DNS names and IPv4 addresses");
  if (isIPv4(name)) return der(0x87, Buffer.from(name.split(".").map(Number)));
  return der(0x82, Buffer.from(name));
}
