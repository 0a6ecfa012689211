// A tenant's initials: with its colour they tell tenants apart, also for who does not see the colour. Pure.

/** One or two letters: of the first two words, or the first two of the only one. */
export function initials(name: string): string {
  const words = name.split(/[^\p{L}\p{N}]+/u).filter((word) => word !== "");
  const letters =
    words.length > 1 ? words.slice(0, 2).map((word) => firstLetters(word, 1)) : [firstLetters(words[0] ?? "?", 2)];
  return letters.join("").toLocaleUpperCase();
}

function firstLetters(word: string, count: number): string {
  return [...word].slice(0, count).join("");
}
