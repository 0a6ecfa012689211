// The health view: what is found, what mends it, and what is never lost from sight.
import { screen, waitFor, within } from "@testing-library/svelte";
import axe from "axe-core";
import { describe, expect, it } from "vitest";
import { checkWords } from "../src/lib/health/words.ts";
import { openWindow } from "./window.ts";

const goToHealth = (user: Awaited<ReturnType<typeof openWindow>>["user"]) =>
  user.click(screen.getByRole("button", { name: "Health" }));

describe("the checks", () => {
  it("say what was found, how it stands, and what mends it", async () => {
    const { user } = await openWindow({ enrolled: false });
    await goToHealth(user);
    const list = await screen.findByRole("list", { name: "Checks" });
    const device = await within(list).findByText("This device's key");
    const line = device.closest("li") as HTMLElement;
    within(line).getByText("Attention");
    within(line).getByText(/no backup can be made here/);
    within(line).getByText("An administrator enrols it: then it makes backups, also while the vault is locked.");
    within(list).getByText("Each guess at a passphrase fills 256 MiB of memory 4 times.");
    within(list).getByText("912.3 MB free on the vault's disk.");
  });

  it("show what this window does not know as it is", () => {
    expect(checkWords({ check: "moon_phase", state: "good", detail: "full" })).toEqual({
      title: "moon_phase",
      found: "full",
      mend: null,
    });
    expect(checkWords({ check: "memory", state: "unknown", detail: "constructor" }).found).toBe("constructor");
    expect(checkWords({ check: "kdf", state: "good", detail: "a lot" }).found).toBe("a lot");
  });
});

describe("this device", () => {
  it("can be enrolled only while it has no key", async () => {
    const { user, engine } = await openWindow({ enrolled: false });
    await goToHealth(user);
    await user.click(await screen.findByRole("button", { name: "Enrol this device…" }));
    await screen.findByText("This device is enrolled");
    expect(engine.count("device_enrol")).toBe(1);
    expect(screen.queryByRole("button", { name: "Enrol this device…" })).toBeNull();
  });

  it("is told why it was not enrolled", async () => {
    const { user, engine } = await openWindow({ enrolled: false });
    engine.refuse.set("device_enrol", "refused");
    await goToHealth(user);
    await user.click(await screen.findByRole("button", { name: "Enrol this device…" }));
    expect((await screen.findByRole("alert")).textContent).toContain("You may not do that");
    screen.getByRole("button", { name: "Enrol this device…" });
  });
});

describe("the files", () => {
  it("are checked once by themselves after unlocking", async () => {
    const { user, engine } = await openWindow();
    await goToHealth(user);
    await screen.findByText("2 files are as they were locked");
    expect(engine.calls.filter((call) => call.command === "files_check").map((call) => call.args)).toEqual([
      { again: false },
    ]);
  });

  it("that were altered stay in sight everywhere, whatever a later check can tell", async () => {
    const { user } = await openWindow({ firstFile: "altered" });
    const warning = await screen.findByRole("alert");
    expect(warning.textContent).toContain("1 tenant's file was altered while the vault was locked");
    expect(warning.textContent).toContain("ACME");
    const { violations } = await axe.run(document, { rules: { "color-contrast": { enabled: false } } });
    expect(violations).toEqual([]);
    await user.click(screen.getByRole("button", { name: "Log" }));
    await user.click(within(await screen.findByRole("alert")).getByRole("button", { name: "Show" }));
    await screen.findByRole("heading", { name: "Health" });
    await user.click(screen.getByRole("button", { name: "Check the vault's files" }));
    await waitFor(() => expect(screen.queryByRole("progressbar")).toBeNull());
    await screen.findByText("Altered while the vault was locked");
    await user.click(screen.getByRole("button", { name: "Backups" }));
    await screen.findByText("1 tenant's file was altered while the vault was locked");
  });

  it("can be left unchecked, and then are not called whole", async () => {
    const { user } = await openWindow({ jobMillis: 60_000 });
    await goToHealth(user);
    await user.click(await screen.findByRole("button", { name: "Cancel" }));
    await screen.findByText("Check cancelled");
    expect(screen.queryByText(/as they were locked/)).toBeNull();
  });
});

describe("a file of which nothing is known", () => {
  it("is not counted among those that are as they were", async () => {
    const { user } = await openWindow({ firstFile: "not_checkable" });
    await goToHealth(user);
    await screen.findByText(/^Not checkable/);
    await screen.findByText("1 file is as it was locked");
  });
});

describe("the list of backups", () => {
  it("has the receipts of backups made elsewhere, and the file's name where this program wrote it", async () => {
    const { user } = await openWindow();
    await user.click(screen.getByRole("button", { name: "Backups" }));
    const table = await screen.findByRole("table", { name: "Backups of this vault" });
    const rows = within(table).getAllByRole("row").slice(1);
    expect(rows.map((row) => row.querySelector(".file")?.textContent?.replace(/\s+/g, " ").trim())).toEqual([
      "office 2026-11-21.age in Backups",
      "not written by this program here",
      "office 2026-11-19.age in Backups",
    ]);
  });
});
