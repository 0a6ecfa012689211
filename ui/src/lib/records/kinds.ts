// Kinds and field types in words, with their icons and the fields a new record of a kind starts with.
import BadgeCheck from "@lucide/svelte/icons/badge-check";
import Box from "@lucide/svelte/icons/box";
import ContactRound from "@lucide/svelte/icons/contact-round";
import CreditCard from "@lucide/svelte/icons/credit-card";
import IdCard from "@lucide/svelte/icons/id-card";
import KeyRound from "@lucide/svelte/icons/key-round";
import Landmark from "@lucide/svelte/icons/landmark";
import Server from "@lucide/svelte/icons/server";
import SquareTerminal from "@lucide/svelte/icons/square-terminal";
import StickyNote from "@lucide/svelte/icons/sticky-note";
import type { FieldType } from "$lib/api/commands.ts";
import * as m from "$words";
import { KINDS, type Kind } from "./limits.ts";

const ICONS: Record<Kind, typeof Box> = {
  login: KeyRound,
  contact: ContactRound,
  note: StickyNote,
  server: Server,
  api_key: SquareTerminal,
  bank_account: Landmark,
  card: CreditCard,
  identity_document: IdCard,
  licence: BadgeCheck,
  custom: Box,
};

const WORDS: Record<Kind, () => string> = {
  login: m.kind_login,
  contact: m.kind_contact,
  note: m.kind_note,
  server: m.kind_server,
  api_key: m.kind_api_key,
  bank_account: m.kind_bank_account,
  card: m.kind_card,
  identity_document: m.kind_identity_document,
  licence: m.kind_licence,
  custom: m.kind_custom,
};

const TYPE_WORDS: Record<FieldType, () => string> = {
  text: m.type_text,
  secret: m.type_secret,
  multiline: m.type_multiline,
  email: m.type_email,
  phone: m.type_phone,
  url: m.type_url,
  date: m.type_date,
  number: m.type_number,
  totp: m.type_totp,
  choice: m.type_choice,
  reference: m.type_reference,
  expiry: m.type_expiry,
};

const TEMPLATES: Record<Kind, readonly (readonly [() => string, FieldType])[]> = {
  login: [
    [m.field_user, "text"],
    [m.field_password, "secret"],
    [m.field_website, "url"],
  ],
  contact: [
    [m.field_company, "text"],
    [m.field_email, "email"],
    [m.field_phone, "phone"],
    [m.field_address, "multiline"],
  ],
  note: [],
  server: [
    [m.field_host, "text"],
    [m.field_user, "text"],
    [m.field_password, "secret"],
    [m.field_port, "number"],
  ],
  api_key: [
    [m.field_service, "text"],
    [m.field_key, "secret"],
    [m.field_expires, "date"],
  ],
  bank_account: [
    [m.field_bank, "text"],
    [m.field_iban, "text"],
    [m.field_bic, "text"],
    [m.field_pin, "secret"],
  ],
  card: [
    [m.field_holder, "text"],
    [m.field_card_number, "secret"],
    [m.field_expires, "date"],
    [m.field_pin, "secret"],
  ],
  identity_document: [
    [m.field_document_number, "text"],
    [m.field_issued, "date"],
    [m.field_expires, "date"],
  ],
  licence: [
    [m.field_product, "text"],
    [m.field_key, "secret"],
    [m.field_expires, "date"],
  ],
  custom: [],
};

function isKind(kind: string): kind is Kind {
  return (KINDS as readonly string[]).includes(kind);
}

/** The kind's icon; a plain box for one of the person's own. */
export function kindIcon(kind: string): typeof Box {
  return isKind(kind) ? ICONS[kind] : Box;
}

/** The kind in words; one of the person's own as it is written. */
export function kindWords(kind: string): string {
  return isKind(kind) ? WORDS[kind]() : kind.replaceAll("_", " ");
}

/** The type in words. */
export function typeWords(type: FieldType): string {
  return TYPE_WORDS[type]();
}

/** The fields a new record of a kind starts with. */
export function template(kind: string): { name: string; type: FieldType }[] {
  return isKind(kind) ? TEMPLATES[kind].map(([name, type]) => ({ name: name(), type })) : [];
}
