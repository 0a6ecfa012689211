// What fields do beyond holding a value: codes, made secrets, choices, references, kinds.
import { screen, waitFor, within } from "@testing-library/svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { store } from "../src/dev/data.ts";
import { MockEngine } from "../src/dev/mock.ts";
import { Codes, grouped, SHOWN_MILLIS } from "../src/lib/records/codes.svelte.ts";
import { KindDraft, kindId } from "../src/lib/records/kind-draft.svelte.ts";
import { Kinds } from "../src/lib/records/kinds.svelte.ts";
import { accepts } from "../src/lib/records/limits.ts";
import { OpenRecord } from "../src/lib/records/open-record.svelte.ts";
import { FIRST_RECIPE, isPossible, toRequest } from "../src/lib/records/recipe.ts";
import { ACME, gateway, openRecord, openWindow } from "./window.ts";

const SEED = "JBSWY3DPEHPK3PXP";

function server() {
  return store("7acme.2", "ACME", {
    kind: "server",
    title: "Database",
    tags: [],
    fields: [
      ["Host", "text", "db1.example"],
      ["User", "text", "svc_db"],
      ["Recovery key", "secret", "canary-1"],
      ["Password", "secret", "canary-2"],
      ["Code", "totp", SEED],
      ["Environment", "choice", "Staging"],
      ["Certificate", "expiry", "2020-02-29"],
    ],
    notes: "",
    age: 0,
  });
}

/** The engine's keys have this form, and nothing else is taken for a reference. */
const KEY = "06df5xj9j9y2cbv0rkcpsd4x5r";
const withServer = () => ({ tenants: [{ ...ACME }], records: () => [gateway(`7acme.${KEY}`), server()] });

describe("a one-time code", () => {
  it("is shown in groups with the time it has left, and its seed never comes", async () => {
    const { user, engine } = await openWindow(withServer());
    await openRecord(user, "Database");
    expect(engine.count("code_show")).toBe(0);
    await user.click(screen.getByRole("button", { name: "Show the code of Code" }));
    await waitFor(() => expect(screen.getByRole("timer").textContent).toMatch(/^\d+ s$/));
    expect(document.body.textContent).toMatch(/\d{3} \d{3}/);
    expect(document.body.textContent).not.toContain(SEED);
    await user.click(screen.getByRole("button", { name: "Mask the code of Code" }));
    expect(screen.queryByRole("timer")).toBeNull();
    expect(engine.count("field_reveal")).toBe(0);
  });

  it("is copied by Ctrl+T without passing through the window", async () => {
    const { user, engine } = await openWindow(withServer());
    await openRecord(user, "Database");
    await user.keyboard("{Control>}t{/Control}");
    await screen.findByText(/The code of Code is copied/);
    expect(engine.calls.find((call) => call.command === "code_copy")?.args).toEqual({ id: "7acme.2", field: 5 });
    expect(engine.count("code_show")).toBe(0);
  });

  it("is gone when another place is shown and when the window locks", async () => {
    const { user } = await openWindow(withServer());
    await openRecord(user, "Database");
    await user.click(screen.getByRole("button", { name: "Show the code of Code" }));
    await screen.findByRole("timer");
    await user.click(screen.getByRole("button", { name: "Log" }));
    await screen.findByRole("heading", { name: "Log" });
    expect(screen.queryByRole("timer")).toBeNull();
  });

  it("is written in halves", () => {
    expect(["482913", "4829130", "48291307"].map(grouped)).toEqual(["482 913", "482 9130", "4829 1307"]);
  });
});

describe("the owner of codes", () => {
  beforeEach(() => vi.useFakeTimers({ now: new Date("2026-11-28T10:00:10Z") }));
  afterEach(() => vi.useRealTimers());

  it("lets codes follow each other for two minutes and then masks", async () => {
    const engine = new MockEngine({ tenants: [ACME], records: () => [server()] }).install();
    const codes = new Codes();
    await codes.show("7acme.2", 5);
    const first = codes.shown(5)?.digits;
    expect(codes.shown(5)?.secondsLeft).toBe(20);
    await vi.advanceTimersByTimeAsync(20_500);
    expect(codes.shown(5)?.digits).not.toBe(first);
    expect(engine.count("code_show")).toBe(2);
    await vi.advanceTimersByTimeAsync(SHOWN_MILLIS);
    expect(codes.shown(5)).toBeUndefined();
    const asked = engine.count("code_show");
    await vi.advanceTimersByTimeAsync(SHOWN_MILLIS);
    expect(engine.count("code_show")).toBe(asked);
  });

  it("does not keep a code that arrives after everything was dropped", async () => {
    new MockEngine({ tenants: [ACME], records: () => [server()] }).install();
    const codes = new Codes();
    const late = codes.show("7acme.2", 5);
    codes.drop();
    await late;
    expect(codes.shown(5)).toBeUndefined();
  });
});

describe("a made secret", () => {
  it("is saved by its handle without ever reaching the window", async () => {
    const { user, engine } = await openWindow();
    await user.keyboard("{Control>}n{/Control}");
    const form = await screen.findByRole("form", { name: "New record" });
    await user.type(within(form).getByLabelText("Title"), "Mail relay");
    await user.click(within(form).getByRole("button", { name: "Make a secret for Password" }));
    const dialog = await screen.findByRole("dialog");
    await user.click(within(dialog).getByRole("radio", { name: "Passphrase" }));
    await within(dialog).findByText(/77 bits/);
    await user.click(within(dialog).getByRole("button", { name: "Use it" }));
    await within(form).findByText("New secret");
    await user.click(within(form).getByRole("button", { name: "Copy what was made for Password" }));
    await screen.findByText(/Password copied/);
    await user.click(within(form).getByRole("button", { name: "Save" }));
    await screen.findByRole("heading", { level: 2, name: "Mail relay" });
    const sent = engine.calls.find((call) => call.command === "record_add")?.args.draft as { fields: object[] };
    expect(sent.fields).toContainEqual({
      id: null,
      name: "Password",
      field_type: "secret",
      value: null,
      made: "made2",
    });
    expect(engine.count("secret_show")).toBe(0);
  });

  it("is shown when the person looks at it, and masked with the next one", async () => {
    const { user, engine } = await openWindow();
    await user.keyboard("{Control>}n{/Control}");
    await user.click(await screen.findByRole("button", { name: "Make a secret for Password" }));
    const dialog = await screen.findByRole("dialog");
    await user.click(await within(dialog).findByRole("button", { name: "Look at it" }));
    await within(dialog).findByText("tQ7#vR2m-Kp9_xLw4Zs!");
    await user.click(within(dialog).getByRole("button", { name: "Make another one" }));
    await within(dialog).findByRole("button", { name: "Look at it" });
    expect(within(dialog).queryByText("tQ7#vR2m-Kp9_xLw4Zs!")).toBeNull();
    expect(engine.count("secret_show")).toBe(1);
  });

  it("asks for nothing that cannot be made", () => {
    expect(isPossible(FIRST_RECIPE)).toBe(true);
    expect(isPossible({ ...FIRST_RECIPE, length: 3 })).toBe(false);
    expect(isPossible({ ...FIRST_RECIPE, length: Number.NaN })).toBe(false);
    const none = { lower: false, upper: false, digits: false, symbols: false };
    expect(isPossible({ ...FIRST_RECIPE, ...none })).toBe(false);
    expect(isPossible({ ...FIRST_RECIPE, ...none, kind: "passphrase" })).toBe(true);
    expect(toRequest({ ...FIRST_RECIPE, kind: "passphrase" })).toEqual({
      kind: "passphrase",
      words: 6,
      separator: "-",
      capitals: false,
    });
  });
});

describe("a secret that is typed", () => {
  it("is judged by the engine when the typing rests", async () => {
    const { user, engine } = await openWindow();
    await user.keyboard("{Control>}n{/Control}");
    const row = await screen.findByRole("group", { name: "Password" });
    await user.type(within(row).getByLabelText("Value"), "hunter2");
    await within(row).findByText("Soon guessed");
    expect(engine.calls.filter((call) => call.command === "secret_assess").map((call) => call.args)).toEqual([
      { value: "hunter2" },
    ]);
  });
});

describe("templates", () => {
  it("say what the keys of a record mean", async () => {
    new MockEngine(withServer()).install();
    const kinds = new Kinds();
    await kinds.load();
    const open = new OpenRecord(kinds);
    await open.open("7acme.2");
    expect(open.userField?.name).toBe("User");
    expect(open.mainSecret?.name).toBe("Password");
    expect(open.mainCode?.name).toBe("Code");
  });

  it("offer choices, and another value beside them", async () => {
    const { user, engine } = await openWindow(withServer());
    await openRecord(user, "Database");
    await user.keyboard("{Control>}e{/Control}");
    const row = await screen.findByRole("group", { name: "Environment" });
    const choice = within(row).getByLabelText("Value");
    expect(
      within(choice)
        .getAllByRole("option")
        .map((option) => option.textContent),
    ).toEqual(["Nothing chosen", "Production", "Staging", "Test", "Something else…"]);
    await user.selectOptions(choice, "Something else…");
    const other = within(row).getByLabelText("Value");
    await user.clear(other);
    await user.type(other, "Spare");
    await user.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(engine.count("record_change")).toBe(1));
    const sent = engine.calls.find((call) => call.command === "record_change")?.args.draft as {
      fields: { name: string; value: string }[];
    };
    expect(sent.fields.find((field) => field.name === "Environment")?.value).toBe("Spare");
  });

  it("of the vault's own are added and removed in the settings", async () => {
    const { user, engine } = await openWindow();
    await user.keyboard("{Control>},{/Control}");
    await user.click(await screen.findByRole("button", { name: "New kind" }));
    const dialog = await screen.findByRole("dialog");
    await user.type(within(dialog).getByLabelText("Name"), "Alarm code");
    await user.type(within(dialog).getByLabelText("Field name"), "Code");
    await user.selectOptions(within(dialog).getByLabelText("Field type"), "Secret");
    await user.click(within(dialog).getByRole("button", { name: "Save" }));
    await screen.findByText("Alarm code");
    expect(engine.calls.find((call) => call.command === "kind_set")?.args.template).toEqual({
      kind: "alarm_code",
      name: "Alarm code",
      fields: [{ name: "Code", type: "secret", options: [], role: "secret" }],
    });
    await user.click(screen.getByRole("button", { name: "Remove the kind Alarm code" }));
    await user.click(await screen.findByRole("button", { name: "Remove" }));
    await waitFor(() => expect(screen.queryByText("Alarm code")).toBeNull());
  });

  it("are checked beside their fields", () => {
    const draft = new KindDraft(["door_code"]);
    expect(draft.faults.get("name")).toBe("name");
    draft.name = "Door code";
    expect(draft.faults.get("name")).toBe("taken");
    draft.name = "Bank account";
    expect(draft.faults.get("name")).toBe("taken");
    draft.name = "Größe & Maß";
    expect(draft.faults.size).toBe(0);
    const field = draft.fields[0];
    if (!field) throw new Error("a draft begins with a field");
    Object.assign(field, { name: "Place", type: "choice", options: " \n" });
    expect(draft.faults.get(`options ${field.key}`)).toBe("options");
    field.options = "Front\nCellar\nFront";
    expect(draft.toTemplate()).toEqual({
      kind: "grosse_mass",
      name: "Größe & Maß",
      fields: [{ name: "Place", type: "choice", options: ["Front", "Cellar"], role: null }],
    });
    expect(kindId("  __Ärger!! ")).toBe("arger");
  });
});

describe("a reference", () => {
  it("is found by words, kept by its key and followed", async () => {
    const { user, engine } = await openWindow(withServer());
    await openRecord(user, "Database");
    await user.keyboard("{Control>}e{/Control}");
    await user.click(await screen.findByRole("button", { name: "Add field" }));
    const names = screen.getAllByLabelText("Field name");
    await user.type(names.at(-1) as HTMLElement, "Gateway");
    const row = screen.getByRole("group", { name: "Gateway" });
    await user.selectOptions(within(row).getByLabelText("Field type"), "Other record");
    await user.type(within(row).getByRole("searchbox"), "gate");
    await user.click(await within(row).findByRole("button", { name: "Gateway" }));
    await user.click(screen.getByRole("button", { name: "Save" }));
    await user.click(await screen.findByRole("button", { name: "Gateway" }));
    await screen.findByRole("heading", { level: 2, name: "Gateway" });
    const sent = engine.calls.find((call) => call.command === "record_change")?.args.draft as { fields: object[] };
    expect(sent.fields).toContainEqual({ id: null, name: "Gateway", field_type: "reference", value: KEY });
  });
});

// The same values as the engine's own tests (coffer-model, `record` and `totp`).
describe("a field takes what the engine takes", () => {
  it.each([
    ["totp", "JBSW Y3DP EHPK 3PXP", "482913"],
    ["totp", "jbsw-y3dp-ehpk-3pxp", "JBSWY3DPEHPK3PX"],
    ["totp", "otpauth://totp/ACME:ines?secret=JBSWY3DPEHPK3PXP&issuer=ACME", "otpauth://totp/x?issuer=ACME"],
    [
      "totp",
      "OTPAUTH://TOTP/x?Secret=JBSWY3DPEHPK3PXP%3D&digits=8&period=60",
      "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&digits=9",
    ],
    [
      "totp",
      "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&algorithm=sha512",
      "otpauth://hotp/x?secret=JBSWY3DPEHPK3PXP&counter=1",
    ],
    [
      "totp",
      "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP#top",
      "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP&secret=JBSWY3DPEHPK3PXP",
    ],
    ["choice", "Production", "a\nb"],
    ["reference", "06df5xj9j9y2cbv0rkcpsd4x5r", "Gateway"],
    ["expiry", "2026-02-28", "28.2.2026"],
  ] as const)("%s: %s, not %s", (type, good, bad) => {
    expect(accepts(type, good)).toBe(true);
    expect(accepts(type, bad)).toBe(false);
    expect(accepts(type, "")).toBe(true);
  });
});
