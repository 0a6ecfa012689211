// Long work: import, backups, the log, first run.
import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";
import { logEntries } from "../src/dev/data.ts";
import { MockEngine } from "../src/dev/mock.ts";
import { Import } from "../src/lib/import/import.svelte.ts";
import { RunningJob } from "../src/lib/job/job.svelte.ts";
import { openWindow } from "./window.ts";

describe("a job", () => {
  it("ends as cancelled when it was cancelled, and not as an error", async () => {
    const engine = new MockEngine({ jobMillis: 60_000 }).install();
    const { job } = (await engine.answer("backup_export_start", {})) as { job: string };
    const running = new RunningJob(job);
    await running.cancel();
    await running.over;
    expect(running.state).toBe("cancelled");
    expect(running.result).toBeNull();
  });

  it("fails with the engine's code when asking fails", async () => {
    new MockEngine().install();
    const running = new RunningJob("nobody's");
    await running.over;
    expect(running.state).toBe("failed");
    expect(running.error?.code).toBe("not_found");
  });
});

describe("an import", () => {
  it("writes nothing before a trial without faults", async () => {
    const { user, engine } = await openWindow();
    await user.click(await screen.findByRole("button", { name: "Import…" }));
    const dialog = await screen.findByRole("dialog");
    await user.click(within(dialog).getByRole("button", { name: "Choose file…" }));
    await user.selectOptions(await within(dialog).findByLabelText("Field type for Company"), "number");
    await user.click(within(dialog).getByRole("button", { name: "Try without writing" }));
    await within(dialog).findByText("3 rows cannot be imported");
    expect(within(dialog).getByText("411")).toBeTruthy();
    expect(within(dialog).getByRole<HTMLButtonElement>("button", { name: /^Import/ }).disabled).toBe(true);
    await user.click(within(dialog).getByRole("button", { name: "Back" }));
    await user.selectOptions(within(dialog).getByLabelText("Field type for Company"), "text");
    await user.click(within(dialog).getByRole("button", { name: "Try without writing" }));
    await user.click(await within(dialog).findByRole("button", { name: "Import 1,000" }));
    await within(dialog).findByText("1,000 records imported");
    const runs = engine.calls.filter((call) => call.command === "import_start").map((call) => call.args.dry_run);
    expect(runs).toEqual([true, true, false]);
  });

  it("cannot be tried while no column becomes the title or two share a target", async () => {
    new MockEngine().install();
    const work = new Import("7acme");
    await work.choose();
    expect(work.canTry).toBe(true);
    work.setTarget(0, "skip");
    expect(work.canTry).toBe(false);
    work.setTarget(0, "title");
    work.setTarget(1, "title");
    expect(work.repeated).toEqual(new Set([1]));
    expect(work.canTry).toBe(false);
  });

  it("asks for the passphrase of an encrypted file and tells what is not carried over", async () => {
    const { user, engine } = await openWindow({ lockedFile: true });
    await user.click(await screen.findByRole("button", { name: "Import…" }));
    const dialog = await screen.findByRole("dialog");
    await user.click(within(dialog).getByRole("button", { name: "Choose file…" }));
    await within(dialog).findByText("The file is encrypted");
    await user.click(within(dialog).getByRole("button", { name: "Key file and passphrase…" }));
    await within(dialog).findByText("日本語 🔑");
    within(dialog).getByText("2 things are not carried over");
    within(dialog).getByText("runbook.pdf");
    await user.click(within(dialog).getByLabelText("Leave out what the tenant has already"));
    await user.click(within(dialog).getByRole("button", { name: "Try without writing" }));
    await within(dialog).findByText("7 records are in the tenant already and are left out.");
    await user.click(await within(dialog).findByRole("button", { name: "Import 1,000" }));
    await within(dialog).findByText("1,000 records imported");
    const asked = engine.calls.find((call) => call.command === "import_open_file");
    expect(asked?.args).toMatchObject({ key_file: true });
    const runs = engine.calls.filter((call) => call.command === "import_start").map((call) => call.args);
    expect(runs.every((args) => args.skip_duplicates === true && Array.isArray(args.mapping))).toBe(true);
  });

  it("masks the columns of the preview that become secrets", async () => {
    const { user } = await openWindow();
    await user.click(await screen.findByRole("button", { name: "Import…" }));
    await user.click(await screen.findByRole("button", { name: "Choose file…" }));
    await screen.findByLabelText("Field type for Company");
    expect(document.body.textContent).not.toContain("hunter2");
  });
});

describe("an export", () => {
  it("asks in native windows, and says what is not in the file", async () => {
    const { user, engine } = await openWindow();
    await user.keyboard("{Control>}k{/Control}");
    await user.type(await within(await screen.findByRole("dialog")).findByRole("combobox"), "export tenant as csv");
    await user.keyboard("{Enter}");
    const dialog = await screen.findByRole("dialog", { name: "Export ACME" });
    await within(dialog).findByText("1,204 records exported");
    within(dialog).getByText("1,180 × that a field is secret");
    const calls = engine.calls.filter((call) => call.command === "tenant_export_start").map((call) => call.args);
    expect(calls).toEqual([{ tenant: "7acme", format: "csv" }]);
  });
});

describe("an archive", () => {
  const KEY = `age1${"q".repeat(58)}`;

  async function archiveDialog() {
    const opened = await openWindow();
    await opened.user.keyboard("{Control>}k{/Control}");
    await opened.user.type(
      await within(await screen.findByRole("dialog")).findByRole("combobox"),
      "export tenant as archive",
    );
    await opened.user.keyboard("{Enter}");
    const dialog = await screen.findByRole("dialog", { name: "Export ACME" });
    const calls = () =>
      opened.engine.calls.filter((call) => call.command === "tenant_export_start").map((call) => call.args);
    return { ...opened, dialog, calls };
  }

  it("is encrypted to a receiver, whose key must be one", async () => {
    const { user, dialog, calls } = await archiveDialog();
    const go = within(dialog).getByRole("button", { name: "Export…" });
    expect(go).toHaveProperty("disabled", true);
    const box = within(dialog).getByLabelText("The receiver's public key (age1…)");
    await user.type(box, "age1nonsense");
    within(dialog).getByText(/That is no public key of age/);
    expect(go).toHaveProperty("disabled", true);
    await user.clear(box);
    await user.type(box, ` ${KEY} `);
    await user.click(go);
    await screen.findByText("Only the receiver's key opens the file.");
    expect(calls()).toEqual([{ tenant: "7acme", format: "archive", recipient: KEY }]);
  });

  it("that anybody can read needs the tenant's name typed", async () => {
    const { user, dialog, calls } = await archiveDialog();
    await user.click(within(dialog).getByLabelText("Readable by anybody"));
    const go = within(dialog).getByRole("button", { name: "Export…" });
    const box = within(dialog).getByLabelText("Type this name to confirm");
    await user.type(box, "ACM");
    expect(go).toHaveProperty("disabled", true);
    await user.type(box, "E");
    await user.click(go);
    await screen.findByText(/Every secret in the file is readable/);
    expect(calls()).toEqual([{ tenant: "7acme", format: "archive", confirmation: "ACME" }]);
  });

  it("says whose it was before it becomes another tenant's", async () => {
    const { user } = await openWindow({ archiveFile: true });
    await user.click(await screen.findByRole("button", { name: "Import…" }));
    const dialog = await screen.findByRole("dialog");
    await user.click(within(dialog).getByRole("button", { name: "Choose file…" }));
    await within(dialog).findByText("An archive of Bauer & Co");
    within(dialog).getByText("It becomes data of ACME. See that this is meant.");
    within(dialog).getByText(/the template of a kind that this vault lacks/);
    await user.click(within(dialog).getByRole("button", { name: "Try without writing" }));
    await within(dialog).findByText(/2 attachments come along/);
    within(dialog).getByText(/1 record goes into the trash/);
  });
});

describe("backups", () => {
  it("can be cancelled, and says that nothing was left behind", async () => {
    const { user } = await openWindow({ jobMillis: 60_000 });
    await user.click(screen.getByRole("button", { name: "Backups" }));
    await user.click(await screen.findByRole("button", { name: "Export…" }));
    await screen.findByRole("progressbar");
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    await screen.findByText("Export cancelled");
  });

  it("are how the vault moves to another computer, which is asked for apart from them", async () => {
    const { user, engine } = await openWindow({ jobMillis: 60_000 });
    await user.click(screen.getByRole("button", { name: "Backups" }));
    const move = within(await screen.findByRole("region", { name: "Move to another computer" }));
    expect(move.getByText(/the copy here can be used no more/)).toBeTruthy();
    await user.click(move.getByRole("button", { name: "Move…" }));
    await screen.findByRole("progressbar", { name: "Moving the vault" });
    expect(engine.count("vault_move_start")).toBe(1);
  });

  it("say what to do when a move was stopped half-way", async () => {
    const { user, engine } = await openWindow();
    engine.refuse.set("vault_move_start", "move_unfinished");
    await user.click(screen.getByRole("button", { name: "Backups" }));
    await user.click(await screen.findByRole("button", { name: "Move…" }));
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("The vault counts as moved, but its file was not written");
    expect(alert.textContent).toContain("In the unlock window");
  });

  it("warn when the one verified is not the newest", async () => {
    const { user } = await openWindow();
    await user.click(screen.getByRole("button", { name: "Backups" }));
    await user.click(await screen.findByRole("button", { name: "Verify…" }));
    await screen.findByText("The backup is whole and genuine");
    await screen.findByText("A newer backup is known");
  });

  it("say what happened and what to do when the engine refuses", async () => {
    const { user, engine } = await openWindow();
    engine.refuse.set("backup_export_start", "no_space");
    await user.click(screen.getByRole("button", { name: "Backups" }));
    await user.click(await screen.findByRole("button", { name: "Export…" }));
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("The disk is full");
    expect(alert.textContent).toContain("Make room and try again.");
  });
});

describe("the log", () => {
  it("keeps only the rows in sight in the document", async () => {
    const { user } = await openWindow({ log: logEntries(2_000) });
    await user.click(screen.getByRole("button", { name: "Log" }));
    await screen.findByText(/^2,000 entries/);
    expect(document.querySelectorAll("tbody tr").length).toBeLessThan(60);
  });

  it("says in words that a verification found nothing wrong", async () => {
    const { user, engine } = await openWindow({ log: logEntries(300) });
    await user.click(screen.getByRole("button", { name: "Log" }));
    await user.click(await screen.findByRole("button", { name: "Verify the log" }));
    await screen.findByText(/^300 entries verified/);
    // Verifying is an entry, too: what is shown goes as far as what was verified.
    await waitFor(() => expect(engine.count("log_page")).toBe(2));
  });
});

describe("first run", () => {
  it("leads to an open vault only after the kit was saved and confirmed", async () => {
    const { user, engine } = await openWindow({ screen: "first_run" });
    await user.click(await screen.findByRole("button", { name: /^Create a vault/ }));
    await user.click(await screen.findByRole("button", { name: "Choose name and place…" }));
    await user.type(await screen.findByLabelText("Login name"), "Ines W");
    await user.click(screen.getByRole("button", { name: "Continue to the passphrase" }));
    await screen.findByText(/beginning and ending with a letter or digit/);
    expect(engine.count("create_vault")).toBe(0);
    await user.clear(screen.getByLabelText("Login name"));
    await user.type(screen.getByLabelText("Login name"), "ines");
    await user.click(screen.getByRole("button", { name: "Continue to the passphrase" }));
    const confirm = await screen.findByRole<HTMLButtonElement>("button", { name: "Confirm…" });
    expect(confirm.disabled).toBe(true);
    await user.click(screen.getByRole("button", { name: "Save…" }));
    await waitFor(() => expect(confirm.disabled).toBe(false));
    await user.click(confirm);
    await user.click(await screen.findByRole("button", { name: "Open the vault" }));
    await screen.findByRole("navigation");
  });

  it("asks as what recovery is made, and says so to the engine", async () => {
    const { user, engine } = await openWindow({ screen: "first_run" });
    await user.click(await screen.findByRole("button", { name: /^Create a vault/ }));
    await user.click(await screen.findByRole("button", { name: "Choose name and place…" }));
    await user.type(await screen.findByLabelText("Login name"), "ines");
    await user.click(screen.getByRole("radio", { name: /^Shares for several people/ }));
    const needed = await screen.findByLabelText("Needed together");
    await user.clear(needed);
    await user.type(needed, "6");
    await user.click(screen.getByRole("button", { name: "Continue to the passphrase" }));
    await screen.findByText("At least 2 are needed, of at most 16.");
    expect(engine.count("create_vault")).toBe(0);
    await user.clear(needed);
    await user.type(needed, "2");
    await user.click(screen.getByRole("button", { name: "Continue to the passphrase" }));
    await screen.findByRole("heading", { name: "Your recovery shares" });
    const asked = engine.calls.find((call) => call.command === "create_vault");
    expect(asked?.args.split).toEqual({ needed: 2, shares: 5 });
  });

  it.each([/^Open a vault/, /^Look around/])("goes on to the vault after %s", async (choice) => {
    const { user } = await openWindow({ screen: "first_run" });
    await user.click(await screen.findByRole("button", { name: choice }));
    await screen.findByRole("navigation");
  });

  it("has no place to type a passphrase into", async () => {
    const { user } = await openWindow({ screen: "first_run" });
    await user.click(await screen.findByRole("button", { name: /^Create a vault/ }));
    await user.click(await screen.findByRole("button", { name: "Choose name and place…" }));
    await screen.findByLabelText("Login name");
    expect(document.querySelectorAll("input:not([type=radio])")).toHaveLength(1);
    expect(document.querySelectorAll("input[type=password]")).toHaveLength(0);
  });

  it("says nothing when the person cancels a dialog", async () => {
    const { user, engine } = await openWindow({ screen: "first_run" });
    engine.refuse.set("open_vault", "cancelled");
    await user.click(await screen.findByRole("button", { name: /^Open a vault/ }));
    expect(screen.queryByRole("alert")).toBeNull();
  });
});
