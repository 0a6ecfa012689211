// Numbers, sizes and times as the person's language writes them. Pure but for the chosen language.
import * as m from "$words";
import { getLocale } from "$words/runtime";

/** The language for numbers and dates: with the regional variant of the system's, if it is the same language. */
function tag(): string {
  const chosen = getLocale();
  const system = globalThis.navigator?.language ?? chosen;
  return system.split("-")[0] === chosen ? system : chosen === "en" ? "en-GB" : chosen;
}

const made = new Map<string, unknown>();

/** Makes a formatter once for each language: making one costs more than using it. */
function once<T>(name: string, make: (tag: string) => T): T {
  const key = `${tag()} ${name}`;
  if (!made.has(key)) {
    made.set(key, make(tag()));
  }
  return made.get(key) as T;
}

/** 12345 as “12,345”. */
export function formatCount(count: number): string {
  return once("count", (tag) => new Intl.NumberFormat(tag)).format(count);
}

/** 0.25 as “25%”. */
export function formatPercent(fraction: number): string {
  return once("percent", (tag) => new Intl.NumberFormat(tag, { style: "percent" })).format(fraction);
}

const UNITS = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"] as const;

/** Bytes in decimal units, as file managers show them: 1234567 as “1.2 MB”. */
export function formatBytes(bytes: number): string {
  const step = Math.min(UNITS.length - 1, bytes < 1_000 ? 0 : Math.floor(Math.log10(bytes) / 3));
  const unit = UNITS[step] ?? "byte";
  const format = once(
    unit,
    (tag) =>
      new Intl.NumberFormat(tag, {
        style: "unit",
        unit,
        unitDisplay: step === 0 ? "long" : "short",
        minimumFractionDigits: step < 2 ? 0 : 1,
        maximumFractionDigits: step === 0 ? 0 : 1,
      }),
  );
  return format.format(bytes / 1_000 ** step);
}

/** A point in time with seconds, for tables. */
export function formatTime(iso: string): string {
  return once("time", (tag) => new Intl.DateTimeFormat(tag, { dateStyle: "medium", timeStyle: "medium" })).format(
    new Date(iso),
  );
}

/** A day with the time of day to the minute. */
export function formatMinute(iso: string): string {
  return once("minute", (tag) => new Intl.DateTimeFormat(tag, { dateStyle: "medium", timeStyle: "short" })).format(
    new Date(iso),
  );
}

/** The day of a point in time, short, for tables. */
export function formatDate(iso: string): string {
  return once("date", (tag) => new Intl.DateTimeFormat(tag, { dateStyle: "medium" })).format(new Date(iso));
}

/** A calendar date `YYYY-MM-DD`, which has no time zone. */
export function formatDay(day: string): string {
  const date = new Date(`${day}T00:00:00Z`);
  if (Number.isNaN(date.getTime())) {
    return day;
  }
  return once("day", (tag) => new Intl.DateTimeFormat(tag, { dateStyle: "long", timeZone: "UTC" })).format(date);
}

const AGES = [
  { unit: "year", seconds: 31_556_952 },
  { unit: "month", seconds: 2_629_746 },
  { unit: "day", seconds: 86_400 },
  { unit: "hour", seconds: 3_600 },
  { unit: "minute", seconds: 60 },
] as const;

/** How long ago something was, in one unit: “3 days ago”. */
export function formatAgo(iso: string, now: number = Date.now()): string {
  const seconds = Math.max(0, (now - Date.parse(iso)) / 1_000);
  const age = AGES.find((age) => seconds >= age.seconds);
  if (!age) {
    return m.time_just_now();
  }
  const relative = once("ago", (tag) => new Intl.RelativeTimeFormat(tag, { numeric: "auto" }));
  return relative.format(-Math.floor(seconds / age.seconds), age.unit);
}

/** Seconds as `m:ss`, as a clock counts down. */
export function formatCountdown(seconds: number): string {
  const whole = Math.max(0, Math.ceil(seconds));
  const rest = String(whole % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60
    ? `${minutes}:${rest}`
    : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}:${rest}`;
}

/** Seconds in the largest unit that fits, for settings and time left: “5 minutes”. */
export function formatDuration(seconds: number): string {
  const [value, unit] =
    seconds < 60
      ? [Math.max(1, Math.round(seconds)), "second"]
      : seconds < 3_600
        ? [Math.round(seconds / 60), "minute"]
        : [Math.round(seconds / 3_600), "hour"];
  return once(
    `long ${unit}`,
    (tag) => new Intl.NumberFormat(tag, { style: "unit", unit: String(unit), unitDisplay: "long" }),
  ).format(Number(value));
}
