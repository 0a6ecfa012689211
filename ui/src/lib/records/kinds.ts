// Kinds, field types and the words of templates in the person's language, with the kinds' icons. What a kind's template
// says comes from the engine (`kinds.svelte.ts`).
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
import type { KindFieldView, KindOptionView } from "$lib/api/types.ts";
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

/** A field's name that the engine leaves to the person's language. */
export type FieldWord = NonNullable<KindFieldView["word"]>;

/** A choice that the engine leaves to the person's language. */
export type ChoiceWord = NonNullable<KindOptionView["word"]>;

export const FIELD_WORDS: Record<FieldWord, typeof m.field_user> = {
  address: m.field_address,
  bank: m.field_bank,
  bic: m.field_bic,
  card_number: m.field_card_number,
  company: m.field_company,
  document_number: m.field_document_number,
  document_type: m.field_document_type,
  email: m.field_email,
  environment: m.field_environment,
  expires: m.field_expires,
  holder: m.field_holder,
  host: m.field_host,
  iban: m.field_iban,
  issued: m.field_issued,
  key: m.field_key,
  one_time_code: m.field_one_time_code,
  password: m.field_password,
  phone: m.field_phone,
  pin: m.field_pin,
  port: m.field_port,
  product: m.field_product,
  service: m.field_service,
  user: m.field_user,
  website: m.field_website,
};

export const CHOICE_WORDS: Record<ChoiceWord, typeof m.choice_test> = {
  driving_licence: m.choice_driving_licence,
  identity_card: m.choice_identity_card,
  passport: m.choice_passport,
  production: m.choice_production,
  residence_permit: m.choice_residence_permit,
  staging: m.choice_staging,
  test: m.choice_test,
};

/** Whether every vault has the kind. */
export function isOffered(kind: string): kind is Kind {
  return (KINDS as readonly string[]).includes(kind);
}

/** The kind's icon; a plain box for one of the person's own. */
export function kindIcon(kind: string): typeof Box {
  return isOffered(kind) ? ICONS[kind] : Box;
}

/** The kind in words; one of the person's own as it is written. */
export function kindWords(kind: string): string {
  return isOffered(kind) ? WORDS[kind]() : kind.replaceAll("_", " ");
}

/** The type in words. */
export function typeWords(type: FieldType): string {
  return TYPE_WORDS[type]();
}
