/**
 * Scrolling through more rows than an element can be high. WebKit keeps lengths in 64ths of a pixel in 32 bits, so nothing is
 * higher than 33,554,431 px: 699,050 rows of 48 px. Beyond, the space that is scrolled stays at its height, and each of its
 * pixels stands for a little more than one of the list.
 */

/** Highest the scrolled space gets, px. */
export const MOST_PX = 30_000_000;

export interface Stretch {
  /** Height of the scrolled space, px. */
  space: number;
  /** Pixels of the list that one of the space stands for; 1 for all lists but the longest. */
  factor: number;
}

/** How a list of so many rows lies in its space, of which `height` px are in sight. */
export function stretch(count: number, rowHeight: number, height: number): Stretch {
  const total = count * rowHeight;
  const space = Math.min(total, MOST_PX);
  return { space, factor: total > space ? (total - height) / (space - height) : 1 };
}
