// Records that go into another tenant from the window: seen in both colours, told what is cut, asked for by name, taken back.
import { screen, waitFor, within } from "@testing-library/svelte";
import type { UserEvent } from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { StoredRecord } from "../src/dev/data.ts";
import { ACME, BAUER, gateway, openRecord, openWindow } from "./window.ts";

const WORDS = "Move to another tenant…";

/** A record that refers to one that is not chosen. */
function referring(): StoredRecord {
  const record = gateway("7acme.1", "Gateway");
  record.view.fields.push({
    id: 9,
    name: "Behind",
    field_type: "reference",
    value: "crane",
    empty: false,
    reference: { id: "7acme.7", title: "Crane" },
  });
  return record;
}

const options = () => ({
  tenants: [{ ...ACME }, { ...BAUER }],
  records: (tenant: { id: string }) => (tenant.id === "7acme" ? [referring(), gateway("7acme.2", "Second")] : []),
});

async function openDialog(user: UserEvent) {
  await openRecord(user);
  const heading = await screen.findByRole("heading", { level: 2, name: "Gateway" });
  const header = heading.closest("header") as HTMLElement;
  await user.click(within(header).getByRole("button", { name: WORDS }));
  return within(await screen.findByRole("dialog", { name: "Move 1 record to another tenant" }));
}

describe("moving to another tenant", () => {
  it("shows both tenants in their colours and what is cut, and asks for the other one's name", async () => {
    const { user, engine } = await openWindow(options());
    const dialog = await openDialog(user);
    const hues = () => [...document.querySelectorAll("dialog [data-hue]")].map((band) => band.textContent?.trim());
    expect(hues()[0]).toContain("ACME");
    await user.selectOptions(dialog.getByLabelText("Tenant"), "Bauer");
    await dialog.findByText("1 reference leads to what stays here. It will be empty there:");
    expect(hues().some((band) => band?.includes("Bauer"))).toBe(true);
    expect(dialog.getByText(/Everybody who reads Bauer sees them/)).toBeTruthy();
    expect(dialog.getByRole("listitem").textContent?.replace(/\s+/gu, " ").trim()).toBe("Gateway · Behind → Crane");
    const go = dialog.getByRole("button", { name: "Move" }) as HTMLButtonElement;
    expect(go.disabled).toBe(true);
    const name = dialog.getByLabelText("Type the name of the other tenant to confirm");
    await user.type(name, "ACME");
    expect(go.disabled).toBe(true);
    await user.clear(name);
    await user.type(name, "Bauer");
    await user.click(go);
    await screen.findByText("1 record moved to Bauer");
    expect(engine.calls.find(({ command }) => command === "records_move_start")?.args).toEqual({
      from: "7acme",
      ids: ["7acme.1"],
      to: "7bauer",
      copy: false,
      confirmation: "Bauer",
    });
  });

  it("is taken back by Ctrl+Z", async () => {
    const { user, engine } = await openWindow(options());
    const dialog = await openDialog(user);
    await user.selectOptions(dialog.getByLabelText("Tenant"), "Bauer");
    await user.type(await dialog.findByLabelText("Type the name of the other tenant to confirm"), "Bauer");
    await user.click(dialog.getByRole("button", { name: "Move" }));
    await screen.findByText("1 record moved to Bauer");
    const rows = () => within(screen.getByRole("listbox")).queryAllByRole("option").length;
    await waitFor(() => expect(rows()).toBe(1));
    await user.keyboard("{Control>}z{/Control}");
    await screen.findByText("Taken back");
    await waitFor(() => expect(rows()).toBe(2));
    expect(engine.calls.find(({ command }) => command === "records_move_undo")?.args).toEqual({
      moved: [{ from: "7acme.1", to: "7bauer.1", version: 1, arrived: true }],
      copy: false,
    });
  });

  it("leaves a copy here when that is asked for", async () => {
    const { user } = await openWindow(options());
    const dialog = await openDialog(user);
    await user.selectOptions(dialog.getByLabelText("Tenant"), "Bauer");
    await user.click(await dialog.findByLabelText("Copy: leave them here, too"));
    await user.type(dialog.getByLabelText("Type the name of the other tenant to confirm"), "Bauer");
    await user.click(dialog.getByRole("button", { name: "Copy" }));
    await screen.findByText("1 record copied to Bauer");
    expect(within(screen.getByRole("listbox")).queryAllByRole("option").length).toBe(2);
  });

  it("is offered for several records, to stewards with another tenant to write to", async () => {
    const { user } = await openWindow(options());
    await openRecord(user);
    screen.getByRole("listbox").focus();
    await user.keyboard("{Shift>}{ArrowDown}{/Shift}");
    const bar = within(screen.getByRole("toolbar"));
    await user.click(bar.getByRole("button", { name: WORDS }));
    await screen.findByRole("dialog", { name: "Move 2 records to another tenant" });
  });

  it.each([
    ["only edit here", { right: "editor" as const }, {}],
    ["only read there", {}, { right: "reader" as const }],
  ])("is not offered to who may %s", async (_, here, there) => {
    const { user } = await openWindow({
      ...options(),
      tenants: [
        { ...ACME, ...here },
        { ...BAUER, ...there },
      ],
    });
    await openRecord(user);
    expect(screen.queryByRole("button", { name: WORDS })).toBeNull();
  });
});
