import { describe, expect, test } from "vitest";
import { MOST_PX, stretch } from "$lib/ui/stretch.ts";

const ROW = 48;
const HEIGHT = 600;

describe("a list in its scrolled space", () => {
  test("is as high as its rows while it can be", () => {
    for (const count of [0, 1, 10, 100_000, 625_000]) {
      expect(stretch(count, ROW, HEIGHT)).toEqual({ space: count * ROW, factor: 1 });
    }
  });

  test("never gets higher than WebKit lets anything be, and its last row is at the end all the same", () => {
    for (const count of [625_001, 700_000, 1_000_000, 20_000_000]) {
      const { space, factor } = stretch(count, ROW, HEIGHT);
      expect(space).toBe(MOST_PX);
      expect(space).toBeLessThan(2 ** 31 / 64);
      // Scrolled as far as it goes, what is in sight ends with the last row.
      expect((space - HEIGHT) * factor + HEIGHT).toBeCloseTo(count * ROW, 3);
    }
  });
});
