// Keys of the make-believe engine, what people have seen who are gone, and its answers about both.
import type {
  AccountExposureView,
  AccountView,
  CryptoperiodView,
  ExposedSecretView,
  ExposureCheckView,
  ExposuresView,
  KeyAccessView,
  KeyKind,
  KeyRegisterView,
  KeyView,
  OffboardingView,
  ProgressUnit,
  RecoveryView,
  SplitView,
  TenantView,
} from "../lib/api/types.ts";

type Args = Record<string, unknown>;
type Start = (unit: ProgressUnit, total: number, result: () => unknown) => unknown;

const DAY_MILLIS = 86_400_000;
const daysAway = (days: number) => new Date(Date.now() + days * DAY_MILLIS).toISOString();
const HEAD = "5f0c2f8d7a4be1934c6d0e75a9b3812246fd0c9e17b58a3de04c71296ab5f3d8";

const SUITES: KeyRegisterView["suites"] = [
  {
    number: 1,
    parts: [
      part("kdf", "Argon2id", "RFC 9106"),
      part("encryption", "XChaCha20-Poly1305", "draft-irtf-cfrg-xchacha-03"),
      part("database", "AES-256-CBC, HMAC-SHA-512", "FIPS 197, FIPS 198-1"),
      { ...part("sealing", "HPKE, X25519", "RFC 9180"), until_year: 2035, until_source: "NIST IR 8547 ipd" },
      { ...part("signature", "Ed25519", "RFC 8032, FIPS 186-5"), until_year: 2035, until_source: "NIST IR 8547 ipd" },
    ],
  },
];

function part(purpose: string, algorithm: string, standard: string) {
  return { purpose, algorithm, standard, until_year: null as number | null, until_source: null as string | null };
}

function key(kind: KeyKind, more: Partial<KeyView> = {}): KeyView {
  return {
    kind,
    tenant: null,
    tenant_name: null,
    login: null,
    number: 1,
    algorithm: kind === "tenant" || kind === "directory" ? "AES-256-CBC, HMAC-SHA-512" : "HPKE, X25519",
    state: "active",
    since: daysAway(-200),
    until: null,
    compromised_at: null,
    next_rotation: daysAway(165),
    overdue: false,
    can_rotate: true,
    ...more,
  };
}

/** One secret of the first tenant that somebody saw who is gone, and one that they could have read. */
function exposures(tenants: TenantView[], accounts: AccountView[]): ExposuresView[] {
  const leaver = accounts.find(({ state }) => state === "left");
  const secret = (tenant: TenantView, n: number, how: ExposedSecretView["how"]): ExposedSecretView =>
    ({
      id: `${tenant.id}.1`,
      kind: "login",
      title: n === 0 ? "Gateway" : "Postgres production",
      changed_at: daysAway(-90),
      trashed: false,
      field: n,
      field_name: "Password",
      how,
      at: daysAway(-42),
    }) as unknown as ExposedSecretView;
  return tenants
    .filter(({ right }) => right === "steward")
    .map((tenant, index) => {
      const account: AccountExposureView = {
        account: leaver?.id ?? "",
        login: leaver?.login ?? "",
        ended_at: daysAway(-40),
        secrets_by: daysAway(-33),
        overdue: true,
        open: 1,
        changed: 3,
        could_read: 1,
        secrets: [secret(tenant, 0, "revealed"), secret(tenant, 1, "could_read")],
        more: false,
        reported_at: null,
      };
      return { tenant: tenant.id, tenant_name: tenant.name, accounts: leaver && index === 0 ? [account] : [] };
    });
}

/** Answers about leaving, what was seen, keys, and recovery. */
export class MockKeys {
  keys: KeyView[];
  recovery: RecoveryView = {
    number: 1,
    fingerprint: "purr tiptop employed portal circular aneurism",
    since: daysAway(-200),
    stated_by: "ines",
    trusted: true,
    split: null,
  };
  /** Whether the person closes the native windows. */
  declines = false;
  /** Entries of the log that the steward's report leaves out. */
  leftOut: number[] = [];
  /** Entries that the log had when a steward reported; null if none did. */
  reportedUpTo: number | null = 40_118;
  /** Tenants that have no steward. */
  abandoned = 0;
  periods: CryptoperiodView[] = [
    { kind: "tenant", days: 365 },
    { kind: "directory", days: 365 },
    { kind: "audit", days: 365 },
    { kind: "office", days: 365 },
    { kind: "recovery", days: 1_096 },
    { kind: "device", days: 730 },
    { kind: "account", days: 730 },
  ];
  exposures: ExposuresView[];
  readonly #accounts: () => AccountView[];
  readonly #start: Start;

  constructor(tenants: TenantView[], accounts: () => AccountView[], start: Start) {
    this.#accounts = accounts;
    this.#start = start;
    this.exposures = exposures(tenants, accounts());
    this.keys = [
      ...tenants.map((tenant, index) =>
        key("tenant", {
          tenant: tenant.id,
          tenant_name: tenant.name,
          can_rotate: tenant.right === "steward",
          overdue: index === 0,
          next_rotation: daysAway(index === 0 ? -12 : 165),
        }),
      ),
      key("directory", { number: 2, since: daysAway(-40) }),
      key("directory", { state: "destroyed", until: daysAway(-40), next_rotation: null, can_rotate: false }),
      key("audit"),
      key("office"),
      key("recovery"),
      key("device"),
      ...accounts()
        .filter(({ state }) => state === "active")
        .map(({ login, own }) => key("account", { login, can_rotate: own })),
    ];
  }

  readonly answers: Record<string, (args: Args) => unknown> = {
    leaving_set: ({ account, hours, days }) => {
      const found = this.#find(account);
      found.access_by = daysAway(Number(hours) / 24);
      found.secrets_by = daysAway(Number(hours) / 24 + Number(days));
      return true;
    },
    secrets_by_set: ({ account, days }) => {
      this.#find(account).secrets_by = daysAway(Number(days));
      return true;
    },
    account_keep: ({ account }) => {
      const found = this.#find(account);
      if (found.access_by === null) throw { code: "not_leaving" };
      found.access_by = null;
      found.secrets_by = null;
      return true;
    },
    offboarding: ({ account }) => this.#offboarding(this.#find(account)),
    exposures_start: () => this.#start("records", 1_204, () => this.exposures),
    exposure_report_start: ({ tenant, account }) =>
      this.#start("records", 1_204, () => {
        const found = this.exposures.find((known) => known.tenant === tenant);
        const reported = found?.accounts.find((known) => known.account === account);
        return reported && { ...reported, reported_at: daysAway(0) };
      }),
    exposure_check_start: ({ account }) => this.#start("entries", 40_312, () => this.#checked(this.#find(account))),
    key_register: () => ({ keys: this.keys, periods: this.periods, suites: SUITES }) satisfies KeyRegisterView,
    key_access: () => this.#access(),
    key_rotate: ({ kind, tenant }) => {
      const rotate = () => {
        this.keys = this.keys.flatMap((known) => (this.#is(known, kind, tenant) ? this.#anew(known) : [known]));
        return null;
      };
      return kind === "tenant" ? this.#start("bytes", 48_211_004, rotate) : rotate();
    },
    key_compromised: ({ kind, tenant }) => {
      for (const known of this.keys.filter((known) => this.#is(known, kind, tenant))) {
        known.state = "compromised";
        known.compromised_at = daysAway(0);
      }
      return null;
    },
    periods_set: ({ periods }) => {
      const named = periods as CryptoperiodView[];
      this.periods = this.periods.map((known) => named.find(({ kind }) => kind === known.kind) ?? known);
      return null;
    },
    own_keys_renew: () => true,
    recovery: () => ({ ...this.recovery }),
    recovery_renew: ({ split }) => {
      if (this.declines) return false;
      const { number } = this.recovery;
      this.recovery = {
        ...this.recovery,
        number: number + 1,
        since: daysAway(0),
        split: split as SplitView | null,
      };
      return true;
    },
    recovery_accept: ({ words }) => {
      if (words !== this.recovery.fingerprint) throw { code: "recovery_words" };
      this.recovery = { ...this.recovery, trusted: true };
      return null;
    },
    tenants_recover: () => {
      if (this.declines) return null;
      return this.#start("bytes", 48_211_004, () => this.abandoned);
    },
  };

  #find(id: unknown): AccountView {
    const found = this.#accounts().find((known) => known.id === id);
    if (!found) throw { code: "no_such_account" };
    return found;
  }

  #is(known: KeyView, kind: unknown, tenant: unknown): boolean {
    return known.kind === kind && known.tenant === tenant && known.until === null;
  }

  #anew(before: KeyView): KeyView[] {
    const now = daysAway(0);
    const next = { state: "active", since: now, compromised_at: null, next_rotation: daysAway(365), overdue: false };
    return [
      { ...before, ...next, number: before.number + 1 } as KeyView,
      {
        ...before,
        state: before.compromised_at ? "compromised" : "destroyed",
        until: now,
        next_rotation: null,
        overdue: false,
        can_rotate: false,
      },
    ];
  }

  #access(): KeyAccessView {
    const active = this.#accounts().filter(({ state }) => state === "active");
    return {
      keys: this.keys
        .filter(({ kind, until }) => until === null && kind !== "account" && kind !== "device")
        .map(({ kind, tenant, tenant_name, number }) => ({
          kind,
          tenant,
          tenant_name,
          number,
          holders: [
            ...active
              .filter(({ grants }) => tenant === null || grants.some((grant) => grant.tenant === tenant))
              .map(({ id, login, grants }) => {
                const grant = grants.find((known) => known.tenant === tenant);
                const [right, expires_at] = [grant?.right ?? null, grant?.expires_at ?? null];
                return { account: id, login, right, expires_at, former: grant?.expired ?? false, recovery: null };
              }),
            { account: null, login: null, right: null, expires_at: null, former: false, recovery: 1 },
          ],
        })),
      chain_length: 42,
      chain_head: HEAD,
      made_at: daysAway(0),
    };
  }

  #checked(account: AccountView): ExposureCheckView {
    const seen = this.exposures.filter(({ accounts }) => accounts.some((known) => known.account === account.id));
    return {
      account: account.id,
      login: account.login,
      outcome: this.leftOut.length > 0 ? "disagrees" : this.reportedUpTo === null ? "incomplete" : "agrees",
      tenants: seen.map(({ tenant, tenant_name }) => ({
        tenant,
        tenant_name,
        reported_at: this.reportedUpTo === null ? null : daysAway(-1),
        reported_by: this.reportedUpTo === null ? null : "ines",
        entries: this.reportedUpTo ?? 0,
        agreed: this.reportedUpTo === null ? 0 : 14,
        gone: this.reportedUpTo === null ? 0 : 2,
        disowned: 0,
        not_reported_count: this.leftOut.length,
        not_reported: this.leftOut,
        not_logged_count: 0,
        not_logged: [],
        since: this.reportedUpTo === null ? 14 : 0,
      })),
      restarted: false,
      log: { ok: true, entries: 40_312, checkpoints: 88, root: HEAD, findings: [] },
    };
  }

  #offboarding(account: AccountView): OffboardingView {
    const hasLeft = account.state === "left";
    const seen = this.exposures.filter(({ accounts }) => accounts.some((known) => known.account === account.id));
    return {
      account: account.id,
      login: account.login,
      roles: account.roles,
      stated_at: daysAway(-41),
      stated_by: "ines",
      access_by: hasLeft ? daysAway(-40) : account.access_by,
      left_at: hasLeft ? account.since : null,
      removed_by: hasLeft ? "ines" : null,
      secrets_by: account.secrets_by,
      keys: [{ key: "directory", replaced_at: hasLeft ? daysAway(-40) : null }],
      tenants: seen.map(({ tenant, tenant_name }) => ({
        tenant,
        tenant_name,
        right: "editor",
        ended_at: hasLeft ? account.since : null,
        rekeyed_at: hasLeft ? account.since : null,
        report: null,
      })),
      complete: hasLeft && seen.length === 0,
      overdue: seen.length > 0,
      chain_length: 42,
      chain_head: HEAD,
      made_at: daysAway(0),
    };
  }
}
