// What ends, and which secrets want changing.
import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";
import { store } from "../src/dev/data.ts";
import { ACME, BAUER, openWindow } from "./window.ts";

const inDays = (days: number) => new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);

function ending(id: string, title: string, days: number) {
  return store(id, id.startsWith("7acme") ? "ACME" : "Bauer", {
    kind: "server",
    title,
    tags: [],
    fields: [
      ["Password", "secret", "canary-7731"],
      ["Certificate", "expiry", inDays(days)],
    ],
    notes: "",
    age: 0,
  });
}

const options = () => ({
  tenants: [{ ...ACME }, { ...BAUER }],
  records: (tenant: { id: string }) =>
    tenant.id === "7acme"
      ? [ending("7acme.1", "Over", -3), ending("7acme.2", "Later", 60)]
      : [ending("7bauer.1", "Soon", 12)],
});

describe("what expires", () => {
  it("is listed over every tenant, what is overdue apart, and asked for no sooner than it is looked at", async () => {
    const { user, engine } = await openWindow(options());
    expect(engine.count("expiring_list")).toBe(0);
    await user.click(screen.getByRole("button", { name: "Expiring" }));
    await screen.findByText("3 days ago");
    expect(screen.getByText("in 12 days")).toBeTruthy();
    expect(screen.queryByText("Later")).toBeNull();
    expect(screen.getByRole("heading", { name: "Overdue" })).toBeTruthy();
    await user.selectOptions(screen.getByLabelText("Within"), "90 days");
    await screen.findByText("in 60 days");
    expect(engine.calls.filter((call) => call.command === "expiring_list").map((call) => call.args)).toEqual([
      { days: 30 },
      { days: 90 },
    ]);
  });

  it("leads to its record, and the band goes to the tenant", async () => {
    const { user } = await openWindow(options());
    await user.click(screen.getByRole("button", { name: "Expiring" }));
    await user.click(await screen.findByRole("button", { name: /^Soon/ }));
    await screen.findByRole("heading", { level: 2, name: "Soon" });
    expect(document.querySelector(".band")?.textContent).toContain("Bauer");
  });
});

describe("the health of secrets", () => {
  it("is assessed on request, names records and shows no value", async () => {
    const { user, engine } = await openWindow(options());
    await user.click(screen.getByRole("button", { name: "Secret health" }));
    await user.click(await screen.findByRole("button", { name: "Assess ACME" }));
    await screen.findByText("2 secrets assessed");
    expect(engine.calls.find((call) => call.command === "secret_health_start")?.args).toEqual({ tenant: "7acme" });
    const weak = screen.getByRole("heading", { name: /^Weak/ });
    expect(weak.textContent).toContain("2");
    expect(document.documentElement.outerHTML).not.toContain("canary");
    await user.click(screen.getAllByRole("button", { name: /^Over/ })[0] as HTMLElement);
    await screen.findByRole("heading", { level: 2, name: "Over" });
  });

  it("is forgotten when another tenant comes in sight", async () => {
    const { user } = await openWindow(options());
    await user.click(screen.getByRole("button", { name: "Secret health" }));
    await user.click(await screen.findByRole("button", { name: "Assess ACME" }));
    await screen.findByText("2 secrets assessed");
    await user.click(screen.getByRole("button", { name: /^Bauer/ }));
    await within(screen.getByRole("main")).findByText("Soon");
    await user.click(screen.getByRole("button", { name: "Secret health" }));
    await screen.findByText("Not assessed yet");
    await waitFor(() => expect(screen.queryByText("2 secrets assessed")).toBeNull());
  });
});
