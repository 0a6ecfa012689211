// What the program's own build holds, and what it must not.
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, type Rolldown } from "vite";
import { beforeAll, describe, expect, it } from "vitest";
import { messageFaults } from "../messages/require-equal.ts";
import { MARK } from "../src/dev/mock.ts";

let files: { name: string; text: string }[] = [];

async function bundle(mode: string) {
  const output = (await build({ mode, logLevel: "silent", build: { write: false } })) as Rolldown.RolldownOutput;
  return output.output.map((file) => ({
    name: file.fileName,
    text: file.type === "chunk" ? file.code : file.fileName.endsWith("woff2") ? "" : String(file.source),
  }));
}

beforeAll(async () => {
  files = await bundle("production");
});

describe("the program's own build", () => {
  it("does not hold the make-believe engine, which the mock build does", async () => {
    const holders = (all: typeof files) => all.filter(({ text }) => text.includes(MARK) || text.includes("mockIPC"));
    expect(holders(files)).toEqual([]);
    expect(holders(await bundle("mock"))).not.toEqual([]);
  });

  it("fits the content security policy: no inline script or style, no eval, nothing from elsewhere", () => {
    const page = files.find(({ name }) => name === "index.html")?.text ?? "";
    expect(page).toContain("<script");
    expect(page).not.toMatch(/<script(?![^>]*\bsrc=)/);
    expect(page).not.toMatch(/<style|\sstyle=|\son\w+=/);
    for (const { name, text } of files.filter(({ name }) => /\.(js|css)$/.test(name))) {
      expect(text, name).not.toMatch(/\beval\(|new Function\(/);
      expect(text, name).not.toMatch(/url\(\s*["']?(https?:|data:)/);
      expect(text, name).not.toMatch(/\bfetch\(["'`]https?:/);
    }
  });

  it("brings its fonts along, in Latin letters only", () => {
    const fonts = files.map(({ name }) => name).filter((name) => name.endsWith(".woff2"));
    expect(fonts).toHaveLength(4);
    expect(fonts.every((name) => /latin/.test(name))).toBe(true);
  });
});

describe("the words", () => {
  it("are there in every language", () => {
    expect(messageFaults(join(import.meta.dirname, "../messages"))).toEqual([]);
  });

  it("fail the build when one is missing, too many or has other inputs", () => {
    const folder = mkdtempSync(join(tmpdir(), "coffer-words-"));
    writeFileSync(join(folder, "en.json"), JSON.stringify({ one: "One", two: "Two of {total}" }));
    writeFileSync(join(folder, "de.json"), JSON.stringify({ two: "Zwei", three: "Drei" }));
    expect(messageFaults(folder)).toEqual([
      "de.json: one is missing",
      "de.json: two has other inputs than en.json",
      "de.json: three is not in en.json",
    ]);
  });
});
