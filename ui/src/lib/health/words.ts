// The engine's checks in words: what each is about, what was found, and what mends it. A check or a finding that this
// window does not know is shown as it is.
import type { FileCheckView, HealthView } from "$lib/api/types.ts";
import { formatBytes, formatCount } from "$lib/locale/format.ts";
import * as m from "$words";

/** What a check is about, what was found, and what mends it. */
export type CheckWords = { title: string; found: string; mend: string | null };

type Finding = { found: () => string; mend?: () => string };

const CHECKS: Record<string, { title: () => string; finding: (check: HealthView) => Finding | undefined }> = {
  disk_encryption: {
    title: m.health_disk,
    finding: named({
      encrypted: { found: m.health_disk_encrypted },
      not_seen: { found: m.health_disk_not_seen, mend: m.health_disk_not_seen_do },
      unknown: { found: m.health_disk_unknown, mend: m.health_disk_unknown_do },
    }),
  },
  device_key: {
    title: m.health_device,
    finding: named({
      keyring: { found: m.health_device_keyring },
      file: { found: m.health_device_file, mend: m.health_device_file_do },
      none: { found: m.health_device_none, mend: m.health_device_none_do },
    }),
  },
  memory: {
    title: m.health_memory,
    finding: named({
      not_dumpable: { found: m.health_memory_shielded },
      dumpable: { found: m.health_memory_dumpable, mend: m.health_memory_dumpable_do },
    }),
  },
  kdf: { title: m.health_kdf, finding: ({ detail }) => cost(detail) },
  free_space: { title: m.health_space, finding: space },
};

/** A check in words. */
export function checkWords(check: HealthView): CheckWords {
  const known = Object.hasOwn(CHECKS, check.check) ? CHECKS[check.check] : undefined;
  const finding = known?.finding(check);
  return {
    title: known?.title() ?? check.check,
    found: finding?.found() ?? check.detail,
    mend: finding?.mend?.() ?? null,
  };
}

const STATES: Record<HealthView["state"], () => string> = {
  good: m.health_good,
  attention: m.health_attention,
  unknown: m.health_unknown,
};

/** How a check came out. */
export function stateWords(state: HealthView["state"]): string {
  return STATES[state]();
}

const FILES: Record<FileCheckView["state"], () => string> = {
  unchanged: m.file_state_unchanged,
  altered: m.file_state_altered,
  not_checkable: m.file_state_not_checkable,
};

/** How a tenant's file was found. */
export function fileWords(state: FileCheckView["state"]): string {
  return FILES[state]();
}

/** Findings that have a name. */
function named(findings: Record<string, Finding>): (check: HealthView) => Finding | undefined {
  return ({ detail }) => (Object.hasOwn(findings, detail) ? findings[detail] : undefined);
}

/** `64 MiB, 3 passes`, as the engine writes it. */
function cost(detail: string): Finding | undefined {
  const [, memory, passes] = /^(\d+) MiB, (\d+) passes$/.exec(detail) ?? [];
  if (memory === undefined || passes === undefined) return undefined;
  const shown = { memory: formatCount(Number(memory)), passes: formatCount(Number(passes)) };
  return { found: () => m.health_kdf_cost(shown) };
}

/** Bytes, or `unknown`. */
function space({ detail, state }: HealthView): Finding | undefined {
  if (detail === "unknown") return { found: m.health_space_unknown, mend: m.health_space_unknown_do };
  if (!/^\d+$/.test(detail)) return undefined;
  const found = () => m.health_space_free({ size: formatBytes(Number(detail)) });
  return state === "attention" ? { found, mend: m.health_space_low_do } : { found };
}
