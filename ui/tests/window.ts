// Opens the whole window over the make-believe engine, as the tests need it.
import { render, screen, within } from "@testing-library/svelte";
import userEvent from "@testing-library/user-event";
import { type StoredRecord, store } from "../src/dev/data.ts";
import { MockEngine, type MockOptions } from "../src/dev/mock.ts";
import type { TenantView } from "../src/lib/api/types.ts";
import App from "../src/views/App.svelte";

export const ACME: TenantView = {
  id: "7acme",
  name: "ACME",
  right: "steward",
  colour: 0,
  demo: false,
  created_at: "2026-01-01T00:00:00.000Z",
  records: null,
};
export const BAUER: TenantView = { ...ACME, id: "7bauer", name: "Bauer", colour: 1 };

/** A record of ACME with one secret. */
export function gateway(id = "7acme.1", title = "Gateway"): StoredRecord {
  return store(id, id.startsWith("7acme") ? "ACME" : "Bauer", {
    kind: "login",
    title,
    tags: ["vpn"],
    fields: [
      ["User", "text", "svc_app"],
      ["Password", "secret", "canary-7731"],
      ["Website", "url", "https://vpn.example/"],
    ],
    notes: "",
    age: 60_000,
  });
}

/** The window, unlocked unless told otherwise, with one record of ACME and one of Bauer. */
export async function openWindow(options: MockOptions = {}) {
  const engine = new MockEngine({
    tenants: [{ ...ACME }, { ...BAUER }],
    records: (tenant) => (tenant.id === "7acme" ? [gateway()] : [gateway("7bauer.1", "Their gateway")]),
    log: [],
    jobMillis: 0,
    ...options,
  }).install();
  const user = userEvent.setup();
  const page = render(App);
  if (options.needsSecondFactor) await screen.findByRole("heading", { name: "Set up your second factor" });
  else if (engine.screen === "unlocked") await screen.findByRole("navigation");
  return { engine, user, page };
}

/** Opens a record by its row. */
export async function openRecord(user: ReturnType<typeof userEvent.setup>, title = "Gateway") {
  const list = await screen.findByRole("listbox");
  await user.click(await within(list).findByText(title));
  await screen.findByRole("heading", { level: 2, name: title });
}
