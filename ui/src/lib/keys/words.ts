// Keys, their states and algorithms in words.
import type {
  CryptoperiodView,
  HeldKey,
  KeyHolder,
  KeyKind,
  KeyState,
  KeyView,
  SplitView,
  SuitePart,
} from "$lib/api/types.ts";
import { formatMinute } from "$lib/locale/format.ts";
import { rightWord } from "$lib/people/words.ts";
import * as m from "$words";

/** Kinds that are put in another's place from here. */
export const ROTATED_HERE: readonly KeyKind[] = ["tenant", "directory", "audit", "office", "device"];

/** What tells a key from every other. */
export function keyId(key: KeyView): string {
  return [key.kind, key.tenant ?? "", key.login ?? "", key.number, key.since].join(" ");
}

/** Which key it is. */
export function keyName(key: KeyView): string {
  switch (key.kind) {
    case "tenant":
      return m.key_tenant({ tenant: key.tenant_name ?? m.log_tenant_hidden() });
    case "account":
      return m.key_account({ login: key.login ?? m.log_tenant_hidden() });
    default:
      return kindWord(key.kind);
  }
}

/** What keys of a kind are called. */
export function kindWord(kind: KeyKind): string {
  return {
    tenant: m.keys_tenants,
    directory: m.key_directory,
    audit: m.key_audit,
    office: m.key_office,
    recovery: m.key_recovery,
    device: m.key_device,
    account: m.keys_accounts,
  }[kind]();
}

/** What a key is at present. */
export function keyStateWord(state: KeyState): string {
  return {
    active: m.key_active,
    deactivated: m.key_deactivated,
    compromised: m.key_is_compromised,
    destroyed: m.key_destroyed,
  }[state]();
}

/** Who holds a key, and on what terms. */
export function holderWords(holder: KeyHolder): string {
  if (holder.recovery !== null) return m.key_holder_recovery({ number: String(holder.recovery) });
  const terms = [
    holder.right && rightWord(holder.right),
    holder.expires_at && m.key_holder_until({ when: formatMinute(holder.expires_at) }),
    holder.former && m.key_holder_former(),
  ].filter(Boolean);
  const login = holder.login ?? m.log_tenant_hidden();
  return terms.length > 0 ? `${login} (${terms.join(", ")})` : login;
}

/** Who holds a key of the register. */
export function holdersOf(held: HeldKey[], key: KeyView): KeyHolder[] {
  const same = (other: HeldKey) =>
    other.kind === key.kind && other.tenant === key.tenant && other.number === key.number;
  return held.find(same)?.holders ?? [];
}

/** What an algorithm is for. */
export function purposeWord(part: SuitePart): string {
  const words: Record<string, () => string> = {
    kdf: m.suite_kdf,
    encryption: m.suite_encryption,
    database: m.suite_database,
    sealing: m.suite_sealing,
    signature: m.suite_signature,
    hash: m.suite_hash,
    backup: m.suite_backup,
  };
  return words[part.purpose]?.() ?? part.purpose;
}

/** Fewest and most shares, and what is offered first (coffer-crypto, `Split`). */
export const SPLIT = { min: 2, max: 16, needed: 3, shares: 5 };

/** Whether recovery can be split so. */
export function splitHolds({ needed, shares }: SplitView): boolean {
  const isCount = (count: number) => Number.isInteger(count) && count >= SPLIT.min;
  return isCount(needed) && isCount(shares) && needed <= shares && shares <= SPLIT.max;
}

/** Shortest and longest period in days (coffer-model, `Cryptoperiods`). */
export const PERIOD_DAYS = { min: 1, max: 3_653 };

/** Whether every period is one that the engine takes. */
export function periodsHold(periods: CryptoperiodView[]): boolean {
  return periods.every(({ days }) => Number.isInteger(days) && days >= PERIOD_DAYS.min && days <= PERIOD_DAYS.max);
}
