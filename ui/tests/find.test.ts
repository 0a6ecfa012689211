import { screen, waitFor, within } from "@testing-library/svelte";
import axe from "axe-core";
import { describe, expect, it } from "vitest";
import { complete, lastTerm, term, wantsHints } from "../src/lib/find/query.ts";
import { ACME, BAUER, gateway, openRecord, openWindow } from "./window.ts";

const places = () => within(screen.getByRole("navigation"));
const searchBox = () => screen.findByRole<HTMLInputElement>("searchbox");

async function faults() {
  const { violations } = await axe.run(document, {
    rules: { "color-contrast": { enabled: false } },
    resultTypes: ["violations"],
  });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`);
}

describe("a query being typed", () => {
  it.each([
    ["gate tag:n", "tag:n"],
    ['tag:"old st', 'tag:"old st'],
    ["gate ", ""],
    ["-kind:", "-kind:"],
    ["", ""],
  ])("ends with its last term: %s", (query, last) => {
    expect(lastTerm(query)).toBe(last);
  });

  it("writes a value in quotation marks where it would end too early", () => {
    expect(term("tag:", "network")).toBe("tag:network");
    expect(term("tag:", "old stuff")).toBe('tag:"old stuff"');
    expect(term("tag:", 'a"b')).toBe('tag:"a""b"');
    expect(complete("gate tag:o", 'tag:"old stuff"')).toBe('gate tag:"old stuff"');
  });

  it("wants hints before it begins and inside an operator", () => {
    expect(["", " ", "tag:", "x -KIND:lo"].map(wantsHints)).toEqual([true, true, true, true]);
    expect(["x", "tag", "-x", "tag:x "].map(wantsHints)).toEqual([false, false, false, false]);
  });
});

describe("tags", () => {
  it("are listed with their records, and a click searches the tenant for one", async () => {
    const { user, engine } = await openWindow();
    await user.click(await places().findByRole("button", { name: /^vpn\s*1/ }));
    await screen.findByText("1 found");
    expect((await searchBox()).value).toBe("tag:vpn");
    expect(engine.calls.at(-1)?.args).toMatchObject({ query: "tag:vpn", tenant: "7acme" });
  });

  it("are those of the tenant in sight only", async () => {
    const { user } = await openWindow({
      records: (tenant) => {
        const record = gateway(`${tenant.id}.1`);
        record.view.tags = [tenant.id === "7acme" ? "ours" : "theirs"];
        return [record];
      },
    });
    await places().findByRole("button", { name: /^ours/ });
    await user.click(screen.getByRole("button", { name: /^Bauer/ }));
    await places().findByRole("button", { name: /^theirs/ });
    expect(places().queryByRole("button", { name: /^ours/ })).toBeNull();
  });

  it("are renamed on every record, and the open one is shown as it is now", async () => {
    const { user, engine } = await openWindow();
    await openRecord(user);
    await user.click(await places().findByRole("button", { name: "Change the tag vpn" }));
    const dialog = await screen.findByRole("dialog");
    const name = within(dialog).getByLabelText("Tag");
    await user.clear(name);
    await user.click(within(dialog).getByRole("button", { name: "Rename" }));
    await within(dialog).findByText("A tag has 1 to 60 characters and no comma.");
    await user.type(name, "remote access");
    await user.click(within(dialog).getByRole("button", { name: "Rename" }));
    await screen.findByText("Changed on 1 record");
    expect(engine.calls.find(({ command }) => command === "tag_rename")?.args).toEqual({
      tenant: "7acme",
      tag: "vpn",
      name: "remote access",
    });
    await places().findByRole("button", { name: /^remote access/ });
    await waitFor(() => expect(engine.count("record_open")).toBe(2));
  });

  it("cannot be changed where the right is only to read", async () => {
    await openWindow({ tenants: [{ ...BAUER, right: "reader" }] });
    await places().findByRole("button", { name: /^vpn/ });
    expect(places().queryByRole("button", { name: "Change the tag vpn" })).toBeNull();
  });

  it("that cannot be read leave the rest of the window as it is", async () => {
    const { engine } = await openWindow();
    engine.refuse.set("tags_list", "busy");
    const { user } = { user: (await import("@testing-library/user-event")).default.setup() };
    await user.click(screen.getByRole("button", { name: /^Bauer/ }));
    await places().findByText(/The tags could not be read/);
    await screen.findByText("Their gateway");
    engine.refuse.delete("tags_list");
    await user.click(places().getByRole("button", { name: "Try again" }));
    await places().findByRole("button", { name: /^vpn/ });
  });
});

describe("saved searches", () => {
  it("are saved for where they were run, found again, renamed and removed", async () => {
    const { user, engine } = await openWindow();
    await user.type(await searchBox(), "gateway");
    await screen.findByText("1 found");
    await user.click(screen.getByRole("button", { name: "Every tenant" }));
    await screen.findByText("2 found");
    await user.click(screen.getByRole("button", { name: "Save this search" }));
    let dialog = await screen.findByRole("dialog");
    await user.type(within(dialog).getByLabelText("Name of the search"), "Gateways");
    await user.click(within(dialog).getByRole("button", { name: "Save" }));
    await places().findByRole("button", { name: /^Gateways/ });
    expect(engine.calls.find(({ command }) => command === "search_save")?.args).toEqual({
      name: "Gateways",
      tenant: null,
      query: "gateway",
    });

    await user.click(screen.getByRole("button", { name: "Clear the search" }));
    await screen.findByText("1 record");
    await user.click(places().getByRole("button", { name: /^Gateways/ }));
    await screen.findByText("2 found");

    await user.click(places().getByRole("button", { name: "Change the search Gateways" }));
    dialog = await screen.findByRole("dialog");
    await user.type(within(dialog).getByLabelText("Name of the search"), " too");
    await user.click(within(dialog).getByRole("button", { name: "Rename" }));
    await user.click(await places().findByRole("button", { name: "Change the search Gateways too" }));
    await user.click(await screen.findByRole("button", { name: "Remove the search" }));
    await places().findByText("Save a search to find it here.");
  });

  it("of a name that is taken are refused in the dialog", async () => {
    const saved = [{ name: "x", tenant: "7acme", tenant_name: "ACME", query: "gate" }];
    const { user } = await openWindow({ saved });
    await user.type(await searchBox(), "gateway");
    await user.click(await screen.findByRole("button", { name: "Save this search" }));
    await user.type(await screen.findByLabelText("Name of the search"), "x{Enter}");
    await screen.findByText("There is a saved search of that name already");
  });

  it("of another tenant are not offered here", async () => {
    const saved = [
      { name: "theirs", tenant: "7bauer", tenant_name: "Bauer", query: "gate" },
      { name: "ours", tenant: "7acme", tenant_name: "ACME", query: "gate" },
    ];
    await openWindow({ saved });
    await places().findByRole("button", { name: /^ours/ });
    expect(places().queryByRole("button", { name: /^theirs/ })).toBeNull();
  });
});

describe("the search box", () => {
  it("explains its operators while it is empty, and offers the tags there are", async () => {
    const { user, engine } = await openWindow();
    await places().findByRole("button", { name: /^vpn/ });
    await user.click(await searchBox());
    const hints = screen.getByRole("group", { name: "Ways to narrow the search" });
    expect(await faults()).toEqual([]);
    await user.click(within(hints).getByRole("button", { name: /^tag:/ }));
    expect((await searchBox()).value).toBe("tag:");
    await user.click(
      within(screen.getByRole("group", { name: "Ways to narrow the search" })).getByRole("button", { name: /^vpn/ }),
    );
    expect((await searchBox()).value).toBe("tag:vpn ");
    await screen.findByText("1 found");
    expect(engine.calls.at(-1)?.args).toMatchObject({ query: "tag:vpn" });
    expect(screen.queryByRole("group", { name: "Ways to narrow the search" })).toBeNull();
  });

  it("takes its explanations away with the focus", async () => {
    const { user } = await openWindow();
    await user.click(await searchBox());
    screen.getByRole("group", { name: "Ways to narrow the search" });
    await user.keyboard("{Escape}");
    await waitFor(() => expect(screen.queryByRole("group", { name: "Ways to narrow the search" })).toBeNull());
  });
});

describe("the palette", () => {
  it("begins with what was opened last, each marked with its tenant", async () => {
    const { user } = await openWindow();
    await openRecord(user);
    await user.click(screen.getByRole("button", { name: /^Bauer/ }));
    await openRecord(user, "Their gateway");
    await user.keyboard("{Control>}k{/Control}");
    const recent = within(await screen.findByRole("group", { name: "Recently opened" })).getAllByRole("option");
    expect(recent.map((option) => option.textContent?.replaceAll(/\s+/g, " ").trim())).toEqual([
      "Their gateway Bauer BA",
      "Gateway ACME AC",
    ]);
    expect(recent.map((option) => option.dataset.hue)).toEqual(["1", "0"]);
    expect(await faults()).toEqual([]);
    await user.keyboard("{ArrowDown}{Enter}");
    await screen.findByRole("heading", { level: 2, name: "Gateway" });
    expect(document.querySelector(".band")?.textContent).toContain("ACME");
  });

  it("forgets what was opened when the vault locks", async () => {
    const { user } = await openWindow();
    await openRecord(user);
    await user.keyboard("{Control>}l{/Control}");
    await waitFor(() => expect(screen.queryByText("Gateway")).toBeNull());
    expect(document.body.textContent).not.toContain("vpn");
  });

  it("says what went wrong with a search", async () => {
    const { user, engine } = await openWindow({ tenants: [{ ...ACME }] });
    engine.refuse.set("search", "busy");
    await user.keyboard("{Control>}k{/Control}");
    await user.type(await within(await screen.findByRole("dialog")).findByRole("combobox"), "zzz");
    await within(screen.getByRole("dialog")).findByRole("alert");
  });

  it("changes how the window looks", async () => {
    const { user, engine } = await openWindow();
    await user.keyboard("{Control>}k{/Control}");
    await user.type(await within(await screen.findByRole("dialog")).findByRole("combobox"), "look: dark{Enter}");
    await waitFor(() => expect(engine.settings.theme).toBe("dark"));
  });
});
