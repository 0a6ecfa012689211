// A redacted twin, and a person in the data: found, handed over, erased.
import { screen, waitFor, within } from "@testing-library/svelte";
import type { UserEvent } from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { ACME, BAUER, gateway, openWindow } from "./window.ts";

const options = () => ({
  tenants: [{ ...ACME }, { ...BAUER }],
  records: (tenant: { id: string }) =>
    tenant.id === "7acme"
      ? [gateway("7acme.1", "Anna Schmidt"), gateway("7acme.2", "Anna Schmidt, portal"), gateway("7acme.3", "Gate")]
      : [gateway("7bauer.1", "Their gateway")],
});

async function command(user: UserEvent, words: string) {
  await user.keyboard("{Control>}k{/Control}");
  const palette = await screen.findByRole("dialog");
  await user.type(within(palette).getByRole("combobox"), words);
  await user.keyboard("{Enter}");
}

async function lookFor(user: UserEvent, identifiers: string) {
  await command(user, "Person in the data");
  await user.type(await screen.findByLabelText("By what the person is found"), identifiers);
  await user.click(screen.getByRole("button", { name: "Look through ACME" }));
}

describe("a redacted twin", () => {
  it("is made by name, tells its seed, and is marked in the band", async () => {
    const { user, engine } = await openWindow(options());
    await command(user, "redacted twin");
    const dialog = await screen.findByRole("dialog", { name: "Redacted twin of ACME" });
    const name = within(dialog).getByLabelText("Name");
    expect((name as HTMLInputElement).value).toBe("ACME, invented");
    await user.type(within(dialog).getByLabelText("Seed"), "4711");
    await user.click(within(dialog).getByRole("button", { name: "Make the twin" }));
    await within(dialog).findByText("3 records invented");
    expect(within(dialog).getByText("4711")).toBeTruthy();
    expect(engine.calls.find((call) => call.command === "tenant_twin_start")?.args).toEqual({
      tenant: "7acme",
      name: "ACME, invented",
      seed: 4711,
    });
    await user.click(within(dialog).getByRole("button", { name: "Show the twin" }));
    await waitFor(() => expect(document.querySelector(".band")?.textContent).toContain("Invented data"));
  });

  it("wants a name of its own and a whole number", async () => {
    const { user, engine } = await openWindow(options());
    await command(user, "redacted twin");
    const dialog = await screen.findByRole("dialog", { name: "Redacted twin of ACME" });
    await user.clear(within(dialog).getByLabelText("Name"));
    await user.type(within(dialog).getByLabelText("Name"), "bauer");
    await user.type(within(dialog).getByLabelText("Seed"), "-1");
    await user.click(within(dialog).getByRole("button", { name: "Make the twin" }));
    expect(within(dialog).getByText("Another tenant has this name already.")).toBeTruthy();
    expect(within(dialog).getByText("A seed is a whole number of at most 15 digits")).toBeTruthy();
    expect(engine.count("tenant_twin_start")).toBe(0);
  });

  it("is nothing for who only reads", async () => {
    const { user } = await openWindow({ ...options(), tenants: [{ ...ACME, right: "reader" }] });
    await user.keyboard("{Control>}k{/Control}");
    const palette = await screen.findByRole("dialog");
    await user.type(within(palette).getByRole("combobox"), "twin");
    expect(within(palette).queryByText("Make a redacted twin…")).toBeNull();
  });
});

describe("a person in the data", () => {
  it("is looked for by several identifiers, told by place and never by value", async () => {
    const { user, engine } = await openWindow(options());
    await lookFor(user, "Anna Schmidt{Enter}030 1234567");
    await screen.findByText(/Found in 2 records/);
    expect(engine.calls.find((call) => call.command === "subject_find_start")?.args).toEqual({
      tenant: "7acme",
      identifiers: ["Anna Schmidt", "030 1234567"],
    });
    expect(screen.getAllByText("Title").length).toBe(2);
    expect(document.documentElement.outerHTML).not.toContain("canary");
  });

  it("is not looked for by less than three letters", async () => {
    const { user } = await openWindow(options());
    await command(user, "Person in the data");
    await user.type(await screen.findByLabelText("By what the person is found"), "ab");
    expect((screen.getByRole("button", { name: "Look through ACME" }) as HTMLButtonElement).disabled).toBe(true);
  });

  it("is handed over without what was left out", async () => {
    const { user, engine } = await openWindow(options());
    await lookFor(user, "Anna Schmidt");
    await user.click(await screen.findByRole("checkbox", { name: "Mean Anna Schmidt, portal" }));
    await user.click(screen.getByRole("button", { name: "Hand over…" }));
    await screen.findByText("1 record written");
    expect(engine.calls.find((call) => call.command === "subject_export_start")?.args).toEqual({
      tenant: "7acme",
      identifiers: ["Anna Schmidt"],
      records: ["7acme.1"],
    });
  });

  it("is erased once the tenant's name was typed, and backups are named", async () => {
    const { user, engine } = await openWindow(options());
    await lookFor(user, "Anna Schmidt");
    await user.click(await screen.findByRole("button", { name: "Erase…" }));
    const dialog = await screen.findByRole("dialog", { name: "Erase 2 records" });
    const erase = within(dialog).getByRole("button", { name: "Erase for good" }) as HTMLButtonElement;
    expect(erase.disabled).toBe(true);
    await user.type(within(dialog).getByRole("textbox"), "ACME");
    await user.click(erase);
    await screen.findByText(/The same search finds nothing any more/);
    expect(screen.getByText(/^Number 3, made/)).toBeTruthy();
    expect(engine.calls.find((call) => call.command === "subject_erase_start")?.args).toEqual({
      tenant: "7acme",
      identifiers: ["Anna Schmidt"],
      records: null,
      history_only: false,
    });
  });

  it("is forgotten when another tenant comes in sight", async () => {
    const { user } = await openWindow(options());
    await lookFor(user, "Anna Schmidt");
    await screen.findByText(/Found in 2 records/);
    await user.click(screen.getByRole("button", { name: /^Bauer/ }));
    await within(screen.getByRole("main")).findByText("Their gateway");
    await command(user, "Person in the data");
    expect(((await screen.findByLabelText("By what the person is found")) as HTMLTextAreaElement).value).toBe("");
    expect(screen.queryByText(/Found in/)).toBeNull();
  });
});
