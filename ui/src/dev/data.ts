// Invented but believable data for the make-believe engine. Nothing here is about anybody.
import type {
  AttachmentView,
  KindFieldView,
  KindView,
  LogEntryView,
  RecordView,
  TenantView,
} from "../lib/api/types.ts";
import { isMasked } from "../lib/records/limits.ts";

/** A small generator (mulberry32) so that every run shows the same. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const FIRST = ["Ines", "Jonas", "Marta", "Tomasz", "Aylin", "Pavel", "Greta", "Émile", "Noor", "Lukas", "Åsa", "Bruno"];
const LAST = ["Weber", "Kowalska", "Lindqvist", "Moreau", "Çelik", "Novák", "Rossi", "Brandt", "Okafor", "Van Dijk"];
const SYSTEMS = [
  "Postgres",
  "VPN gateway",
  "Mail relay",
  "Payroll",
  "Backup host",
  "Build server",
  "Door control",
  "CRM",
];
const PLACES = ["production", "staging", "Hamburg", "Rotterdam", "archive", "branch office", "test bench", "reception"];

/** A record with its secrets, as only the make-believe engine holds it. */
export type StoredRecord = { view: RecordView; secrets: Map<number, string> };

export const TENANTS: TenantView[] = [
  {
    id: "7acme",
    name: "ACME GmbH",
    right: "steward",
    colour: 0,
    demo: false,
    created_at: "2025-02-11T09:12:00.000Z",
    records: 1_204,
  },
  {
    id: "7bauer",
    name: "Bauer & Co",
    right: "editor",
    colour: 1,
    demo: false,
    created_at: "2025-05-02T14:40:00.000Z",
    records: 310,
  },
  {
    id: "7cardinal",
    name: "Cardinal Robotics",
    right: "editor",
    colour: 2,
    demo: false,
    created_at: "2025-09-19T07:05:00.000Z",
    records: 58,
  },
  {
    id: "7dunkel",
    name: "Dünkel Verlag",
    right: "reader",
    colour: 3,
    demo: false,
    created_at: "2026-01-08T10:00:00.000Z",
    records: 92,
  },
  {
    id: "7empty",
    name: "Eastgate Clinic",
    right: "steward",
    colour: 5,
    demo: false,
    created_at: "2026-11-02T10:00:00.000Z",
    records: 0,
  },
];

const words = (
  ...fields: [NonNullable<KindFieldView["word"]>, KindFieldView["field_type"], KindFieldView["role"]?][]
) =>
  fields.map(([word, field_type, role = null]): KindFieldView => {
    const options = field_type === "choice" ? (["production", "staging", "test"] as const) : [];
    return { word, name: null, field_type, options: options.map((word) => ({ word, text: null })), role };
  });

/** Kinds with their templates, as the engine gives them, and one of the vault's own. */
export const KINDS: KindView[] = [
  {
    kind: "login",
    name: null,
    fields: words(
      ["user", "text", "user"],
      ["password", "secret", "secret"],
      ["website", "url", "url"],
      ["one_time_code", "totp"],
    ),
  },
  {
    kind: "contact",
    name: null,
    fields: words(["company", "text"], ["email", "email", "user"], ["phone", "phone"], ["address", "multiline"]),
  },
  { kind: "note", name: null, fields: [] },
  {
    kind: "server",
    name: null,
    fields: words(
      ["host", "text"],
      ["user", "text", "user"],
      ["password", "secret", "secret"],
      ["port", "number"],
      ["environment", "choice"],
    ),
  },
  { kind: "custom", name: null, fields: [] },
  {
    kind: "door_code",
    name: "Door code",
    fields: [
      { word: null, name: "Place", field_type: "text", options: [], role: null },
      { word: "pin", name: null, field_type: "secret", options: [], role: "secret" },
    ],
  },
];

type Shape = {
  kind: string;
  title: string;
  fields: [string, RecordView["fields"][number]["field_type"], string][];
  tags: string[];
};

function shape(pick: <T>(from: readonly T[]) => T, number: number): Shape {
  const person = `${pick(FIRST)} ${pick(LAST)}`;
  const system = `${pick(SYSTEMS)} ${pick(PLACES)}`;
  const host = `${system.toLowerCase().replaceAll(" ", "-")}.example`;
  switch (number % 5) {
    case 0:
      return {
        kind: "server",
        title: system,
        tags: ["infrastructure"],
        fields: [
          ["Host", "text", host],
          ["User", "text", "svc_app"],
          ["Password", "secret", `Tr0ub4dor&${number}`],
          ["Port", "number", "5432"],
        ],
      };
    case 1:
      return {
        kind: "contact",
        title: person,
        tags: ["people"],
        fields: [
          ["Company", "text", pick(SYSTEMS)],
          ["E-mail", "email", `${person.split(" ")[0]?.toLowerCase()}@example.org`],
          ["Phone", "phone", `+49 40 ${100_000 + number}`],
        ],
      };
    case 2:
      return {
        kind: "login",
        title: `${pick(SYSTEMS)} portal`,
        tags: [],
        fields: [
          ["User", "text", person.toLowerCase().replace(" ", ".")],
          ["Password", "secret", `k7-Lo0O-Il1-${number}`],
          ["Website", "url", `https://${host}/login`],
        ],
      };
    case 3:
      return {
        kind: "bank_account",
        title: `${person}, account`,
        tags: ["finance"],
        fields: [
          ["Bank", "text", "Hansebank"],
          ["IBAN", "text", "DE02 1203 0000 0000 2020 51"],
          ["PIN", "secret", "4711"],
        ],
      };
    default:
      return { kind: "note", title: `Handover ${pick(PLACES)}`, tags: ["handover"], fields: [] };
  }
}

/** The key of a record that another one refers to. */
const REPLICA = "06df5xj9j9y2cbv0rkcpsd4x5r";

/** The records of a tenant, in the order of their titles. */
export function records(tenant: TenantView): StoredRecord[] {
  const next = random(tenant.id.length * 7_919 + tenant.colour);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T;
  const made: StoredRecord[] = [];
  for (let number = 0; number < (tenant.records ?? 0); number++) {
    const { kind, title, fields, tags } = shape(pick, number);
    made.push(
      store(`${tenant.id}.${String(number).padStart(5, "0")}`, tenant.name, {
        kind,
        title,
        tags,
        fields,
        notes: kind === "note" ? "Keys are with reception.\nThe alarm is off from 7 to 19 h." : "",
        age: next() * 300 * 86_400_000,
      }),
    );
  }
  if (tenant.id === "7acme") {
    made.push(
      store(`7acme.${REPLICA}`, tenant.name, {
        kind: "server",
        title: "Postgres, replica",
        tags: ["db"],
        fields: [["Host", "text", "db2.acme.example"]],
        notes: "",
        age: 9 * 86_400_000,
      }),
      store("7acme.99001", tenant.name, {
        kind: "server",
        title: "Postgres, primary",
        tags: ["db", "eu", "on call"],
        fields: [
          ["Host", "text", "db1.acme.example"],
          ["User", "text", "svc_app"],
          ["Password", "secret", "vQ9#mlI1-0O·eR2x"],
          ["Port", "number", "5432"],
          ["One-time code", "totp", "JBSWY3DPEHPK3PXP"],
          ["Environment", "choice", "Production"],
          ["Console", "url", "https://console.acme.example/databases/prod"],
          ["Replica", "reference", REPLICA],
          ["Owner", "email", "ines.weber@acme.example"],
          ["Certificate until", "expiry", day(-12)],
          ["Support until", "expiry", day(24)],
          ["Failover", "multiline", "1. promote db2\n2. move the floating address\n3. tell the on-call lead"],
        ],
        notes: "Read replicas are db2 and db3. Maintenance on the first Sunday of the month, 02:00–04:00 UTC.",
        attachments: [
          attached(1, "runbook.pdf", "other", 1_258_291),
          attached(2, "rack-3.jpg", "jpeg", 2_411_724),
          attached(4, "failover-checklist.txt", "text", 1_914),
        ],
        age: 3 * 86_400_000,
      }),
    );
  }
  return made.sort((a, b) => a.view.title.localeCompare(b.view.title) || a.view.id.localeCompare(b.view.id));
}

type Content = Shape & { notes: string; age: number; attachments?: AttachmentView[] };

/** A file kept with a record. */
export function attached(id: number, name: string, media: AttachmentView["media"], bytes: number): AttachmentView {
  return { id, name, media, bytes, suggested_name: name };
}

/** The day so many days from now. */
function day(from: number): string {
  return new Date(Date.now() + from * 86_400_000).toISOString().slice(0, 10);
}

/** Puts a record together. */
export function store(id: string, tenantName: string, content: Content): StoredRecord {
  const secrets = new Map<number, string>();
  const fields = content.fields.map(([name, field_type, value], index) => {
    const isSecret = isMasked(field_type);
    if (isSecret) secrets.set(index + 1, value);
    return {
      id: index + 1,
      name,
      field_type,
      value: isSecret ? null : value,
      empty: value === "",
      reference:
        field_type === "reference" && value !== ""
          ? { id: `${id.split(".")[0]}.${value}`, title: "Postgres, replica" }
          : null,
    };
  });
  const changed_at = new Date(Date.now() - content.age).toISOString();
  return {
    secrets,
    view: {
      id,
      tenant_name: tenantName,
      kind: content.kind,
      title: content.title,
      fields,
      tags: content.tags,
      notes: content.notes,
      attachments: content.attachments ?? [],
      version: id.endsWith("99001") ? 5 : 1,
      created_at: "2025-03-04T08:30:00.000Z",
      changed_at,
      changed_by: "ines",
      favourite: false,
      trashed_at: null,
    },
  };
}

const VERBS = [
  "record.opened",
  "field.revealed",
  "field.copied",
  "records.listed",
  "records.searched",
  "record.changed",
  "vault.unlock_failed",
  "vault.unlocked",
  "record.added",
  "backup.exported",
];

/** Log entries, newest first. */
export function logEntries(count: number): LogEntryView[] {
  const next = random(11);
  return Array.from({ length: count }, (_, back) => {
    const index = count - 1 - back;
    const action = index === 0 ? "vault.created" : (VERBS[Math.floor(next() * VERBS.length)] ?? "record.opened");
    const isLocked = action === "vault.unlock_failed";
    const isTenant = action.startsWith("record") || action.startsWith("field");
    const tenant = isTenant ? TENANTS[Math.floor(next() * 3)] : undefined;
    return {
      index,
      at: new Date(Date.now() - back * 47_000).toISOString(),
      action,
      actor: isLocked ? null : "ines",
      os_user: "ines",
      host: "notebook-07",
      program: "coffer-desktop",
      session: isLocked ? null : "0s",
      tenant: tenant?.id ?? null,
      tenant_name: tenant?.name ?? null,
      account: null,
      record: null,
      field: null,
      version: action === "record.changed" ? 4 : null,
      count: action.startsWith("records") ? 200 : action === "backup.exported" ? 12 : null,
      entry: null,
    };
  });
}
