// Owns a kind of the vault's own while it is being written, and what is wrong with it.
import type { FieldType, KindTemplate } from "$lib/api/commands.ts";
import { FIELD_NAME_CHARS, isLine, KINDS } from "./limits.ts";

/** Limits of the engine (coffer-model, `KindTemplate`). */
const NAME_CHARS = 60;
const OPTIONS = 50;
const OPTION_CHARS = 120;

export type KindFault = "name" | "taken" | "field_name" | "repeated" | "options";

type Row = { key: number; name: string; type: FieldType; options: string };

/** `Door code` as `door_code`: what records name the kind by. */
export function kindId(name: string): string {
  return name
    .normalize("NFKD")
    .toLowerCase()
    .replaceAll("ß", "ss")
    .replace(/\p{M}/gu, "")
    .replace(/[^a-z0-9]+/g, "_")
    .replace(/^_+|_+$/g, "")
    .slice(0, 40);
}

export class KindDraft {
  name = $state("");
  fields: Row[] = $state([]);
  readonly faults = $derived.by(() => this.#check());

  readonly #taken: ReadonlySet<string>;
  #nextKey = 0;

  constructor(taken: readonly string[]) {
    this.#taken = new Set(taken);
    this.add();
  }

  /** Adds an empty field. */
  add(): void {
    this.fields.push({ key: this.#nextKey++, name: "", type: "text", options: "" });
  }

  /** Takes a field out. */
  remove(key: number): void {
    this.fields = this.fields.filter((field) => field.key !== key);
  }

  /** The template as it is sent. Fields without a name are left out; the first secret and address stand for such. */
  toTemplate(): KindTemplate {
    const roles = new Set<string>();
    const role = (type: FieldType) => {
      const stands = type === "secret" || type === "url" ? type : null;
      if (stands === null || roles.has(stands)) return null;
      roles.add(stands);
      return stands;
    };
    return {
      kind: kindId(this.name),
      name: this.name.trim(),
      fields: this.fields
        .filter(({ name }) => name.trim() !== "")
        .map(({ name, type, options }) => ({
          name: name.trim(),
          type,
          options: type === "choice" ? lines(options) : [],
          role: role(type),
        })),
    };
  }

  #check(): Map<string, KindFault> {
    const faults = new Map<string, KindFault>();
    const kind = kindId(this.name);
    if (kind === "" || !isLine(this.name.trim(), NAME_CHARS)) faults.set("name", "name");
    else if (this.#taken.has(kind) || KINDS.some((offered) => offered === kind)) faults.set("name", "taken");
    const names = new Set<string>();
    for (const { key, name, type, options } of this.fields) {
      const trimmed = name.trim();
      if (trimmed === "") {
        if (options.trim() !== "") faults.set(`name ${key}`, "field_name");
        continue;
      }
      if (!isLine(trimmed, FIELD_NAME_CHARS)) faults.set(`name ${key}`, "field_name");
      else if (names.has(trimmed)) faults.set(`name ${key}`, "repeated");
      names.add(trimmed);
      if (type !== "choice") continue;
      const offered = lines(options);
      const fits =
        offered.length > 0 && offered.length <= OPTIONS && offered.every((line) => isLine(line, OPTION_CHARS));
      if (!fits) faults.set(`options ${key}`, "options");
    }
    return faults;
  }
}

function lines(text: string): string[] {
  return [...new Set(text.split("\n").map((line) => line.trim()))].filter((line) => line !== "");
}
