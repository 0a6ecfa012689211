import { screen, waitFor } from "@testing-library/svelte";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { OpenRecord } from "../src/lib/records/open-record.svelte.ts";
import { REVEALED_MILLIS } from "../src/lib/records/revealed.svelte.ts";
import { Session } from "../src/lib/session/session.svelte.ts";
import { openRecord, openWindow } from "./window.ts";

const CANARY = "canary-7731";
const shown = () => document.documentElement.outerHTML.includes(CANARY);

describe("a secret in the window", () => {
  it("is masked until it is revealed, and masked again on request", async () => {
    const { user, engine } = await openWindow();
    await openRecord(user);
    expect(shown()).toBe(false);
    expect(engine.count("field_reveal")).toBe(0);
    await user.click(screen.getByRole("button", { name: "Reveal Password" }));
    await screen.findByText(CANARY);
    await user.click(screen.getByRole("button", { name: "Mask Password" }));
    expect(shown()).toBe(false);
  });

  it("is gone from the document the moment the window locks, before the engine has answered", async () => {
    const { user, engine } = await openWindow();
    await openRecord(user);
    await user.click(screen.getByRole("button", { name: "Reveal Password" }));
    await screen.findByText(CANARY);
    await user.keyboard("{Control>}l{/Control}");
    await screen.findByText("Locked");
    expect(shown()).toBe(false);
    expect(document.body.textContent).not.toContain("Gateway");
    expect(engine.count("lock")).toBe(1);
  });

  it("is masked when another place is shown", async () => {
    const { user } = await openWindow();
    await openRecord(user);
    await user.click(screen.getByRole("button", { name: "Reveal Password" }));
    await screen.findByText(CANARY);
    await user.click(screen.getByRole("button", { name: "Log" }));
    await screen.findByRole("heading", { name: "Log" });
    expect(shown()).toBe(false);
  });

  it("is copied without ever reaching the window", async () => {
    const { user, engine } = await openWindow();
    await openRecord(user);
    await user.click(screen.getByRole("button", { name: "Copy Password" }));
    await screen.findByText(/clipboard is cleared/i);
    expect(engine.count("field_copy")).toBe(1);
    expect(engine.count("field_reveal")).toBe(0);
    expect(shown()).toBe(false);
  });

  it("is not fetched to edit the record, and kept by a null value", async () => {
    const { user, engine } = await openWindow();
    await openRecord(user);
    await user.keyboard("{Control>}e{/Control}");
    await screen.findByRole("form", { name: "Edit record" });
    await user.type(screen.getByLabelText("Title"), " 2");
    await user.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => expect(engine.count("record_change")).toBe(1));
    expect(engine.count("field_reveal")).toBe(0);
    const sent = engine.calls.find((call) => call.command === "record_change")?.args;
    expect(sent).toMatchObject({
      id: "7acme.1",
      expectedVersion: 1,
      draft: { title: "Gateway 2", fields: [{}, { id: 2, name: "Password", field_type: "secret", value: null }, {}] },
    });
  });
});

describe("the owner of revealed values", () => {
  beforeEach(() => vi.useFakeTimers());
  afterEach(() => vi.useRealTimers());

  async function revealed() {
    const { MockEngine } = await import("../src/dev/mock.ts");
    const { gateway, ACME } = await import("./window.ts");
    new MockEngine({ tenants: [ACME], records: () => [gateway()] }).install();
    const open = new OpenRecord();
    await open.open("7acme.1");
    await open.revealed.reveal("7acme.1", 2);
    expect(open.revealed.value(2)).toBe(CANARY);
    return open;
  }

  it("masks after half a minute by itself", async () => {
    const open = await revealed();
    vi.advanceTimersByTime(REVEALED_MILLIS - 1);
    expect(open.revealed.value(2)).toBe(CANARY);
    vi.advanceTimersByTime(1);
    expect(open.revealed.value(2)).toBeUndefined();
  });

  it("does not keep a value that arrives after everything was dropped", async () => {
    const open = await revealed();
    open.drop();
    const late = open.revealed.reveal("7acme.1", 2);
    open.drop();
    await late;
    expect(open.revealed.value(2)).toBeUndefined();
  });

  it("drops what was revealed when another record is opened", async () => {
    const open = await revealed();
    await open.open("7acme.1");
    expect(open.revealed.value(2)).toBeUndefined();
  });
});

describe("the session", () => {
  it("locks when the idle time is over, whether or not the engine was quicker", async () => {
    const { engine } = await openWindow();
    const session = new Session();
    await session.start();
    const dropped = vi.fn();
    session.beforeLock(dropped);
    session.noteActivity(1_000_000);
    session.tick(1_000_000 + 299_000);
    expect(session.screen).toBe("unlocked");
    session.tick(1_000_000 + 300_000);
    expect(session.screen).toBe("locked");
    expect(dropped).toHaveBeenCalledOnce();
    expect(engine.count("lock")).toBe(1);
  });

  it("tells the engine of activity at most every five seconds", async () => {
    const { engine } = await openWindow();
    const session = new Session();
    await session.start();
    const before = engine.count("activity");
    const now = Date.now() + 60_000;
    for (let second = 0; second <= 10; second++) session.noteActivity(now + second * 1_000);
    expect(engine.count("activity") - before).toBe(3);
  });

  it("locks when a call is refused because the vault is locked", async () => {
    const { user, engine } = await openWindow();
    await openRecord(user);
    engine.refuse.set("field_reveal", "locked");
    await user.click(screen.getByRole("button", { name: "Reveal Password" }));
    await screen.findByText("Locked");
  });
});
