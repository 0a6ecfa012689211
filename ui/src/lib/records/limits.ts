// What the engine accepts (coffer-model, `record::limits` and `FieldType::accepts`), so that a form can say so beside
// the field before it is sent. The engine checks again; this decides nothing. Pure.
import type { FieldType } from "$lib/api/commands.ts";

export const TITLE_CHARS = 500;
export const FIELD_NAME_CHARS = 120;
export const FIELDS = 200;
export const TAGS = 100;
export const TAG_CHARS = 60;
export const VALUE_BYTES = 256 * 1024;
export const TENANT_NAME_CHARS = 120;

/** Every type, in the order offered. */
export const FIELD_TYPES: readonly FieldType[] = [
  "text",
  "secret",
  "multiline",
  "email",
  "phone",
  "url",
  "date",
  "number",
  "totp",
  "choice",
  "reference",
  "expiry",
];

/** Whether values of a type are masked until they are revealed. */
export function isMasked(type: FieldType | null): boolean {
  return type === "secret" || type === "totp";
}

/** Every kind with a template, in the order offered. */
export const KINDS = [
  "login",
  "contact",
  "note",
  "server",
  "api_key",
  "bank_account",
  "card",
  "identity_document",
  "licence",
  "custom",
] as const;

export type Kind = (typeof KINDS)[number];

const encoder = new TextEncoder();

/** Length in bytes of UTF-8, which is what the engine counts. */
export function bytes(text: string): number {
  return encoder.encode(text).length;
}

/** Whether a text is one line of at most so many characters. */
export function isLine(text: string, maxChars: number): boolean {
  return [...text].length <= maxChars && !/\p{Cc}/u.test(text);
}

/** Whether a value fits its type. The empty value fits every type. */
export function accepts(type: FieldType, value: string): boolean {
  if (value === "") return true;
  const oneLine = !/[\n\r\0]/.test(value);
  switch (type) {
    case "secret":
    case "multiline":
      return !value.includes("\0");
    case "text":
    case "choice":
      return oneLine;
    case "email":
      return bytes(value) <= 254 && !/[\s\p{Cc}]/u.test(value) && /^.+@[^@]+$/u.test(value);
    case "phone":
      return [...value].length <= 64 && /[0-9]/.test(value) && /^[A-Za-z0-9 +\-()./,;#*:]*$/.test(value);
    case "url":
      return bytes(value) <= 2_048 && !/\s/u.test(value);
    case "date":
    case "expiry":
      return isDate(value);
    case "number":
      return /^[+-]?[0-9]+(\.[0-9]+)?$/.test(value);
    case "totp":
      return isTotp(value);
    case "reference":
      return /^[0-7][0-9a-hjkmnp-tv-z]{25}$/.test(value);
  }
}

/** A bare Base32 seed, or a URI for time-based codes whose parameters give one. */
function isTotp(value: string): boolean {
  if (bytes(value) > 2_048 || /\p{Cc}/u.test(value)) return false;
  const uri = /^otpauth:\/\/totp(?:\/[^?]*)?\?([^#]*)/i.exec(value);
  if (!uri) return isSeed(value);
  const parameters = new Map<string, string>();
  for (const parameter of (uri[1] ?? "").split("&")) {
    const [name = "", text] = parameter.split(/=(.*)/s);
    const known = /^(?:secret|algorithm|digits|period)$/i.test(name) ? name.toLowerCase() : null;
    if (known === null || text === undefined) continue;
    if (parameters.has(known)) return false;
    parameters.set(known, text);
  }
  const isOf = (name: string, fits: (text: string) => boolean) => fits(parameters.get(name) ?? "");
  const isBetween = (text: string, least: number, most: number) =>
    text === "" || (/^\+?[0-9]+$/.test(text) && Number(text) >= least && Number(text) <= most);
  return (
    isOf("secret", (text) => isSeed(text.replace(/%3d/gi, "=").replace(/%20/g, " "))) &&
    isOf("algorithm", (text) => text === "" || /^sha(?:1|256|512)$/i.test(text)) &&
    isOf("digits", (text) => isBetween(text, 6, 8)) &&
    isOf("period", (text) => isBetween(text, 15, 120))
  );
}

/** Base32 as people copy it, of 10 to 128 bytes. */
function isSeed(value: string): boolean {
  const digits = value.replace(/[ -]/g, "");
  const letters = digits.replace(/=+$/, "");
  return (
    /^[a-z2-7]+$/i.test(letters) &&
    letters.length >= 16 &&
    letters.length <= 205 &&
    ![1, 3, 6].includes(letters.length % 8)
  );
}

function isDate(value: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const date = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value);
}
