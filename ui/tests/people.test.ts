// People: who sees what of the window, inviting, roles, grants, leaving, and the keys that change afterwards.
import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";
import type { MockOptions } from "../src/dev/mock.ts";
import type { GrantView, PendingKeyView } from "../src/lib/api/types.ts";
import { formatDay, formatMinute } from "../src/lib/locale/format.ts";
import { untilWords } from "../src/lib/people/words.ts";
import { ACME, BAUER, openRecord, openWindow } from "./window.ts";

const AWAITED: PendingKeyView = {
  key: "tenant",
  tenant: "7acme",
  tenant_name: "ACME",
  since: "2026-11-20T08:00:00.000Z",
  can_replace: false,
  needs_recovery: false,
};

async function openPeople(options: MockOptions = {}) {
  const opened = await openWindow(options);
  await opened.user.click(screen.getByRole("button", { name: /^People/ }));
  await screen.findByRole("heading", { name: "People" });
  await within(screen.getByRole("table", { name: "Accounts" })).findByText("mika");
  const args = (command: string) => opened.engine.calls.find((call) => call.command === command)?.args;
  return { ...opened, args };
}

describe("who may not", () => {
  it("sees no place and no command that is not theirs", async () => {
    const { user } = await openWindow({ roles: ["member"], tenants: [{ ...ACME, right: "reader" }] });
    await screen.findByRole("listbox");
    for (const name of ["Backups", "Log", "New tenant"]) expect(screen.queryByRole("button", { name })).toBeNull();
    await user.keyboard("{Control>}k{/Control}");
    const palette = within(await screen.findByRole("dialog"));
    for (const words of ["Backups", "Export a backup", "Log", "New tenant", "Invite…"]) {
      expect(palette.queryByRole("option", { name: words })).toBeNull();
    }
    expect(palette.queryByRole("option", { name: "People" })).not.toBeNull();
  });

  it("sees the log as an auditor and no backups", async () => {
    await openWindow({ roles: ["auditor"] });
    expect(screen.queryByRole("button", { name: "Log" })).not.toBeNull();
    expect(screen.queryByRole("button", { name: "Backups" })).toBeNull();
  });

  it("is told that nothing is granted yet, and where the own fingerprint is", async () => {
    const { user } = await openWindow({ roles: ["member"], tenants: [] });
    await screen.findByText("No tenant is granted to you yet");
    const main = within(screen.getByRole("main"));
    await user.click(main.getByRole("button", { name: "People" }));
    await screen.findByText("marsupial ladder outpost crinkle vocation reheat");
    expect(screen.queryByRole("button", { name: "Invite…" })).toBeNull();
    expect(screen.queryByRole("button", { name: /^Remove/ })).toBeNull();
  });
});

describe("an invitation", () => {
  it("takes a login and roles, never a code or a passphrase", async () => {
    const { user, args } = await openPeople();
    await user.click(screen.getByRole("button", { name: "Invite…" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Invite somebody" }));
    await user.type(dialog.getByLabelText("Login name"), "Jo Weber");
    await user.click(dialog.getByLabelText(/^Member/));
    await user.click(dialog.getByRole("button", { name: "Make the code…" }));
    await dialog.findByText(/beginning and ending with a letter or digit/);
    dialog.getByText("Choose at least one role.");
    await user.clear(dialog.getByLabelText("Login name"));
    await user.type(dialog.getByLabelText("Login name"), "jo");
    await user.click(dialog.getByLabelText(/^Auditor/));
    await user.selectOptions(dialog.getByLabelText("The code counts for"), "3 days");
    await user.click(dialog.getByRole("button", { name: "Make the code…" }));
    await screen.findByText("jo is invited");
    expect(args("account_invite")).toEqual({ login: "jo", roles: ["auditor"], hours: 72 });
    await within(screen.getByRole("table", { name: "Accounts" })).findByText("jo");
  });

  it("says what to do when the login looks like another", async () => {
    const { user } = await openPeople();
    await user.click(screen.getByRole("button", { name: "Invite…" }));
    const dialog = within(await screen.findByRole("dialog"));
    await user.type(dialog.getByLabelText("Login name"), "mika");
    await user.click(dialog.getByRole("button", { name: "Make the code…" }));
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("one that looks like it");
    expect(alert.textContent).toContain("For the same person");
  });

  it("stays open when the native window was closed", async () => {
    const { user, engine } = await openPeople();
    engine.people.answers.account_invite = () => null;
    await user.click(screen.getByRole("button", { name: "Invite…" }));
    const dialog = within(await screen.findByRole("dialog"));
    await user.type(dialog.getByLabelText("Login name"), "jo");
    await user.click(dialog.getByRole("button", { name: "Make the code…" }));
    await waitFor(() => expect(engine.count("account_invite")).toBe(1));
    expect(screen.queryByRole("dialog")).not.toBeNull();
    expect(screen.queryByText("jo is invited")).toBeNull();
  });

  it("is withdrawn at once, also one that expired", async () => {
    const { user } = await openPeople();
    screen.getByText("Invitation expired");
    await user.click(screen.getByRole("button", { name: "Withdraw the invitation of paul" }));
    await screen.findByText("The invitation of paul counts no longer");
    await waitFor(() => expect(screen.queryByText("Invitation expired")).toBeNull());
  });
});

describe("roles", () => {
  it("are set as chosen, after it was said which keys change", async () => {
    const { user, args } = await openPeople();
    await user.click(screen.getByRole("button", { name: "Roles of otto.brandt" }));
    const dialog = within(await screen.findByRole("dialog"));
    expect(dialog.getByRole("button", { name: "Set roles…" })).toHaveProperty("disabled", true);
    await user.click(dialog.getByLabelText(/^Auditor/));
    dialog.getByText("Keys are replaced afterwards");
    await user.click(dialog.getByRole("button", { name: "Set roles…" }));
    await screen.findByText("Roles of otto.brandt changed");
    expect(args("roles_set")).toEqual({ account: "0otto.brandt", roles: ["member"] });
  });

  it("of one's own change what the window offers", async () => {
    const { user, engine } = await openPeople();
    engine.people.answers.roles_set = ({ roles }) => {
      engine.roles = roles as typeof engine.roles;
      return true;
    };
    await user.click(screen.getByRole("button", { name: "Roles of ines" }));
    const dialog = within(await screen.findByRole("dialog"));
    await user.click(dialog.getByLabelText(/^Administrator/));
    dialog.getByText("You will be no administrator any more");
    await user.click(dialog.getByRole("button", { name: "Set roles…" }));
    await waitFor(() => expect(screen.queryByRole("button", { name: "Backups" })).toBeNull());
    expect(screen.queryByRole("button", { name: "Invite…" })).toBeNull();
  });
});

describe("until when a grant counts", () => {
  const until = (expires_at: string) =>
    untilWords({ account: "1", login: "ida", right: "reader", expires_at, expired: false } as GrantView);

  it("is a day that is over with it, or a time of day", () => {
    expect(until("2026-12-01T00:00:00Z")).toContain(formatDay("2026-11-30"));
    expect(until("2026-12-01T15:07:00Z")).toContain(formatMinute("2026-12-01T15:07:00Z"));
  });
});

describe("a grant", () => {
  it("is given only once the fingerprint was compared", async () => {
    const { user, args } = await openPeople();
    await user.click(screen.getByRole("button", { name: "Grant Bauer to otto.brandt" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Grant a tenant" }));
    const go = dialog.getByRole("button", { name: "Grant" });
    dialog.getByText("aptitude blend wobble daycare ferret unseen");
    expect(go).toHaveProperty("disabled", true);
    await user.click(dialog.getByLabelText("The words are the same"));
    await user.click(dialog.getByLabelText(/^Editor/));
    await user.click(dialog.getByLabelText("Until a last day"));
    expect(go).toHaveProperty("disabled", true);
    await user.type(dialog.getByLabelText("Last day"), "2099-12-31");
    await user.click(go);
    await screen.findByText("otto.brandt was granted access");
    expect(args("grant_give")).toEqual({
      tenant: "7bauer",
      account: "0otto.brandt",
      right: "editor",
      until: "2099-12-31",
    });
    await screen.findByText(/^until .*2099/);
  });

  it("asks anew to compare when another account is chosen", async () => {
    const { user } = await openPeople();
    await user.click(screen.getByRole("button", { name: "Grant…" }));
    const dialog = within(await screen.findByRole("dialog"));
    await user.selectOptions(dialog.getByLabelText("To"), "otto.brandt");
    await user.selectOptions(dialog.getByLabelText("Tenant"), "Bauer");
    await user.click(dialog.getByLabelText("The words are the same"));
    expect(dialog.getByRole("button", { name: "Grant" })).toHaveProperty("disabled", false);
    await user.selectOptions(dialog.getByLabelText("To"), "mika");
    await user.selectOptions(dialog.getByLabelText("To"), "otto.brandt");
    expect(dialog.getByRole("button", { name: "Grant" })).toHaveProperty("disabled", true);
  });

  it("is withdrawn after it was said what that means, and the key is replaced", async () => {
    const { user, engine, args } = await openPeople();
    await user.click(screen.getByRole("button", { name: /^ACME for mika/ }));
    const dialog = within(await screen.findByRole("dialog", { name: "ACME for mika" }));
    await user.click(dialog.getByRole("button", { name: "Withdraw…" }));
    dialog.getByText(/will see nothing of ACME any more/);
    expect(engine.count("grant_withdraw")).toBe(0);
    await user.click(dialog.getByRole("button", { name: "Withdraw" }));
    await screen.findByText("mika lost access");
    expect(args("grant_withdraw")).toEqual({ tenant: "7acme", account: "0mika" });
    await screen.findByText("Keys replaced");
  });

  it("is not offered on tenants of which one is no steward", async () => {
    await openPeople({ roles: ["member"], tenants: [{ ...ACME }, { ...BAUER, right: "reader" }] });
    expect(screen.queryByRole("button", { name: "Grant Bauer to otto.brandt" })).toBeNull();
    expect(screen.queryByRole("button", { name: /^Bauer for mika/ })).toBeNull();
    expect(screen.queryByRole("button", { name: /^ACME for mika/ })).not.toBeNull();
  });
});

describe("leaving", () => {
  it("says what is lost, wants the login typed, and replaces keys", async () => {
    const { user, engine, args } = await openPeople();
    await user.click(screen.getByRole("button", { name: "Remove mika" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Remove mika" }));
    dialog.getByText("2 tenants are taken away.");
    const go = dialog.getByRole("button", { name: "Remove…" });
    expect(go).toHaveProperty("disabled", true);
    await user.type(dialog.getByLabelText("Type this login to confirm"), "mika");
    await user.click(go);
    await screen.findByText("mika has left");
    expect(args("account_remove")).toEqual({ account: "0mika", even_last_steward: false });
    await waitFor(() => expect(engine.count("rekey_start")).toBe(1));
    await screen.findByText("Keys replaced");
    await user.click(screen.getByText("2 accounts left"));
  });

  it("names tenants without another steward, and goes on only if that is accepted", async () => {
    const { user, engine, args } = await openPeople();
    const otto = engine.people.accounts.find(({ login }) => login === "otto.brandt");
    otto?.grants.push({
      tenant: "7hidden",
      tenant_name: "Cardinal",
      account: "0otto.brandt",
      login: "otto.brandt",
      right: "steward",
      expires_at: null,
      expired: false,
    });
    await user.click(screen.getByRole("button", { name: "Health" }));
    await user.click(screen.getByRole("button", { name: /^People/ }));
    await screen.findAllByText("Cardinal");
    await user.click(screen.getByRole("button", { name: "Remove otto.brandt" }));
    const dialog = within(await screen.findByRole("dialog"));
    dialog.getByText("Nobody else is a steward of");
    await user.type(dialog.getByLabelText("Type this login to confirm"), "otto.brandt");
    const go = dialog.getByRole("button", { name: "Remove…" });
    expect(go).toHaveProperty("disabled", true);
    await user.click(dialog.getByLabelText("Go on, even without a steward"));
    await user.click(go);
    await screen.findByText("otto.brandt has left");
    expect(args("account_remove")).toMatchObject({ even_last_steward: true });
  });

  it("offers the same when only the engine knows of such a tenant", async () => {
    const { user, engine } = await openPeople();
    engine.refuse.set("account_remove", "last_steward");
    await user.click(screen.getByRole("button", { name: "Remove mika" }));
    const dialog = within(await screen.findByRole("dialog"));
    await user.type(dialog.getByLabelText("Type this login to confirm"), "mika");
    await user.click(dialog.getByRole("button", { name: "Remove…" }));
    await user.click(await dialog.findByLabelText("Go on, even without a steward"));
    engine.refuse.clear();
    await user.click(dialog.getByRole("button", { name: "Remove…" }));
    await screen.findByText("mika has left");
  });

  it("and beginning anew gives a code with the same login, and takes the grants", async () => {
    const { user, args } = await openPeople();
    await user.click(screen.getByRole("button", { name: "New account for mika" }));
    const dialog = within(await screen.findByRole("dialog", { name: "New account for mika" }));
    await user.type(dialog.getByLabelText("Type this login to confirm"), "mika");
    await user.click(dialog.getByRole("button", { name: "End it and make a code…" }));
    await screen.findByText("mika has a new activation code");
    expect(args("account_reset")).toEqual({ account: "0mika", hours: 24, even_last_steward: false });
  });

  it("is not offered for one's own account", async () => {
    await openPeople();
    expect(screen.queryByRole("button", { name: "Remove ines" })).toBeNull();
  });
});

describe("keys that are to be replaced", () => {
  it("are said to who cannot, with who can, where the records are", async () => {
    const { user } = await openWindow({ pending: [AWAITED] });
    await screen.findByText("ACME waits for a new key");
    screen.getByText(/To replace it: a steward of the tenant can/);
    expect(screen.queryByRole("img", { name: "Waits for a new key" })).not.toBeNull();
    await user.click(screen.getByRole("button", { name: /^Bauer/ }));
    await waitFor(() => expect(screen.queryByText("ACME waits for a new key")).toBeNull());
  });

  it("are replaced by who can, and the notice goes", async () => {
    const { user, engine } = await openWindow({ pending: [{ ...AWAITED, can_replace: true }] });
    await user.click(await screen.findByRole("button", { name: "Replace keys now" }));
    await waitFor(() => expect(screen.queryByText("ACME waits for a new key")).toBeNull());
    expect(engine.count("rekey_start")).toBe(1);
  });

  it("can be cancelled, and stay", async () => {
    const { user } = await openPeople({ jobMillis: 60_000, pending: [{ ...AWAITED, can_replace: true }] });
    await user.click(screen.getByRole("button", { name: "Replace keys now" }));
    await screen.findByRole("progressbar");
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    await screen.findByText(/Cancelled\. What was not replaced yet keeps its old key/);
  });

  it("refuse a save, which says what to do and keeps what was written", async () => {
    const { user, engine } = await openWindow();
    await openRecord(user);
    engine.refuse.set("record_change", "awaits_rekey");
    engine.people.pending = [AWAITED];
    await user.keyboard("{Control>}e{/Control}");
    const title = await screen.findByLabelText("Title");
    await user.type(title, " 2");
    await user.keyboard("{Control>}s{/Control}");
    await screen.findByText("The tenant waits for a new key, so nothing was saved");
    expect((title as HTMLInputElement).value).toBe("Gateway 2");
    await screen.findByText("ACME waits for a new key");
  });
});

describe("the own passphrase", () => {
  it("is changed in a native window, and its change is told", async () => {
    const { user, engine } = await openWindow();
    await user.keyboard("{Control>},{/Control}");
    await user.click(await screen.findByRole("button", { name: "Change passphrase…" }));
    await screen.findAllByText(/Your passphrase was changed/);
    expect(engine.calls.find((call) => call.command === "passphrase_change")?.args).toEqual({});
    expect(document.querySelectorAll("input[type=password]")).toHaveLength(0);
  });
});

describe("emergency access", () => {
  it("lets a steward name two custodians or more, or nobody, after comparing them", async () => {
    const { user, args } = await openPeople();
    const table = within(await screen.findByRole("table", { name: "Emergency access" }));
    const row = within(table.getByText("ACME").closest("tr") as HTMLElement);
    row.getByText("Nobody");
    await user.click(row.getByRole("button", { name: "Custodians…" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Custodians of ACME" }));
    const save = dialog.getByRole<HTMLButtonElement>("button", { name: "Save custodians" });
    const boxes = dialog.getAllByRole<HTMLInputElement>("checkbox");
    await user.click(boxes[0] as HTMLElement);
    expect(save.disabled).toBe(true);
    await user.click(boxes[1] as HTMLElement);
    await user.click(save);
    await waitFor(() => expect(args("glass_prepare")).toMatchObject({ tenant: "7acme" }));
    expect(args("glass_prepare")?.custodians).toHaveLength(2);
    await waitFor(() => expect(row.queryByText("Nobody")).toBeNull());
  });

  it("is opened by a custodian for a reason and some hours, and never takes a passphrase", async () => {
    const glass = [{ tenant: "9cargo", tenant_name: null, custodians: ["ida", "ines"], own: true, broken: [] }];
    const { user, args } = await openPeople({ glass });
    await user.click(await screen.findByRole("button", { name: "Open in an emergency…" }));
    const dialog = within(await screen.findByRole("dialog", { name: "Open Tenant 9cargo in an emergency" }));
    const open = dialog.getByRole<HTMLButtonElement>("button", { name: "Open" });
    expect(open.disabled).toBe(true);
    await user.type(dialog.getByLabelText("Why"), "Server down");
    await user.selectOptions(dialog.getByLabelText("For how long"), "8");
    await user.click(open);
    await waitFor(() => expect(args("glass_break")).toEqual({ tenant: "9cargo", reason: "Server down", hours: 8 }));
  });
});
