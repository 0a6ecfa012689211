// What opens one's own account, the rules of the vault, and calls that wait for the passphrase to be given anew.
import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";
import type { MockOptions } from "../src/dev/mock.ts";
import * as api from "../src/lib/api/commands.ts";
import { openWindow } from "./window.ts";

async function openSettings(options: MockOptions = {}) {
  const opened = await openWindow(options);
  await opened.user.keyboard("{Control>},{/Control}");
  await screen.findByRole("heading", { name: "Your account" });
  const args = (command: string) => opened.engine.calls.find((call) => call.command === command)?.args;
  return { ...opened, args };
}

describe("what asks for the passphrase anew", () => {
  it("is asked for once and made again, however many calls wait", async () => {
    const { engine } = await openWindow();
    engine.refuse.set("tenants_list", "step_up_needed");
    engine.refuse.set("searches_list", "step_up_needed");
    engine.ways.answers.authenticate = () => {
      engine.refuse.clear();
      engine.ways.asked += 1;
      return true;
    };
    await Promise.all([api.tenantsList(), api.searchesList()]);
    expect(engine.ways.asked).toBe(1);
  });

  it("is not tried a third time, nor without the passphrase", async () => {
    const { engine } = await openWindow();
    engine.calls.length = 0;
    engine.refuse.set("tenants_list", "step_up_needed");
    await expect(api.tenantsList()).rejects.toMatchObject({ code: "step_up_needed" });
    expect(engine.count("tenants_list")).toBe(2);
    engine.ways.answers.authenticate = () => false;
    await expect(api.tenantsList()).rejects.toMatchObject({ code: "step_up_needed" });
    expect(engine.count("tenants_list")).toBe(3);
  });
});

describe("a second factor that the rules ask for", () => {
  it("is set up before anything else is shown", async () => {
    const { user } = await openWindow({ needsSecondFactor: true });
    expect(screen.queryByRole("navigation")).toBeNull();
    await user.click(screen.getByRole("button", { name: "Set up…" }));
    await screen.findByRole("navigation");
  });
});

describe("when it locks", () => {
  it("is as a preset says only while all that the preset sets is so", async () => {
    const { user } = await openSettings();
    const chosen = () => screen.getAllByRole("radio", { name: /Locks after/, checked: true });
    expect(chosen()).toHaveLength(1);
    await user.selectOptions(screen.getByLabelText(/Clear the clipboard/), "90");
    await screen.findByText("Your own times are set below.");
    expect(screen.queryAllByRole("radio", { name: /Locks after/, checked: true })).toEqual([]);
    await user.click(screen.getByRole("radio", { name: /Strict/ }));
    await waitFor(() => expect(screen.queryByText("Your own times are set below.")).toBeNull());
    expect(chosen()).toHaveLength(1);
  });
});

describe("the own account", () => {
  it("says what opens it, and changes it in native windows", async () => {
    const { user, engine, args } = await openSettings({ ways: { personal_code: true } });
    await user.click(await screen.findByRole("button", { name: "Set up…" }));
    await screen.findByText(/Spare codes left: 10/);
    await user.click(screen.getByRole("button", { name: "Require…" }));
    await waitFor(() => expect(args("key_factors_change")).toEqual({ device_secret: true, key_file: "keep" }));
    await screen.findByText(/without this computer/);
    await user.click(screen.getByRole("button", { name: "Remove…" }));
    await screen.findByText("The second factor was removed.");
    expect(engine.calls.flatMap(({ args }) => Object.keys(args))).not.toContain("passphrase");
    expect(document.querySelectorAll("input[type=password]")).toHaveLength(0);
  });

  it("asks whether to make a recovery code before something can shut the person out", async () => {
    const { user, engine, args } = await openSettings();
    await user.click(await screen.findByRole("button", { name: "Choose…" }));
    const dialog = within(await screen.findByRole("dialog"));
    expect(engine.count("key_factors_change")).toBe(0);
    await user.click(dialog.getByRole("button", { name: "Make the code first…" }));
    await waitFor(() => expect(args("key_factors_change")).toEqual({ device_secret: false, key_file: "choose" }));
    expect(engine.count("personal_code_make")).toBe(1);
  });

  it("warns while a key factor is all there is, and cannot remove what the rules ask for", async () => {
    await openSettings({ ways: { key_file: true, second_factor: true, second_factor_required: true } });
    await screen.findByText("Whoever loses a key factor is shut out");
    expect(screen.queryByRole("button", { name: "Remove…" })).toBeNull();
  });
});

describe("the rules", () => {
  it("are fixed for who is no administrator", async () => {
    await openSettings({ roles: ["member"], policy: { step_up: ["reveal"], kdf_memory_kib: 262_144 } });
    await screen.findByText("Fixed by an administrator");
    screen.getByText("Showing and copying secrets");
    expect(screen.queryByRole("button", { name: "Change…" })).toBeNull();
  });

  it("are changed all at once, and what takes two is said before", async () => {
    const { user, args } = await openSettings({ policy: { two_people: ["export", "erase"] } });
    await user.click(await screen.findByRole("button", { name: "Change…" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Change the rules" }));
    const set = dialog.getByRole("button", { name: "Change the rules…" });
    expect(set).toHaveProperty("disabled", true);
    await user.click(dialog.getByLabelText("Auditor"));
    await user.click(dialog.getByLabelText("Reading the log: Passphrase again"));
    expect(dialog.queryByLabelText("Reading the log: Two people")).toBeNull();
    await user.click(dialog.getByLabelText("Purging and erasing: Two people"));
    dialog.getByText("This takes two administrators");
    await user.selectOptions(dialog.getByLabelText("Least memory for a guess"), "0");
    await user.click(set);
    await waitFor(() =>
      expect(args("policy_set")).toEqual({
        second_factor: ["auditor"],
        step_up: ["read_log"],
        two_people: ["export"],
        kdf_memory_kib: 0,
      }),
    );
  });
});

describe("the identity provider", () => {
  it("is pinned with its key set, which is chosen in a dialog of the system's, and is taken away again", async () => {
    const { user, args } = await openSettings();
    await user.click(await screen.findByRole("button", { name: "Set up a provider…" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Identity provider" }));
    await user.click(dialog.getByRole("button", { name: "Choose the key set…" }));
    expect(dialog.getAllByText("This cannot be empty.")).toHaveLength(2);
    await user.type(dialog.getByLabelText("Issuer"), "https://id.example.org");
    await user.type(dialog.getByLabelText("Audience"), "coffer");
    await user.click(dialog.getByRole("button", { name: "Choose the key set…" }));
    await waitFor(() =>
      expect(args("provider_pin")).toEqual({
        issuer: "https://id.example.org",
        audience: "coffer",
        claim: "sub",
        days: 7,
        choose_key_set: true,
      }),
    );
    await screen.findByText("https://id.example.org");
    screen.getByText("2026-11 · P-256");
    await user.click(screen.getByRole("button", { name: "Remove…" }));
    await screen.findByText("None is set up.");
  });
});
