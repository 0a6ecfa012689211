import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";
import { type StoredRecord, store } from "../src/dev/data.ts";
import { MockEngine } from "../src/dev/mock.ts";
import { Draft } from "../src/lib/records/draft.svelte.ts";
import { accepts } from "../src/lib/records/limits.ts";
import { RecordList } from "../src/lib/records/list.svelte.ts";
import { ACME, BAUER, gateway, openRecord, openWindow } from "./window.ts";

function many(count: number): StoredRecord[] {
  return Array.from({ length: count }, (_, index) =>
    store(`7acme.${index}`, "ACME", { kind: "note", title: `Note ${index}`, tags: [], fields: [], notes: "", age: 0 }),
  ).sort((a, b) => a.view.title.localeCompare(b.view.title));
}

describe("the list", () => {
  it("fetches only as far as what is in sight", async () => {
    const engine = new MockEngine({ tenants: [ACME], records: () => many(1_000) }).install();
    const list = new RecordList();
    await list.show("7acme");
    expect(engine.count("records_list")).toBe(1);
    expect(list.count).toBe(1_000);
    list.ensure(0, 150);
    expect(engine.count("records_list")).toBe(1);
    list.ensure(500, 650);
    await waitFor(() => expect(list.row(649)).toBeDefined());
    // The two pages that hold them; not the one between.
    expect(engine.count("records_list")).toBe(3);
    expect(list.row(399)).toBeUndefined();
    expect(list.row(649)?.title).toBe(many(1_000)[649]?.view.title);
    list.ensure(350, 380);
    await waitFor(() => expect(list.row(350)?.title).toBe(many(1_000)[350]?.view.title));
  });

  it("goes to the end of a long list at once, and back", async () => {
    const engine = new MockEngine({ tenants: [ACME], records: () => many(10_050) }).install();
    const list = new RecordList();
    await list.show("7acme");
    list.ensure(10_030, 10_050);
    await waitFor(() => expect(list.row(10_049)).toBeDefined());
    expect(engine.count("records_list")).toBe(2);
    expect(list.count).toBe(10_050);
    list.select(10_049);
    expect(list.selectedIndex).toBe(10_049);
    // From the chosen row up, as far as rows are there without a gap.
    list.mark(10_020, "range");
    expect(list.chosen).toHaveLength(30);
    list.mark(0, "all");
    expect(list.chosen).toHaveLength(200);
  });

  it("drops the answer to a search that the person has typed past", async () => {
    const engine = new MockEngine({ tenants: [ACME], records: () => many(20) }).install();
    const slow = engine.answer.bind(engine);
    let release: (() => void) | undefined;
    engine.answer = async (command, args) => {
      if (command === "search" && args.query === "Note 1") await new Promise<void>((resolve) => (release = resolve));
      return slow(command, args);
    };
    const list = new RecordList();
    await list.show("7acme");
    list.search("Note 1");
    await waitFor(() => expect(release).toBeDefined());
    list.search("Note 19");
    await waitFor(() => expect(list.count).toBe(1));
    release?.();
    await new Promise((resolve) => setTimeout(resolve, 10));
    expect(list.row(0)?.title).toBe("Note 19");
  });

  it("tells in each row what the settings say", async () => {
    const { user } = await openWindow({ settings: { row_detail: "value" } });
    const about = async () =>
      (await screen.findByText("Gateway")).closest(".row")?.querySelector(".about")?.textContent;
    expect(await about()).toContain("svc_app · Login");
    await user.keyboard("{Control>},{/Control}");
    await user.click(await screen.findByRole("radio", { name: "Tags" }));
    await user.click(screen.getByRole("button", { name: /^ACME/ }));
    await waitFor(async () => expect(await about()).toContain("vpn · Login"));
  });

  it("asks once for words typed quickly", async () => {
    const { engine, user } = await openWindow();
    await user.type(await screen.findByRole("searchbox"), "gateway");
    await screen.findByText("1 found");
    expect(engine.count("search")).toBe(1);
    expect(engine.calls.at(-1)?.args).toMatchObject({ query: "gateway", tenant: "7acme" });
  });

  it("begins the search anew in another tenant, so that no word crosses over", async () => {
    const { user } = await openWindow();
    await user.type(await screen.findByRole("searchbox"), "gateway");
    await screen.findByText("1 found");
    await user.click(screen.getByRole("button", { name: /^Bauer/ }));
    await screen.findByText("Their gateway");
    expect(screen.getByRole<HTMLInputElement>("searchbox").value).toBe("");
  });

  it("goes to the other tenant with a record found there, and keeps what was found", async () => {
    const { user } = await openWindow();
    await user.type(await screen.findByRole("searchbox"), "gateway");
    await screen.findByText("1 found");
    await user.click(screen.getByRole("button", { name: "Every tenant" }));
    await screen.findByText("2 found");
    await openRecord(user, "Their gateway");
    expect(document.querySelector(".band")?.textContent).toContain("Bauer");
    expect(screen.getByText("2 found")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Clear the search" }));
    await screen.findByText("1 record");
    expect(within(screen.getByRole("listbox")).getByText("Their gateway")).toBeTruthy();
  });

  it("is moved through by keys", async () => {
    const { user } = await openWindow({ tenants: [ACME], records: () => many(30) });
    const list = await screen.findByRole("listbox");
    list.focus();
    await user.keyboard("{ArrowDown}{ArrowDown}");
    await screen.findByRole("heading", { level: 2, name: "Note 1" });
    await user.keyboard("{End}");
    await screen.findByRole("heading", { level: 2, name: "Note 9" });
  });
});

describe("a record being written", () => {
  it("is checked beside its fields and not sent while something is wrong", async () => {
    const { user, engine } = await openWindow();
    await user.keyboard("{Control>}n{/Control}");
    const form = await screen.findByRole("form", { name: "New record" });
    await user.keyboard("{Control>}s{/Control}");
    await within(form).findByText("Give the record a title.");
    expect(document.activeElement).toBe(within(form).getByLabelText("Title"));
    expect(engine.count("record_add")).toBe(0);
    await user.type(within(form).getByLabelText("Title"), "Mail relay");
    await user.click(within(form).getByRole("button", { name: "Save" }));
    await screen.findByRole("heading", { level: 2, name: "Mail relay" });
    expect(engine.calls.find((call) => call.command === "record_add")?.args).toMatchObject({ tenant: "7acme" });
  });

  it("is not lost without a question", async () => {
    const { user } = await openWindow();
    await openRecord(user);
    await user.keyboard("{Control>}e{/Control}");
    await user.type(await screen.findByLabelText("Title"), "!");
    await user.click(screen.getByRole("button", { name: /^Bauer/ }));
    await user.click(await screen.findByRole("button", { name: "Keep editing" }));
    expect(screen.getByLabelText<HTMLInputElement>("Title").value).toBe("Gateway!");
    await user.click(screen.getByRole("button", { name: /^Bauer/ }));
    await user.click(await screen.findByRole("button", { name: "Discard" }));
    await screen.findByText("Their gateway");
  });

  it("is left without a question when nothing was changed", async () => {
    const { user } = await openWindow();
    await openRecord(user);
    await user.keyboard("{Control>}e{/Control}");
    await screen.findByLabelText("Title");
    await user.keyboard("{Escape}");
    await screen.findByRole("button", { name: "Edit" });
  });

  it("stays in the form when somebody else changed the record meanwhile", async () => {
    const { user, engine } = await openWindow();
    await openRecord(user);
    await user.keyboard("{Control>}e{/Control}");
    await user.type(await screen.findByLabelText("Title"), "!");
    engine.refuse.set("record_change", "version_conflict");
    await user.click(screen.getByRole("button", { name: "Save" }));
    await screen.findByText("The record was changed meanwhile");
    expect(screen.getByLabelText<HTMLInputElement>("Title").value).toBe("Gateway!");
  });

  it("cannot be started where the right is only to read", async () => {
    const { user, engine } = await openWindow({ tenants: [{ ...BAUER, right: "reader" }] });
    await openRecord(user, "Their gateway");
    expect(screen.queryByRole("button", { name: "Edit" })).toBeNull();
    await user.keyboard("{Control>}n{/Control}");
    expect(screen.queryByRole("form")).toBeNull();
    expect(engine.count("record_add")).toBe(0);
  });
});

describe("a draft", () => {
  it("leaves out fields without name and value, and sends the rest in their order", () => {
    const draft = new Draft(gateway().view);
    draft.add("", "text");
    const key = draft.add("Port", "number");
    const port = draft.fields.find((field) => field.key === key);
    if (port) port.value = "443";
    draft.move(key, -1);
    draft.tags = "vpn, , eu,vpn";
    expect(draft.toDraft()).toEqual({
      kind: "login",
      title: "Gateway",
      fields: [
        { id: 1, name: "User", field_type: "text", value: "svc_app" },
        { id: 2, name: "Password", field_type: "secret", value: null },
        { id: 3, name: "Website", field_type: "url", value: "https://vpn.example/" },
        { id: null, name: "Port", field_type: "number", value: "443" },
      ],
      tags: ["vpn", "eu"],
      notes: "",
    });
  });

  it("finds two fields of one name", () => {
    const draft = new Draft(gateway().view);
    const key = draft.add("User", "text");
    expect(draft.faults.get(`name ${key}`)).toBe("name_repeated");
  });

  // The same values as the engine's own test (coffer-model, `values_must_fit_their_type`).
  it.each([
    ["text", "a b", "a\nb"],
    ["email", "ines@example.org", "ines at example"],
    ["phone", "+49 (0)30 1234-56", "call me"],
    ["url", "https://example.org/a", "two words"],
    ["date", "2026-02-28", "2026-02-30"],
    ["number", "-12.50", "1,5"],
    ["multiline", "a\nb", "a\0b"],
  ] as const)("takes as %s what the engine takes", (type, good, bad) => {
    expect(accepts(type, good)).toBe(true);
    expect(accepts(type, bad)).toBe(false);
    expect(accepts(type, "")).toBe(true);
  });
});
