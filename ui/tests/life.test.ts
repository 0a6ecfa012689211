// The life of records in the window: several marked, the trash and what takes it back, favourites, orders, drafts.
import { screen, waitFor, within } from "@testing-library/svelte";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type StoredRecord, store } from "../src/dev/data.ts";
import type { DraftView } from "../src/lib/api/types.ts";
import { Draft } from "../src/lib/records/draft.svelte.ts";
import { Drafts, KEEP_MILLIS } from "../src/lib/records/drafts.svelte.ts";
import { Toasts, UNDO_MILLIS } from "../src/lib/ui/toasts.svelte.ts";
import { ACME, gateway, openRecord, openWindow } from "./window.ts";

function notes(count: number): StoredRecord[] {
  return Array.from({ length: count }, (_, index) =>
    store(`7acme.${index}`, "ACME", { kind: "note", title: `Note ${index}`, tags: [], fields: [], notes: "", age: 0 }),
  );
}

const three = { tenants: [{ ...ACME }], records: () => notes(3) };
const listbox = () => screen.findByRole("listbox");
const rows = async () =>
  within(await listbox())
    .queryAllByRole("option")
    .map((row) => row.querySelector(".title")?.textContent);
const marked = async () =>
  within(await listbox())
    .queryAllByRole("option")
    .filter((row) => row.getAttribute("aria-selected") === "true").length;

describe("several records", () => {
  it("are marked by Ctrl and Shift with the pointer, and one click ends it", async () => {
    const { user } = await openWindow(three);
    await openRecord(user, "Note 0");
    const list = within(await listbox());
    await user.keyboard("{Control>}");
    await user.click(list.getByText("Note 2"));
    await user.keyboard("{/Control}");
    expect(screen.getByText("2 marked")).toBeTruthy();
    await user.click(list.getByText("Note 0"));
    expect(screen.queryByRole("toolbar")).toBeNull();
    await user.keyboard("{Shift>}");
    await user.click(list.getByText("Note 2"));
    await user.keyboard("{/Shift}");
    expect(screen.getByText("3 marked")).toBeTruthy();
    expect(await marked()).toBe(3);
  });

  it("are marked by keys alone, moved to the trash, and brought back by Ctrl+Z", async () => {
    const { user, engine } = await openWindow(three);
    await openRecord(user, "Note 0");
    (await listbox()).focus();
    await user.keyboard("{Shift>}{ArrowDown}{/Shift}");
    expect(screen.getByText("2 marked")).toBeTruthy();
    await user.keyboard("{Delete}");
    await screen.findByText("2 records moved to the trash");
    await waitFor(async () => expect(await rows()).toEqual(["Note 2"]));
    expect(engine.calls.find(({ command }) => command === "records_trash")?.args).toEqual({
      ids: ["7acme.0", "7acme.1"],
    });
    await user.keyboard("{Control>}z{/Control}");
    await screen.findByText("Taken back");
    await waitFor(async () => expect(await rows()).toEqual(["Note 0", "Note 1", "Note 2"]));
  });

  it("are all marked by Ctrl+A, and none by Escape", async () => {
    const { user } = await openWindow(three);
    (await listbox()).focus();
    await user.keyboard("{Control>}a{/Control}");
    expect(screen.getByText("3 marked")).toBeTruthy();
    await user.keyboard("{Escape}");
    expect(screen.queryByRole("toolbar")).toBeNull();
  });

  it("get and lose tags in one step that can be taken back", async () => {
    const { user, engine } = await openWindow(three);
    (await listbox()).focus();
    await user.keyboard("{Control>}a{/Control}");
    await user.click(screen.getByRole("button", { name: "Change tags" }));
    const dialog = await screen.findByRole("dialog");
    await user.type(within(dialog).getByLabelText("Add tags"), "eu, vpn");
    await user.click(within(dialog).getByRole("button", { name: "Change" }));
    await screen.findByText("Tags of 3 records changed");
    expect((await engine.answer("record_open", { id: "7acme.1" })) as object).toMatchObject({ tags: ["eu", "vpn"] });
    await user.click(screen.getByRole("button", { name: "Undo" }));
    await screen.findByText("Taken back");
    expect((await engine.answer("record_open", { id: "7acme.1" })) as object).toMatchObject({ tags: [] });
  });

  it("say so when the step is refused, and stay marked as they were", async () => {
    const { user, engine } = await openWindow(three);
    engine.refuse.set("records_trash", "no_space");
    (await listbox()).focus();
    await user.keyboard("{Control>}a{/Control}{Delete}");
    await waitFor(() => expect(document.querySelector(".toast.danger")).not.toBeNull());
    // What to do stays until the person has read it.
    expect(document.querySelector(".toast.danger .todo")?.textContent).toBeTruthy();
    expect(screen.getByText("3 marked")).toBeTruthy();
  });
});

describe("the trash", () => {
  it("holds a record with everything until it is restored from there", async () => {
    const { user } = await openWindow();
    await openRecord(user);
    await user.click(screen.getByRole("button", { name: "Move to the trash" }));
    await screen.findByText("1 record moved to the trash");
    await screen.findByText("No records yet");
    await user.click(screen.getByRole("button", { name: "Trash" }));
    await screen.findByText("1 in the trash");
    await openRecord(user);
    expect(screen.queryByRole("button", { name: "Edit" })).toBeNull();
    expect(screen.queryByRole("button", { name: "Add to favourites" })).toBeNull();
    await user.keyboard("{Control>}e{/Control}");
    expect(screen.queryByRole("form")).toBeNull();
    await user.click(screen.getByRole("button", { name: "Restore" }));
    await screen.findByText("The trash is empty");
    await user.click(screen.getByRole("button", { name: "All records" }));
    await screen.findByText("1 record");
  });

  it("purges only after the record's title was typed", async () => {
    const { user, engine } = await openWindow();
    await openRecord(user);
    await user.click(screen.getByRole("button", { name: "Move to the trash" }));
    await screen.findByText("No records yet");
    await user.click(screen.getByRole("button", { name: "Trash" }));
    await openRecord(user);
    await user.click(screen.getByRole("button", { name: "Purge…" }));
    const dialog = await screen.findByRole("dialog");
    const purge = within(dialog).getByRole<HTMLButtonElement>("button", { name: "Purge" });
    expect(purge.disabled).toBe(true);
    await user.type(within(dialog).getByLabelText("Type this name to confirm"), "Gatewa{Enter}");
    expect(engine.count("records_purge")).toBe(0);
    await user.type(within(dialog).getByLabelText("Type this name to confirm"), "y{Enter}");
    await screen.findByText("1 record purged");
    await screen.findByText("The trash is empty");
    expect(screen.queryByRole("button", { name: "Undo" })).toBeNull();
  });

  it("is emptied after the tenant's name was typed, by a steward alone", async () => {
    const { user, engine } = await openWindow(three);
    (await listbox()).focus();
    await user.keyboard("{Control>}a{/Control}{Delete}");
    await screen.findByText("No records yet");
    await user.click(screen.getByRole("button", { name: "Trash" }));
    await user.click(await screen.findByRole("button", { name: "Empty…" }));
    const dialog = await screen.findByRole("dialog");
    await user.type(within(dialog).getByLabelText("Type this name to confirm"), "ACME{Enter}");
    await screen.findByText("3 records purged");
    expect(engine.calls.find(({ command }) => command === "trash_empty")?.args).toEqual({ tenant: "7acme" });
  });

  it("is not for purging where the right is to edit, nor for anything where it is to read", async () => {
    const trashed = gateway();
    trashed.view.trashed_at = new Date().toISOString();
    const { user } = await openWindow({ tenants: [{ ...ACME, right: "editor" }], records: () => [trashed] });
    await user.click(await screen.findByRole("button", { name: "Trash" }));
    await openRecord(user);
    expect(screen.getByRole("button", { name: "Restore" })).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Purge…" })).toBeNull();
    expect(screen.queryByRole("button", { name: "Empty…" })).toBeNull();
  });
});

describe("favourites", () => {
  it("are marked on the record, shown in the list, and listed alone", async () => {
    const { user } = await openWindow(three);
    await openRecord(user, "Note 1");
    await user.click(screen.getByRole("button", { name: "Add to favourites" }));
    await waitFor(() =>
      expect(within(screen.getByRole("listbox")).getByRole("img", { name: "Favourite" })).toBeTruthy(),
    );
    await user.click(screen.getByRole("button", { name: "Favourites" }));
    await screen.findByText("1 favourite");
    expect(await rows()).toEqual(["Note 1"]);
    await openRecord(user, "Note 1");
    await user.click(screen.getByRole("button", { name: "Remove from favourites" }));
    await screen.findByText("No favourites yet");
  });
});

describe("the order of the list", () => {
  it("is chosen by name and asked of the engine", async () => {
    const { user, engine } = await openWindow(three);
    await listbox();
    await user.selectOptions(screen.getByLabelText("Order of the list"), "Added");
    await waitFor(async () => expect(await rows()).toEqual(["Note 2", "Note 1", "Note 0"]));
    expect(engine.calls.at(-1)?.args).toMatchObject({ order: "created", favourites: false, after: null });
  });
});

describe("an earlier version", () => {
  it("is made the newest from the history, and taken back", async () => {
    const record = gateway();
    record.view.version = 3;
    const { user, engine } = await openWindow({ tenants: [{ ...ACME }], records: () => [record] });
    await openRecord(user);
    await user.click(screen.getByRole("radio", { name: "3 versions" }));
    expect(screen.queryByRole("button", { name: "Restore version 3" })).toBeNull();
    await user.click(await screen.findByRole("button", { name: "Restore version 1" }));
    await screen.findByText("The record is as it was at version 1");
    await user.click(screen.getByRole("button", { name: "Undo" }));
    await screen.findByText("Taken back");
    const asked = engine.calls.filter(({ command }) => command === "record_restore_version").map(({ args }) => args);
    expect(asked).toEqual([
      { id: "7acme.1", version: 1, expectedVersion: 3 },
      { id: "7acme.1", version: 3, expectedVersion: 4 },
    ]);
  });
});

const KEPT: DraftView = {
  record: "7acme.1",
  version: 1,
  kept_at: new Date(Date.now() - 60_000).toISOString(),
  kind: "login",
  title: "Gateway, half changed",
  fields: [{ id: 2, name: "Password", field_type: "secret", value: null }],
  tags: ["vpn"],
  notes: "",
};

describe("a draft", () => {
  afterEach(() => vi.useRealTimers());

  it("is kept when the window locks, before the engine is told to", async () => {
    const { user, engine } = await openWindow();
    await openRecord(user);
    await user.keyboard("{Control>}e{/Control}");
    await user.type(await screen.findByLabelText("Title"), "!");
    await user.keyboard("{Control>}l{/Control}");
    await screen.findByText("Locked");
    expect(document.body.textContent).not.toContain("Gateway");
    await waitFor(() => expect(engine.count("lock")).toBe(1));
    const order = engine.calls.map(({ command }) => command);
    expect(order.lastIndexOf("draft_keep")).toBeLessThan(order.lastIndexOf("lock"));
    expect(engine.drafts.get("7acme.1")).toMatchObject({ title: "Gateway!", version: 1 });
  });

  it("is offered with its record, taken up in the form, and gone once saved", async () => {
    const { user, engine } = await openWindow({ drafts: { "7acme.1": KEPT } });
    await openRecord(user);
    await screen.findByText("You were changing this record");
    expect(engine.count("draft_open")).toBe(0);
    await user.click(screen.getByRole("button", { name: "Continue" }));
    expect((await screen.findByLabelText<HTMLInputElement>("Title")).value).toBe("Gateway, half changed");
    await user.click(screen.getByRole("button", { name: "Save" }));
    await screen.findByRole("heading", { level: 2, name: "Gateway, half changed" });
    await waitFor(() => expect(engine.drafts.size).toBe(0));
    expect(screen.queryByText("You were changing this record")).toBeNull();
  });

  it("of a new record is offered before any is chosen, and can be discarded", async () => {
    const { user, engine } = await openWindow({ drafts: { "7acme": { ...KEPT, record: null, version: 0 } } });
    await screen.findByText("You were writing a new record");
    await user.click(screen.getByRole("button", { name: "Discard" }));
    await waitFor(() => expect(engine.drafts.size).toBe(0));
    expect(screen.queryByText("You were writing a new record")).toBeNull();
  });

  it("says that its record has been changed since", async () => {
    const { user } = await openWindow({ drafts: { "7acme.1": { ...KEPT, version: 7 } } });
    await openRecord(user);
    await screen.findByText(/has been changed since/);
  });

  it("is kept at most every few seconds, the last words always", async () => {
    const { engine } = await openWindow();
    vi.useFakeTimers();
    const drafts = new Drafts();
    const draft = new Draft(gateway().view);
    const before = engine.count("draft_keep");
    for (let letter = 0; letter < 20; letter++) {
      draft.title += "x";
      drafts.note("7acme", draft);
      await vi.advanceTimersByTimeAsync(KEEP_MILLIS / 10);
    }
    await vi.advanceTimersByTimeAsync(KEEP_MILLIS);
    expect(engine.count("draft_keep") - before).toBeLessThanOrEqual(3);
    expect(engine.drafts.get("7acme.1")?.title).toBe(`Gateway${"x".repeat(20)}`);
    await drafts.settle("7acme", "7acme.1");
    expect(engine.drafts.size).toBe(0);
  });

  it("leaves fields to the record that it does not have any more", () => {
    const kept = { ...KEPT, fields: [{ id: 9, name: "Gone", field_type: "secret" as const, value: null }] };
    expect(Draft.taken(gateway().view, kept).toDraft().fields).toEqual([
      { id: null, name: "Gone", field_type: "secret", value: "" },
    ]);
  });
});

describe("a refusal", () => {
  afterEach(() => vi.useRealTimers());

  it("stays until it is taken away, and is said once", () => {
    vi.useFakeTimers();
    const toasts = new Toasts();
    toasts.show("saved");
    toasts.refuse("not saved", "try again");
    toasts.refuse("not saved", "try again");
    vi.advanceTimersByTime(60_000);
    expect(toasts.list.map(({ text, todo }) => [text, todo])).toEqual([["not saved", "try again"]]);
    toasts.dismiss(toasts.list[0]?.id ?? -1);
    expect(toasts.list).toEqual([]);
  });
});

describe("an offer to take something back", () => {
  afterEach(() => vi.useRealTimers());

  it("holds for the newest step, once, and for some seconds", () => {
    vi.useFakeTimers();
    const toasts = new Toasts();
    const taken: string[] = [];
    toasts.offerUndo("first", "Undo", () => taken.push("first"));
    toasts.offerUndo("second", "Undo", () => taken.push("second"));
    expect(toasts.undo()).toBe(true);
    expect(toasts.undo()).toBe(false);
    expect(taken).toEqual(["second"]);
    toasts.offerUndo("third", "Undo", () => taken.push("third"));
    vi.advanceTimersByTime(UNDO_MILLIS);
    expect(toasts.undo()).toBe(false);
    expect(toasts.list).toEqual([]);
  });
});
