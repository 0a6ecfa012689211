// What secret is to be made, as the person chose last in this window. Nothing secret is in it. Pure.
import type { SecretRecipe } from "$lib/api/commands.ts";

export type Recipe = {
  kind: SecretRecipe["kind"];
  words: number;
  separator: string;
  capitals: boolean;
  length: number;
  lower: boolean;
  upper: boolean;
  digits: boolean;
  symbols: boolean;
  unambiguous: boolean;
};

/** What is offered first: 20 characters of every kind, or six words. */
export const FIRST_RECIPE: Recipe = {
  kind: "password",
  words: 6,
  separator: "-",
  capitals: false,
  length: 20,
  lower: true,
  upper: true,
  digits: true,
  symbols: true,
  unambiguous: false,
};

/** Between which lengths the engine makes a secret (coffer-crypto, `generate`). */
export const LENGTHS = { password: { least: 4, most: 256 }, passphrase: { least: 3, most: 24 } } as const;

/** The recipe as it is sent. */
export function toRequest(recipe: Recipe): SecretRecipe {
  const { kind, words, separator, capitals, ...password } = recipe;
  return kind === "passphrase" ? { kind, words, separator, capitals } : { kind, ...password };
}

/** Whether anything can be made of it. */
export function isPossible(recipe: Recipe): boolean {
  const { least, most } = LENGTHS[recipe.kind];
  const length = recipe.kind === "password" ? recipe.length : recipe.words;
  const hasKind = recipe.kind === "passphrase" || recipe.lower || recipe.upper || recipe.digits || recipe.symbols;
  return Number.isInteger(length) && length >= least && length <= most && hasKind;
}
