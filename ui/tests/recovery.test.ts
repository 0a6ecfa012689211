// The recovery in use: renewed as a kit or as shares, trusted from the paper, and used to become a steward.
import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";
import type { MockEngine, MockOptions } from "../src/dev/mock.ts";
import { openWindow } from "./window.ts";

async function openKeys(options: MockOptions = {}, prepare: (engine: MockEngine) => void = () => {}) {
  const opened = await openWindow(options);
  prepare(opened.engine);
  await opened.user.click(screen.getByRole("button", { name: /^Keys/ }));
  await screen.findByRole("heading", { name: "Recovery", level: 3 });
  const args = (command: string) => opened.engine.calls.findLast((call) => call.command === command)?.args;
  return { ...opened, args };
}

describe("recovery in use", () => {
  it("is shown with its words to whoever trusts it", async () => {
    await openKeys();
    await screen.findByText("No. 1, one kit");
    screen.getByText("purr tiptop employed portal circular aneurism");
    expect(screen.queryByRole("button", { name: "Trust this recovery…" })).toBeNull();
  });

  it("shows no words to compare the screen with itself, and takes them from the paper", async () => {
    const { user, engine, args } = await openKeys({ roles: ["member"] }, (engine) => {
      engine.keys.recovery = { ...engine.keys.recovery, number: 2, trusted: false };
    });
    await user.click(await screen.findByRole("button", { name: "Trust this recovery…" }));
    expect(screen.queryByText(engine.keys.recovery.fingerprint)).toBeNull();
    const dialog = within(await screen.findByRole("dialog", { name: "Trust the new recovery" }));
    const box = dialog.getByLabelText("The six words on the paper");
    await user.type(box, "six other words");
    await user.click(dialog.getByRole("button", { name: "Trust it" }));
    await dialog.findByText("Those are other words");
    await user.clear(box);
    await user.type(box, engine.keys.recovery.fingerprint);
    await user.click(dialog.getByRole("button", { name: "Trust it" }));
    await screen.findByText("You trust the recovery in use");
    expect(args("recovery_accept")).toEqual({ words: engine.keys.recovery.fingerprint });
    await screen.findByText(engine.keys.recovery.fingerprint);
  });

  it("is renewed and used by administrators alone", async () => {
    await openKeys({ roles: ["member"] });
    await screen.findByText("No. 1, one kit");
    expect(screen.queryByRole("button", { name: "Renew recovery…" })).toBeNull();
    expect(screen.queryByRole("button", { name: "Become steward…" })).toBeNull();
  });
});

describe("renewing recovery", () => {
  it("makes shares as they can be split, and then replaces what waits for it", async () => {
    const { user, engine, args } = await openKeys();
    await user.click(await screen.findByRole("button", { name: "Renew recovery…" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Renew recovery" }));
    await user.click(dialog.getByRole("radio", { name: /^Shares for several people/ }));
    const needed = dialog.getByLabelText("Needed together");
    const make = dialog.getByRole("button", { name: "Make it…" });
    for (const [typed, holds] of [
      ["1", false],
      ["6", false],
      ["2", true],
    ] as const) {
      await user.clear(needed);
      await user.type(needed, typed);
      expect((make as HTMLButtonElement).disabled).toBe(!holds);
    }
    const before = engine.count("people_list");
    await user.click(make);
    await screen.findByText("No. 2, 2 of 5 shares");
    expect(args("recovery_renew")).toEqual({ split: { needed: 2, shares: 5 } });
    expect(screen.queryByRole("dialog")).toBeNull();
    await waitFor(() => expect(engine.count("people_list")).toBeGreaterThan(before));
  });

  it("says that nothing was changed when the person closes a native window", async () => {
    const { user, args } = await openKeys({}, (engine) => {
      engine.keys.declines = true;
    });
    await user.click(await screen.findByRole("button", { name: "Renew: Key of recovery" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Renew recovery" }));
    await user.click(dialog.getByRole("button", { name: "Make it…" }));
    await dialog.findByText("Nothing was changed");
    expect(args("recovery_renew")).toEqual({ split: null });
    screen.getByText("No. 1, one kit");
  });
});

describe("becoming steward by the kit", () => {
  it.each([
    [0, "Every tenant has a steward already"],
    [2, "This account is steward of 2 tenants that had none"],
  ])("says of how many tenants: %i", async (abandoned, words) => {
    const { user, engine } = await openKeys({ jobMillis: 10 }, (engine) => {
      engine.keys.abandoned = abandoned;
    });
    const before = engine.count("tenants_list");
    await user.click(await screen.findByRole("button", { name: "Become steward…" }));
    await screen.findByText(words);
    await waitFor(() => expect(engine.count("tenants_list")).toBeGreaterThan(before));
  });
});
