// A build step: every language has exactly the messages of the first one, with the same inputs.
// A missing word then fails the build instead of showing English in a German window.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Plugin } from "vite";

type Messages = Record<string, unknown>;

/** The names of a message's inputs, whichever of the two notations it is written in. */
function inputs(message: unknown): string {
  const text = JSON.stringify(message);
  const names = [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
  return [...new Set(names)].sort().join(", ");
}

/** What is wrong with the languages of a folder; empty if nothing is. */
export function messageFaults(folder: string): string[] {
  const languages = readdirSync(folder)
    .filter((name) => name.endsWith(".json"))
    .map((name) => [name, JSON.parse(readFileSync(join(folder, name), "utf8")) as Messages] as const);
  const [, base] = languages.find(([name]) => name === "en.json") ?? ["", {}];
  const faults: string[] = [];
  for (const [name, messages] of languages) {
    for (const key of Object.keys(base)) {
      if (!(key in messages)) {
        faults.push(`${name}: ${key} is missing`);
      } else if (inputs(messages[key]) !== inputs(base[key])) {
        faults.push(`${name}: ${key} has other inputs than en.json`);
      }
    }
    for (const key of Object.keys(messages)) {
      if (!(key in base)) {
        faults.push(`${name}: ${key} is not in en.json`);
      }
    }
  }
  return faults;
}

/** Fails the build if the languages differ. */
export function requireEqualMessages(folder: string): Plugin {
  return {
    name: "coffer:require-equal-messages",
    buildStart() {
      const faults = messageFaults(folder);
      if (faults.length > 0) {
        this.error(`messages differ between languages:\n  ${faults.join("\n  ")}`);
      }
    },
  };
}
