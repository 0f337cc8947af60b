// The API server's rules for names, label keys and values, and port names (apimachinery util/validation).
// Each function returns what is wrong in words, or undefined.

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const QUALIFIED_NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

export function dnsLabelFault(text: string): string | undefined {
  if (text.length > 63) return "must have at most 63 characters";
  if (!DNS_LABEL.test(text))
    return "must be lower-case letters, digits and '-', and start and end with a letter or digit";
  return undefined;
}

export function dnsSubdomainFault(text: string): string | undefined {
  if (text.length > 253) return "must have at most 253 characters";
  if (!DNS_SUBDOMAIN.test(text)) {
    return "must be lower-case letters, digits, '-' and '.', and each part must start and end with a letter or digit";
  }
  return undefined;
}

export function labelKeyFault(key: string): string | undefined {
  const parts = key.split("/");
  if (parts.length > 2) return "must have at most one '/'";
  const name = parts.at(-1) as string;
  if (parts.length === 2) {
    const prefix = parts[0] as string;
    if (prefix === "") return "must not have an empty prefix before '/'";
    const fault = dnsSubdomainFault(prefix);
    if (fault !== undefined) return `has a bad prefix: it ${fault}`;
  }
  if (name === "") return "must not be empty";
  if (name.length > 63) return "must have at most 63 characters after the prefix";
  if (!QUALIFIED_NAME.test(name)) {
    return "must be letters, digits, '-', '_' and '.', and start and end with a letter or digit";
  }
  return undefined;
}

export function labelValueFault(value: string): string | undefined {
  if (value === "") return undefined;
  if (value.length > 63) return "must have at most 63 characters";
  if (!QUALIFIED_NAME.test(value)) {
    return "must be letters, digits, '-', '_' and '.', and start and end with a letter or digit";
  }
  return undefined;
}

/** IANA_SVC_NAME. */
export function portNameFault(name: string): string | undefined {
  if (name.length > 15) return "must have at most 15 characters";
  if (!/^[-a-z0-9]+$/.test(name)) return "must be lower-case letters, digits and '-'";
  if (!/[a-z]/.test(name)) return "must have at least one letter";
  if (name.includes("--")) return "must not have two '-' in a row";
  if (name.startsWith("-") || name.endsWith("-")) return "must not start or end with '-'";
  return undefined;
}

export const MAX_PORT = 65535;

export function isPortNumber(value: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= MAX_PORT;
}
