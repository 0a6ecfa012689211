// Files of a record: listed, previewed inert, saved, taken off and put back.
import { screen, waitFor, within } from "@testing-library/svelte";
import { describe, expect, it } from "vitest";
import { attached } from "../src/dev/data.ts";
import { ACME, BAUER, gateway, openRecord, openWindow } from "./window.ts";

const MARKUP = '<img src=x onerror="window.struck=true"><script>window.struck=true</script>';

function withFiles() {
  const record = gateway();
  record.view.attachments = [
    attached(1, "runbook.pdf", "other", 1_258_291),
    attached(2, "plan.txt", "text", 1_914),
    attached(3, "rack.jpg", "jpeg", 2_411_724),
  ];
  return record;
}

describe("files of a record", () => {
  it("are listed with their sizes, and only what can be shown offers a preview", async () => {
    const { user } = await openWindow({ tenants: [ACME], records: () => [withFiles()] });
    await openRecord(user);
    const rows = within(screen.getByRole("heading", { name: "Files" }).closest(".files") as HTMLElement);
    expect(rows.getAllByRole("listitem").map((row) => row.textContent?.trim().replace(/\s+/g, " "))).toEqual([
      "runbook.pdf 1.3 MB",
      "plan.txt 1.9 kB",
      "rack.jpg 2.4 MB",
    ]);
    expect(screen.queryByRole("button", { name: "Preview runbook.pdf" })).toBeNull();
    expect(screen.getByRole("button", { name: "Preview plan.txt" })).toBeTruthy();
  });

  it("are attached and saved as long work", async () => {
    const { user, engine } = await openWindow({ tenants: [ACME], records: () => [withFiles()] });
    await openRecord(user);
    await user.click(screen.getByRole("button", { name: "Attach a file…" }));
    await screen.findByText("scan-4.png attached");
    expect(screen.getByRole("button", { name: "Preview scan-4.png" })).toBeTruthy();
    await user.click(screen.getByRole("button", { name: "Save runbook.pdf as…" }));
    await screen.findByText("runbook.pdf saved");
    expect(engine.calls.find((call) => call.command === "attachment_save_start")?.args).toEqual({
      id: "7acme.1",
      attachment: 1,
    });
  });

  it("show progress and can be cancelled", async () => {
    const { user, engine } = await openWindow({ tenants: [ACME], records: () => [withFiles()], jobMillis: 60_000 });
    await openRecord(user);
    await user.click(screen.getByRole("button", { name: "Attach a file…" }));
    await screen.findByRole("progressbar", { name: "Attaching" });
    await user.click(screen.getByRole("button", { name: "Cancel" }));
    await waitFor(() => expect(screen.queryByRole("progressbar")).toBeNull());
    expect(engine.count("job_cancel")).toBe(1);
    expect(screen.queryByText(/attached$/)).toBeNull();
  });

  it("are taken off, and put back by undoing", async () => {
    const { user, engine } = await openWindow({ tenants: [ACME], records: () => [withFiles()] });
    await openRecord(user);
    await user.click(screen.getByRole("button", { name: "Take plan.txt off the record" }));
    await screen.findByText("plan.txt was taken off. Earlier versions keep it.");
    expect(screen.queryByRole("button", { name: "Preview plan.txt" })).toBeNull();
    await user.click(screen.getByRole("button", { name: "Undo" }));
    await screen.findByRole("button", { name: "Preview plan.txt" });
    expect(engine.calls.find((call) => call.command === "attachment_reattach")?.args).toEqual({
      id: "7acme.1",
      attachment: 2,
    });
  });

  it("cannot be changed where the right is only to read", async () => {
    const { user } = await openWindow({ tenants: [{ ...ACME, right: "reader" }], records: () => [withFiles()] });
    await openRecord(user);
    expect(screen.getByRole("button", { name: "Save plan.txt as…" })).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Attach a file…" })).toBeNull();
    expect(screen.queryByRole("button", { name: /^Take / })).toBeNull();
  });

  it("are not promised where there are none to read", async () => {
    const { user } = await openWindow({ tenants: [{ ...BAUER, right: "reader" }] });
    await openRecord(user, "Their gateway");
    expect(screen.queryByRole("heading", { name: "Files" })).toBeNull();
  });

  it("say why when they are refused", async () => {
    const { user, engine } = await openWindow({ tenants: [ACME], records: () => [withFiles()] });
    await openRecord(user);
    engine.refuse.set("attachment_add_start", "attachment_exists");
    await user.click(screen.getByRole("button", { name: "Attach a file…" }));
    await screen.findByText("The record has a file of that name already");
  });
});

describe("attack 46: markup in an attachment", () => {
  it("is shown as the text it is, with what hides or turns made visible", async () => {
    const { user, engine } = await openWindow({ tenants: [ACME], records: () => [withFiles()] });
    engine.previewText = `${MARKUP}\n\u202Egnp.exe`;
    await openRecord(user);
    await user.click(screen.getByRole("button", { name: "Preview plan.txt" }));
    const dialog = await screen.findByRole("dialog");
    expect(dialog.textContent).toContain(MARKUP);
    expect(dialog.textContent).toContain("U+202E");
    expect(document.querySelectorAll("img, iframe, object, embed, script:not([src])")).toHaveLength(0);
    expect(Reflect.get(window, "struck")).toBeUndefined();
  });

  it("does not become a picture: only the engine's own pixels do", async () => {
    const { user } = await openWindow({ tenants: [ACME], records: () => [withFiles()] });
    await openRecord(user);
    await user.click(screen.getByRole("button", { name: "Preview rack.jpg" }));
    const picture = await screen.findByRole<HTMLImageElement>("img", { name: "rack.jpg" });
    expect(picture.src.startsWith("data:image/png;base64,")).toBe(true);
    await user.click(screen.getAllByRole("button", { name: "Close" })[0] as HTMLElement);
    await waitFor(() => expect(document.querySelectorAll("img")).toHaveLength(0));
  });
});

describe("a preview", () => {
  it("goes with its record", async () => {
    const { user } = await openWindow({
      tenants: [ACME],
      records: () => [withFiles(), gateway("7acme.2", "Second gateway")],
    });
    await openRecord(user);
    await user.click(screen.getByRole("button", { name: "Preview plan.txt" }));
    await screen.findByText(/Tell the on-call lead/);
    await user.keyboard("{Escape}");
    await user.click(screen.getAllByRole("button", { name: "Close" })[0] as HTMLElement);
    await openRecord(user, "Second gateway");
    expect(screen.queryByText(/Tell the on-call lead/)).toBeNull();
  });
});
