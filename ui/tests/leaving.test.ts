// Leaving by a deadline, the evidence, what was seen, the register of keys, and new keys for the own account.
import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";
import type { MockOptions } from "../src/dev/mock.ts";
import { openWindow } from "./window.ts";

async function openPlace(name: RegExp, heading: string, options: MockOptions = {}) {
  const opened = await openWindow(options);
  await opened.user.click(screen.getByRole("button", { name }));
  await screen.findByRole("heading", { name: heading, level: 2 });
  const args = (command: string) => opened.engine.calls.find((call) => call.command === command)?.args;
  return { ...opened, args };
}

const openPeople = async (options: MockOptions = {}) => {
  const opened = await openPlace(/^People/, "People", options);
  await within(screen.getByRole("table", { name: "Accounts" })).findByText("mika");
  return opened;
};

describe("leaving by a deadline", () => {
  it("takes hours and days, nothing typed, and can be taken back", async () => {
    const { user, args } = await openPeople();
    await user.click(screen.getByRole("button", { name: "Remove mika" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Remove mika" }));
    await user.click(dialog.getByRole("radio", { name: "By a deadline" }));
    expect(dialog.queryByLabelText("Type this login to confirm")).toBeNull();
    await user.selectOptions(dialog.getByLabelText("Access ends in"), "8 hours");
    await user.selectOptions(dialog.getByLabelText(/^Secrets they saw/), "14 days");
    await user.click(dialog.getByRole("button", { name: "Set the deadline…" }));
    await screen.findByText("Leaves");
    expect(args("leaving_set")).toEqual({ account: "0mika", hours: 8, days: 14 });
    await user.click(screen.getByRole("button", { name: "mika stays after all" }));
    await waitFor(() => expect(screen.queryByText("Leaves")).toBeNull());
    expect(args("account_keep")).toEqual({ account: "0mika" });
  });

  it("is overdue once the deadline is over", async () => {
    const { engine, user } = await openWindow();
    const mika = engine.people.accounts.find(({ login }) => login === "mika");
    if (mika) mika.access_by = "2026-01-01T00:00:00.000Z";
    await user.click(screen.getByRole("button", { name: /^People/ }));
    await screen.findByText("To be removed");
  });
});

describe("the evidence", () => {
  it("shows what was done, and takes another day from an administrator", async () => {
    const { user, args } = await openPeople();
    await user.click(screen.getByText(/^1 account/));
    await user.click(screen.getByRole("button", { name: "Evidence on noor" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Evidence on noor" }));
    await dialog.findByText("Overdue");
    expect(dialog.getByText("Key of the directory")).toBeTruthy();
    expect(dialog.getByText("not reported yet")).toBeTruthy();
    await user.selectOptions(dialog.getByLabelText("Change secrets within"), "30 days");
    await user.click(dialog.getByRole("button", { name: "Set from now…" }));
    await waitFor(() => expect(args("secrets_by_set")).toEqual({ account: "0noor", days: 30 }));
  });

  it("is for officers, and only looked at by an auditor", async () => {
    const { user } = await openPeople({ roles: ["auditor"] });
    await user.click(screen.getByText(/^1 account/));
    await user.click(screen.getByRole("button", { name: "Evidence on noor" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Evidence on noor" }));
    await dialog.findByText("Overdue");
    expect(dialog.queryByLabelText("Change secrets within")).toBeNull();
    expect(screen.queryByRole("button", { name: "Remove mika" })).toBeNull();
  });

  it("lets an auditor hold reports against the log", async () => {
    const { user, engine, args } = await openPeople({ roles: ["auditor"] });
    await user.click(screen.getByText(/^1 account/));
    await user.click(screen.getByRole("button", { name: "Evidence on noor" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Evidence on noor" }));
    await user.click(await dialog.findByRole("button", { name: "Compare with the log" }));
    expect(args("exposure_check_start")).toEqual({ account: "0noor" });
    await dialog.findByText("Reports and the log agree");
    expect(dialog.getByText("14 entries in both, 2 of them of secrets deleted since")).toBeTruthy();
    engine.keys.leftOut = [1_204, 20_017];
    await user.click(dialog.getByRole("button", { name: "Compare with the log" }));
    await dialog.findByText("Reports and the log do not agree");
    expect(dialog.getByText("Left out of the report, entries 1,204 · 20,017")).toBeTruthy();
    engine.keys.leftOut = [];
    engine.keys.reportedUpTo = null;
    await user.click(dialog.getByRole("button", { name: "Compare with the log" }));
    await dialog.findByText("Not all is reported yet");
  });

  it("has nothing to compare for who reads no log", async () => {
    const { user } = await openPeople({ roles: ["administrator"] });
    await user.click(screen.getByText(/^1 account/));
    await user.click(screen.getByRole("button", { name: "Evidence on noor" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Evidence on noor" }));
    await dialog.findByText("Overdue");
    expect(dialog.queryByRole("button", { name: "Compare with the log" })).toBeNull();
  });

  it("is nothing for members", async () => {
    await openPeople({ roles: ["member"] });
    expect(screen.queryByRole("button", { name: "Evidence on noor" })).toBeNull();
  });
});

describe("the exposure list", () => {
  it("names secrets by tenant and leaver, leads to the record and is reported", async () => {
    const { user, args } = await openPeople();
    await user.click(screen.getByRole("button", { name: "Exposure list" }));
    const leaver = within(await screen.findByRole("region", { name: "What noor saw in ACME" }));
    expect(leaver.getByText("1 to change").className).toContain("over");
    expect(leaver.getByText("3 changed")).toBeTruthy();
    await user.click(leaver.getByRole("button", { name: "Report to administrators and auditors" }));
    await leaver.findByText(/^Reported to administrators and auditors on/);
    expect(args("exposure_report_start")).toEqual({ tenant: "7acme", account: "0noor" });
    await user.click(leaver.getByRole("button", { name: /Gateway/ }));
    await screen.findByRole("heading", { level: 2, name: "Gateway" });
  });

  it("says when there is nothing, and is for stewards", async () => {
    const { engine, user } = await openPeople();
    engine.keys.exposures = [];
    await user.click(screen.getByRole("button", { name: "Exposure list" }));
    await screen.findByText("Nothing to change");
  });
});

describe("the register of keys", () => {
  it("shows what is in use, earlier ones when asked, and replaces", async () => {
    const { user, engine } = await openPlace(/^Keys/, "Keys");
    const table = within(await screen.findByRole("table", { name: "Register" }));
    expect(table.queryByText("Gone")).toBeNull();
    expect(table.getByText("overdue")).toBeTruthy();
    await user.click(screen.getByLabelText("Earlier ones, too"));
    await table.findByText("Gone");
    await user.click(table.getByRole("button", { name: "Replace: Key of the log" }));
    await screen.findByText("Key of the log: replaced");
    await user.click(table.getByRole("button", { name: "Replace: Key of ACME" }));
    await screen.findByText("Key of ACME: replaced");
    const rotated = engine.calls.filter(({ command }) => command === "key_rotate").map(({ args }) => args);
    expect(rotated).toEqual([
      { kind: "audit", tenant: null },
      { kind: "tenant", tenant: "7acme" },
    ]);
  });

  it("calls a key compromised before it is replaced in an emergency, once confirmed", async () => {
    const { user, engine } = await openPlace(/^Keys/, "Keys");
    const name = "Key of the directory: may be in wrong hands";
    await user.click(await screen.findByRole("button", { name }));
    expect(engine.count("key_compromised")).toBe(0);
    await user.click(
      within(await screen.findByRole("dialog", { name })).getByRole("button", { name: "Replace it now" }),
    );
    await screen.findByText("Key of the directory: replaced");
    const order = engine.calls.map(({ command }) => command).filter((command) => command.startsWith("key_"));
    expect(order).toEqual(["key_register", "key_compromised", "key_rotate", "key_register"]);
  });

  it("says who holds them to officers, and takes periods from administrators", async () => {
    const { user, args } = await openPlace(/^Keys/, "Keys");
    await user.click(await screen.findByRole("button", { name: "Who holds them" }));
    const holders = within(await screen.findByRole("list", { name: "Who holds Key of ACME" }));
    expect(holders.getByText("mika (Editor)")).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Periods…" }));
    const dialog = within(await screen.findByRole("dialog", { name: "How long keys are used" }));
    const days = dialog.getByLabelText(/^Keys of tenants/);
    await user.clear(days);
    await user.type(days, "180");
    await user.click(dialog.getByRole("button", { name: "Set periods" }));
    await screen.findByText("Periods set");
    expect(args("periods_set")).toEqual({ periods: [{ kind: "tenant", days: 180 }] });
  });

  it("shows a member neither holders nor periods", async () => {
    await openPlace(/^Keys/, "Keys", { roles: ["member"] });
    await screen.findByRole("table", { name: "Register" });
    expect(screen.queryByRole("button", { name: "Who holds them" })).toBeNull();
    expect(screen.queryByRole("button", { name: "Periods…" })).toBeNull();
  });
});

describe("new keys for the own account", () => {
  it("are explained before anything is typed, in a native window", async () => {
    const { user, engine, args } = await openPlace(/^Settings/, "Settings");
    await user.click(await screen.findByRole("button", { name: "New keys…" }));
    const dialog = within(await screen.findByRole("dialog", { name: "My passphrase may be known" }));
    expect(engine.count("own_keys_renew")).toBe(0);
    await user.click(dialog.getByRole("button", { name: "Make new keys and lock…" }));
    await waitFor(() => expect(engine.count("own_keys_renew")).toBe(1));
    expect(args("own_keys_renew") ?? {}).toEqual({});
  });
});
