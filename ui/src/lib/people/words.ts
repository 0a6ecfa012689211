// Accounts, rights and keys in words.
import type { AccountView, GrantView, PendingKeyView } from "$lib/api/types.ts";
import { formatCount, formatDay, formatMinute } from "$lib/locale/format.ts";
import * as m from "$words";

export type Role = AccountView["roles"][number];
export type Right = GrantView["right"];

export const ROLES: readonly Role[] = ["administrator", "auditor", "member"];
export const RIGHTS: readonly Right[] = ["reader", "editor", "steward"];

/** What a role is called. */
export function roleWord(role: Role): string {
  return { administrator: m.role_administrator, auditor: m.role_auditor, member: m.role_member }[role]();
}

/** What a role is for. */
export function roleAbout(role: Role): string {
  return {
    administrator: m.role_administrator_about,
    auditor: m.role_auditor_about,
    member: m.role_member_about,
  }[role]();
}

/** What a right is called. */
export function rightWord(right: Right): string {
  return { reader: m.right_reader, editor: m.right_editor, steward: m.right_steward }[right]();
}

/** What a right allows. */
export function rightAbout(right: Right): string {
  return { reader: m.right_reader_about, editor: m.right_editor_about, steward: m.right_steward_about }[right]();
}

const DAY_MILLIS = 86_400_000;

/** The last day of a grant that ends, which is over with that day in UTC. */
export function lastDay(expiresAt: string): string {
  return new Date(Date.parse(expiresAt) - 1).toISOString().slice(0, 10);
}

/** Until when a grant counts, or that it is over: to the minute, if it does not end with a day. */
export function untilWords(grant: GrantView): string {
  if (grant.expires_at === null) return "";
  const isDay = Date.parse(grant.expires_at) % DAY_MILLIS === 0;
  const day = isDay ? formatDay(lastDay(grant.expires_at)) : formatMinute(grant.expires_at);
  return grant.expired ? m.grant_ended({ day }) : m.grant_until({ day });
}

/** Hours until access ends, and days after that until secrets are to be changed (coffer-core, `END_ACCESS_WITHIN_HOURS`). */
export const ACCESS_WITHIN_HOURS: readonly number[] = [1, 8, 24, 72, 168];
export const ACCESS_WITHIN_HOURS_DEFAULT = 24;
export const SECRETS_WITHIN_DAYS: readonly number[] = [1, 3, 7, 14, 30];
export const SECRETS_WITHIN_DAYS_DEFAULT = 7;

/** So many days. */
export function daysWords(count: number): string {
  return m.days_count({ count, shown: formatCount(count) });
}

/** So many hours, whole days as such. */
export function hoursWords(count: number): string {
  return count % 24 === 0 ? daysWords(count / 24) : m.hours_count({ count, shown: formatCount(count) });
}

/** Whether an account is to leave, and whether it had to have left by now. */
export function leavingOf(account: AccountView): "no" | "leaving" | "over" {
  if (account.state !== "active" || account.access_by === null) return "no";
  return Date.parse(account.access_by) > Date.now() ? "leaving" : "over";
}

/** What an account is at, and since when. */
export function stateWords(account: AccountView): { state: string; detail: string } {
  const since = formatMinute(account.since);
  switch (account.state) {
    case "active":
      if (account.access_by !== null) {
        const by = m.account_leaving_by({ when: formatMinute(account.access_by) });
        return leavingOf(account) === "over"
          ? { state: m.account_leaving_over(), detail: by }
          : { state: m.account_leaving(), detail: by };
      }
      return account.key_pending
        ? { state: m.account_key_pending(), detail: m.account_key_pending_about() }
        : { state: m.account_active(), detail: m.account_since({ when: since }) };
    case "invited":
      return {
        state: m.account_invited(),
        detail: m.account_invited_until({ when: formatMinute(account.expires_at ?? account.since) }),
      };
    case "expired":
      return {
        state: m.account_expired(),
        detail: m.account_expired_since({ when: formatMinute(account.expires_at ?? account.since) }),
      };
    case "left":
      return { state: m.account_left(), detail: m.account_left_since({ when: since }) };
  }
}

/** Which key it is. */
export function keyWords(key: PendingKeyView): string {
  switch (key.key) {
    case "tenant":
      return m.key_tenant({ tenant: key.tenant_name ?? m.log_tenant_hidden() });
    case "tenant_recovery":
      return m.key_tenant_recovery({ tenant: key.tenant_name ?? m.log_tenant_hidden() });
    case "directory":
      return m.key_directory();
    case "audit":
      return m.key_audit();
    case "office":
      return m.key_office();
  }
}

/** Who can replace it. */
export function replacerWords(key: PendingKeyView): string {
  if (key.can_replace) return m.replaced_by_you();
  if (key.needs_recovery) return m.replaced_by_kit();
  switch (key.key) {
    case "tenant":
      return m.replaced_by_steward();
    case "tenant_recovery":
      return m.replaced_by_trusting_steward();
    case "audit":
      return m.replaced_by_auditor();
    default:
      return m.replaced_by_administrator();
  }
}
