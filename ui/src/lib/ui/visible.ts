// Which characters of a text cannot be seen, and how to show that they are there. Pure.

/** A run of a text: ordinary characters, or one that would not be seen. */
export type Piece = { text: string; hidden: boolean; name?: string };

// Controls but tab and line feed, soft hyphen, zero-width and direction characters (UAX #9), unusual spaces, tags,
// variation selectors and fillers that render as nothing.
const HIDDEN_RANGES = [
  ["\u0000", "\u0008"],
  ["\u000b", "\u001f"],
  ["\u007f", "\u00a0"],
  ["\u00ad", "\u00ad"],
  ["\u034f", "\u034f"],
  ["\u061c", "\u061c"],
  ["\u115f", "\u1160"],
  ["\u17b4", "\u17b5"],
  ["\u180b", "\u180e"],
  ["\u2000", "\u200f"],
  ["\u2028", "\u202f"],
  ["\u205f", "\u206f"],
  ["\u3000", "\u3000"],
  ["\u3164", "\u3164"],
  ["\ufe00", "\ufe0e"],
  ["\ufeff", "\ufeff"],
  ["\uffa0", "\uffa0"],
  ["\ufff9", "\ufffb"],
  ["\u{e0000}", "\u{e0fff}"],
] as const;
const HIDDEN = new RegExp(`[${HIDDEN_RANGES.map(([first, last]) => `${first}-${last}`).join("")}]`, "gu");

/** Takes a text apart into what is seen and what is not. */
export function visiblePieces(text: string): Piece[] {
  const pieces: Piece[] = [];
  let from = 0;
  for (const match of text.matchAll(HIDDEN)) {
    if (match.index > from) {
      pieces.push({ text: text.slice(from, match.index), hidden: false });
    }
    const code = match[0].codePointAt(0) ?? 0;
    const name = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
    pieces.push({ text: name, hidden: true, name });
    from = match.index + match[0].length;
  }
  if (from < text.length) {
    pieces.push({ text: text.slice(from), hidden: false });
  }
  return pieces;
}
