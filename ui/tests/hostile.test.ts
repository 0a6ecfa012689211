// Hostile text and hostile answers, by the names of the attacks they stand for.
import { screen, waitFor } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";
import { store } from "../src/dev/data.ts";
import { CommandError, errorWords } from "../src/lib/api/error.ts";
import { actionWords, findingWords } from "../src/lib/log/words.ts";
import { Kinds } from "../src/lib/records/kinds.svelte.ts";
import { kindWords } from "../src/lib/records/kinds.ts";
import { FIELD_TYPES } from "../src/lib/records/limits.ts";
import { visiblePieces } from "../src/lib/ui/visible.ts";
import { ACME, openRecord, openWindow } from "./window.ts";

const MARKUP = '<img src=x onerror="window.struck=true"><script>window.struck=true</script>';

describe("attack 45: markup in every field", () => {
  it("stays text in lists, records, history, log, form and dialogs", async () => {
    const record = store("7acme.1", MARKUP, {
      kind: MARKUP,
      title: MARKUP,
      tags: [MARKUP],
      fields: FIELD_TYPES.map((type) => [`${MARKUP} ${type}`, type, MARKUP]),
      notes: MARKUP,
      age: 0,
    });
    record.view.version = 2;
    const entry = {
      index: 0,
      at: new Date().toISOString(),
      action: MARKUP,
      actor: MARKUP,
      os_user: MARKUP,
      host: MARKUP,
      program: MARKUP,
      session: null,
      tenant: "7acme",
      tenant_name: MARKUP,
      account: MARKUP,
      record: null,
      field: null,
      version: null,
      count: null,
      entry: null,
    };
    const { user } = await openWindow({
      tenants: [{ ...ACME, name: MARKUP }],
      records: () => [record],
      log: [entry],
    });
    await openRecord(user, MARKUP);
    const isInert = () => {
      expect(document.querySelectorAll("img, script:not([src])")).toHaveLength(0);
      expect(Reflect.get(window, "struck")).toBeUndefined();
    };
    isInert();
    await user.click(screen.getAllByRole("button", { name: /^Reveal/ })[0] as HTMLElement);
    await waitFor(() => expect(screen.queryByRole("button", { name: /^Mask/ })).not.toBeNull());
    await user.click(screen.getAllByRole("button", { name: /large type$/ })[0] as HTMLElement);
    isInert();
    await user.click(screen.getAllByRole("button", { name: "Close" })[0] as HTMLElement);
    await user.click(screen.getByRole("radio", { name: "2 versions" }));
    isInert();
    await user.keyboard("{Control>}e{/Control}");
    await screen.findByRole("form");
    isInert();
    await user.click(screen.getByRole("button", { name: "Log" }));
    await screen.findByRole("table");
    isInert();
    expect(document.body.textContent).toContain(MARKUP);
  });

  it("offers no opening of addresses that are not http or https", async () => {
    const record = store("7acme.1", "ACME", {
      kind: "login",
      title: "Links",
      tags: [],
      fields: [
        ["Script", "url", "javascript:alert(1)"],
        ["File", "url", "file:///etc/passwd"],
        ["Web", "url", "https://example.org/"],
      ],
      notes: "",
      age: 0,
    });
    const { user } = await openWindow({ tenants: [ACME], records: () => [record] });
    await openRecord(user, "Links");
    expect(screen.getAllByRole("button", { name: /^Open .* in the browser$/ })).toHaveLength(1);
    expect(document.querySelectorAll("a[href]")).toHaveLength(0);
  });
});

describe("attack 48: prototypes through JSON", () => {
  it("has no effect, wherever an answer carries one", async () => {
    const polluted = JSON.parse('{"__proto__": {"code": "locked", "polluted": true}}');
    expect(CommandError.from(polluted).code).toBe("bug");
    expect(CommandError.from(JSON.parse('{"code": "__proto__"}')).code).toBe("bug");
    expect(CommandError.from(JSON.parse('{"code": "constructor"}')).code).toBe("bug");
    expect(errorWords(new CommandError("toString")).what).toBe("Something went wrong inside Coffer");
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      expect(kindWords(name)).toBe(name.replaceAll("_", " "));
      expect(new Kinds().template(name)).toEqual([]);
      expect(findingWords(name)).toContain(name);
      expect(actionWords({ action: name } as Parameters<typeof actionWords>[0])).toBe(name);
    }
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });

  it("has no effect as a record's own text", async () => {
    const record = store("7acme.1", "ACME", {
      kind: "__proto__",
      title: "__proto__",
      tags: ["__proto__", "constructor"],
      fields: [["__proto__", "text", '{"__proto__":{"polluted":true}}']],
      notes: "",
      age: 0,
    });
    const { user, engine } = await openWindow({ tenants: [ACME], records: () => [record] });
    await openRecord(user, "__proto__");
    await user.keyboard("{Control>}e{/Control}");
    await user.type(await screen.findByLabelText("Title"), "!");
    await user.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(engine.count("record_change")).toBe(1));
    expect(Reflect.get({}, "polluted")).toBeUndefined();
    const sent = engine.calls.find((call) => call.command === "record_change")?.args.draft as { fields: object[] };
    expect(Object.keys(sent).sort()).toEqual(["fields", "kind", "notes", "tags", "title"]);
    expect(sent.fields.map((field) => Object.keys(field).sort())).toEqual([["field_type", "id", "name", "value"]]);
  });
});

describe("attack 50: text that hides or turns", () => {
  it("shows every direction mark, zero-width character and control by its code", () => {
    const text = (value: string) =>
      visiblePieces(value)
        .map((piece) => piece.text)
        .join("|");
    expect(text("pay\u202Egnp.exe")).toBe("pay|U+202E|gnp.exe");
    expect(text("pass\u200Bword\uFEFF")).toBe("pass|U+200B|word|U+FEFF");
    expect(text("a\u00A0b\u0000c\u{E0041}")).toBe("a|U+00A0|b|U+0000|c|U+E0041");
  });

  it("leaves ordinary text of any language whole", () => {
    for (const value of ["Größe\nund\tÅsa", "日本語", "שלום", "👍🏽 ok", "naïve – “quoted” …"]) {
      expect(visiblePieces(value)).toEqual([{ text: value, hidden: false }]);
    }
  });
});
