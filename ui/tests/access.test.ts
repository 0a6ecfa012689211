// What can be told of accessibility without a real browser: names, roles, structure. Contrast is measured in the
// window tests.
import { screen, waitFor, within } from "@testing-library/svelte";
import type userEvent from "@testing-library/user-event";
import axe from "axe-core";
import { describe, expect, it } from "vitest";
import { openRecord, openWindow } from "./window.ts";

type User = ReturnType<typeof userEvent.setup>;

async function faults() {
  const { violations } = await axe.run(document, {
    rules: { "color-contrast": { enabled: false } },
    resultTypes: ["violations"],
  });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
}

const SCREENS: [string, (user: User) => Promise<unknown>][] = [
  ["an open record", (user) => openRecord(user)],
  [
    "a record being edited",
    async (user) => {
      await openRecord(user);
      await user.keyboard("{Control>}e{/Control}");
      await screen.findByRole("form");
    },
  ],
  [
    "several marked records",
    async (user) => {
      await openRecord(user);
      (await screen.findByRole("listbox")).focus();
      await user.keyboard("{Control>}a{/Control}");
      await screen.findByRole("toolbar");
    },
  ],
  [
    "the trash and what was moved there",
    async (user) => {
      await openRecord(user);
      await user.click(screen.getByRole("button", { name: "Move to the trash" }));
      await screen.findByText("No records yet");
      await user.click(screen.getByRole("button", { name: "Trash" }));
      await openRecord(user);
    },
  ],
  [
    "the question before purging",
    async (user) => {
      await openRecord(user);
      await user.click(screen.getByRole("button", { name: "Move to the trash" }));
      await screen.findByText("No records yet");
      await user.click(screen.getByRole("button", { name: "Trash" }));
      await openRecord(user);
      await user.click(screen.getByRole("button", { name: "Purge…" }));
      await screen.findByRole("dialog");
    },
  ],
  ["the help", (user) => user.keyboard("{Control>}/{/Control}")],
  ["the palette", (user) => user.keyboard("{Control>}k{/Control}")],
  ["settings", (user) => user.keyboard("{Control>},{/Control}")],
  ["backups", (user) => user.click(screen.getByRole("button", { name: "Backups" }))],
  ["health", (user) => user.click(screen.getByRole("button", { name: "Health" }))],
  [
    "a secret being made",
    async (user) => {
      await user.keyboard("{Control>}n{/Control}");
      await user.click(await screen.findByRole("button", { name: "Make a secret for Password" }));
      await screen.findByRole("button", { name: "Look at it" });
    },
  ],
  [
    "a kind being written",
    async (user) => {
      await user.keyboard("{Control>},{/Control}");
      await user.click(await screen.findByRole("button", { name: "New kind" }));
      await screen.findByRole("dialog");
    },
  ],
  ["what expires", (user) => user.click(screen.getByRole("button", { name: "Expiring" }))],
  [
    "the health of secrets",
    async (user) => {
      await user.click(screen.getByRole("button", { name: "Secret health" }));
      await user.click(await screen.findByRole("button", { name: "Assess ACME" }));
      await screen.findByText(/assessed/);
    },
  ],
  ["the log", (user) => user.click(screen.getByRole("button", { name: "Log" }))],
  ["people", (user) => user.click(screen.getByRole("button", { name: "People" }))],
  [
    "an invitation",
    async (user) => {
      await user.click(screen.getByRole("button", { name: "People" }));
      await user.click(await screen.findByRole("button", { name: "Invite…" }));
      await screen.findByRole("dialog");
    },
  ],
  [
    "a grant",
    async (user) => {
      await user.click(screen.getByRole("button", { name: "People" }));
      await user.click(await screen.findByRole("button", { name: "Grant Bauer to otto.brandt" }));
      await screen.findByRole("dialog");
    },
  ],
  [
    "the question before somebody leaves",
    async (user) => {
      await user.click(screen.getByRole("button", { name: "People" }));
      await user.click(await screen.findByRole("button", { name: "Remove mika" }));
      await screen.findByRole("dialog");
    },
  ],
  ["a new tenant", (user) => user.click(screen.getByRole("button", { name: "New tenant" }))],
];

describe("no accessibility fault", () => {
  it.each(SCREENS)("in %s", async (_, go) => {
    const { user } = await openWindow();
    await screen.findByRole("listbox");
    await go(user);
    expect(await faults()).toEqual([]);
  });

  it("in first run", async () => {
    await openWindow({ screen: "first_run" });
    await screen.findByRole("heading", { name: "Welcome to Coffer" });
    expect(await faults()).toEqual([]);
  });
});

describe("the keyboard", () => {
  it("finds the focus again where it was when a dialog closes", async () => {
    const { user } = await openWindow();
    const opener = screen.getByRole("button", { name: "New tenant" });
    opener.focus();
    await user.keyboard("{Enter}");
    const dialog = await screen.findByRole("dialog");
    expect(document.activeElement).toBe(within(dialog).getByLabelText("Name"));
    await user.click(within(dialog).getByRole("button", { name: "Cancel" }));
    await waitFor(() => expect(document.activeElement).toBe(opener));
  });

  it("begins in a dialog where something can be chosen, not at its close button", async () => {
    const { user } = await openWindow();
    await user.keyboard("{Control>}/{/Control}");
    const dialog = await screen.findByRole("dialog");
    expect(document.activeElement).not.toBe(within(dialog).getAllByRole("button", { name: "Close" })[0]);
    expect(dialog.contains(document.activeElement)).toBe(true);
  });

  it("goes to a record of another tenant through the palette, and the band follows", async () => {
    const { user } = await openWindow();
    await screen.findByRole("listbox");
    await user.keyboard("{Control>}k{/Control}");
    const palette = within(await screen.findByRole("dialog"));
    await user.type(palette.getByRole("combobox"), "their");
    await screen.findByRole("option", { name: /Their gateway/ });
    await user.keyboard("{Enter}");
    await screen.findByRole("heading", { level: 2, name: "Their gateway" });
    expect(document.querySelector(".band")?.textContent).toContain("Bauer");
    expect(screen.getByRole("searchbox", { name: "Find in Bauer" })).toBeTruthy();
  });

  it("leaves Ctrl+C to selected text", async () => {
    const { user, engine } = await openWindow();
    await openRecord(user);
    await user.keyboard("{Control>}c{/Control}");
    await waitFor(() => expect(engine.count("field_copy")).toBe(1));
    getSelection()?.selectAllChildren(screen.getByText("svc_app"));
    await user.keyboard("{Control>}c{/Control}");
    expect(engine.count("field_copy")).toBe(1);
  });
});

describe("the language", () => {
  it("changes the whole window at once", async () => {
    const { user } = await openWindow();
    await user.keyboard("{Control>},{/Control}");
    await user.click(await screen.findByRole("radio", { name: "Deutsch" }));
    await screen.findByRole("button", { name: "Sperren" });
    expect(document.documentElement.lang).toBe("de");
    expect((screen.getByRole("radio", { name: "Deutsch" }) as HTMLInputElement).checked).toBe(true);
    const [, language] = screen.getAllByRole("radio", { name: "Wie das System" });
    await user.click(language as HTMLElement);
    await screen.findByRole("button", { name: "Lock" });
    expect(document.documentElement.lang, "the system's is what the engine says").toBe("en");
  });
});
