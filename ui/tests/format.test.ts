import { afterEach, describe, expect, it } from "vitest";
import {
  formatAgo,
  formatBytes,
  formatCount,
  formatCountdown,
  formatDay,
  formatDuration,
} from "../src/lib/locale/format.ts";
import { initials } from "../src/lib/tenants/initials.ts";
import { setLocale } from "../src/words/runtime.js";

afterEach(() => setLocale("en", { reload: false }));

describe("figures in the person's language", () => {
  it("are written the English way", () => {
    expect(formatCount(12_345)).toBe("12,345");
    expect(formatBytes(1_234_567)).toBe("1.2 MB");
    expect(formatBytes(1)).toBe("1 byte");
    expect(formatDuration(300)).toBe("5 minutes");
    expect(formatCountdown(252)).toBe("4:12");
    expect(formatCountdown(3_661)).toBe("1:01:01");
  });

  it("are written the German way", () => {
    setLocale("de", { reload: false });
    expect(formatCount(12_345)).toBe("12.345");
    expect(formatBytes(1_234_567)).toBe("1,2 MB");
    expect(formatDay("2026-11-21")).toBe("21. November 2026");
    expect(formatAgo("2026-11-18T12:00:00Z", Date.parse("2026-11-21T12:00:00Z"))).toBe("vor 3 Tagen");
  });

  it("take a clock that went back as now", () => {
    expect(formatAgo("2026-11-21T12:00:00Z", Date.parse("2026-11-21T11:00:00Z"))).toBe("just now");
  });
});

describe("a tenant's initials", () => {
  it.each([
    ["ACME GmbH", "AG"],
    ["Bauer & Co", "BC"],
    ["éclair", "ÉC"],
    ["7-Wege", "7W"],
    ["…", "?"],
  ])("of %s are %s", (name, expected) => {
    expect(initials(name)).toBe(expected);
  });
});
