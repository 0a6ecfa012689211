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
];

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
      return oneLine;
    case "email":
      return bytes(value) <= 254 && !/[\s\p{Cc}]/u.test(value) && /^.+@[^@]+$/u.test(value);
    case "phone":
      return [...value].length <= 64 && /[0-9]/.test(value) && /^[A-Za-z0-9 +\-()./,;#*:]*$/.test(value);
    case "url":
      return bytes(value) <= 2_048 && !/\s/u.test(value);
    case "date":
      return isDate(value);
    case "number":
      return /^[+-]?[0-9]+(\.[0-9]+)?$/.test(value);
  }
}

function isDate(value: string): boolean {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const date = new Date(`${value}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value);
}
