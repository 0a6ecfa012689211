// The words of a vault's rules.
import type { Guarded } from "$lib/api/commands.ts";
import { formatCount } from "$lib/locale/format.ts";
import * as m from "$words";

/** Every action that can be put under a rule, in the engine's order. */
export const GUARDED: readonly Guarded[] = [
  "reveal",
  "save_files",
  "export",
  "erase",
  "backup",
  "read_log",
  "grant",
  "recover",
];

/** What a rule of two people can be about: the others are daily work. */
export const FOR_TWO: readonly Guarded[] = ["export", "erase", "recover"];

/** Least memories to choose from, in KiB. */
export const MEMORIES_KIB: readonly number[] = [0, 65_536, 131_072, 262_144, 524_288, 1_048_576];

const WORDS: Record<Guarded, () => string> = {
  reveal: m.guarded_reveal,
  save_files: m.guarded_save_files,
  export: m.guarded_export,
  erase: m.guarded_erase,
  backup: m.guarded_backup,
  read_log: m.guarded_read_log,
  grant: m.guarded_grant,
  recover: m.guarded_recover,
};

/** What an action is called; one that this window does not know by its own name. */
export function guardedWord(guarded: string): string {
  return Object.hasOwn(WORDS, guarded) ? WORDS[guarded as Guarded]() : guarded;
}

/** How much memory a guess takes at least. */
export function memoryWords(kib: number): string {
  return kib === 0 ? m.rules_memory_none() : `${formatCount(Math.round(kib / 1_024))} MiB`;
}
