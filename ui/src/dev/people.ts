// Invented people of the make-believe engine, and its answers about them.
import type {
  AccountView,
  GlassView,
  GrantView,
  PendingKeyView,
  PolicyView,
  ProviderView,
  SessionView,
  TenantView,
  VaultMoveView,
  WaysInView,
} from "../lib/api/types.ts";

type Args = Record<string, unknown>;
type Role = AccountView["roles"][number];

const DAY_MILLIS = 86_400_000;
const daysAway = (days: number) => new Date(Date.now() + days * DAY_MILLIS).toISOString();

/** An account as it is once activated. */
export function account(login: string, roles: Role[], fingerprint: string): AccountView {
  return {
    id: `0${login}`,
    login,
    roles,
    state: "active",
    since: daysAway(-200),
    expires_at: null,
    own: false,
    key_pending: false,
    fingerprint,
    second_factor: false,
    access_by: null,
    secrets_by: null,
    federated: false,
    subject: null,
    grants: [],
  };
}

function grant(
  account: AccountView,
  tenant: TenantView,
  right: GrantView["right"],
  expires_at: string | null = null,
): GrantView {
  return {
    tenant: tenant.id,
    tenant_name: tenant.name,
    account: account.id,
    login: account.login,
    right,
    expires_at,
    expired: expires_at !== null && Date.parse(expires_at) <= Date.now(),
  };
}

/** Everybody of the make-believe vault, with grants on its tenants. */
export function people(tenants: TenantView[], roles: Role[]): AccountView[] {
  const ines: AccountView = {
    ...account("ines", roles, "marsupial ladder outpost crinkle vocation reheat"),
    id: "0a",
    own: true,
    second_factor: true,
  };
  const mika = account("mika", ["member"], "gallery undone tipping sandlot craving mulch");
  const otto = account("otto.brandt", ["auditor", "member"], "aptitude blend wobble daycare ferret unseen");
  const lea: AccountView = {
    ...account("lea", ["member"], ""),
    state: "invited",
    since: daysAway(-0.2),
    expires_at: daysAway(0.8),
  };
  const paul: AccountView = {
    ...account("paul", ["member"], ""),
    state: "expired",
    since: daysAway(-4),
    expires_at: daysAway(-3),
  };
  const noor: AccountView = {
    ...account("noor", ["member"], "unkempt folic shrug"),
    state: "left",
    since: daysAway(-40),
  };
  ines.grants = tenants.map((tenant) => grant(ines, tenant, tenant.right));
  const [first, second, third] = tenants;
  if (first) {
    mika.grants.push(grant(mika, first, "editor"));
    otto.grants.push(grant(otto, first, "reader", daysAway(60)));
  }
  if (second) mika.grants.push(grant(mika, second, "reader", daysAway(-2)));
  if (third) otto.grants.push(grant(otto, third, "steward"));
  return [ines, lea, mika, otto, paul, noor];
}

/** Nothing beside a passphrase. */
const WAYS: WaysInView = {
  federated: false,
  lease_until: null,
  device_secret: false,
  key_file: false,
  kdf_memory_kib: 262_144,
  kdf_passes: 3,
  personal_code: false,
  second_factor: false,
  second_factor_required: false,
  spare_codes_left: 0,
};

/** An identity provider once it is pinned. */
export const PROVIDER: ProviderView = {
  issuer: "https://id.example.org",
  audience: "coffer",
  claim: "sub",
  days: 7,
  keys: [{ kid: "2026-11", kind: "P-256" }],
  key_set_sha256: "5f1f4c0d6a1b3fd1f0d51a2ef8e7f3fbe1e2f24b7a8dbb0a7d9d6a1c0b3e9f42",
  encryption_key:
    '{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","use":"enc","alg":"ECDH-ES","kid":"oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"}',
  accounts: 0,
};

/** What opens the make-believe account, and the rules of its vault. */
export class MockWays {
  ways: WaysInView;
  policy: PolicyView;
  provider: ProviderView | null = null;
  /** How often the passphrase was asked for anew. */
  asked = 0;

  constructor(ways: Partial<WaysInView> = {}, policy: Partial<PolicyView> = {}) {
    this.ways = { ...WAYS, ...ways };
    this.policy = { second_factor: [], step_up: [], two_people: [], kdf_memory_kib: 0, ...policy };
  }

  readonly answers: Record<string, (args: Args) => unknown> = {
    authenticate: () => {
      this.asked += 1;
      return true;
    },
    ways_in: () => ({ ...this.ways }),
    key_factors_change: ({ device_secret, key_file }) => {
      this.ways.device_secret = device_secret === true;
      if (key_file !== "keep") this.ways.key_file = key_file !== "none";
      return true;
    },
    personal_code_make: () => {
      this.ways.personal_code = true;
      return true;
    },
    second_factor_enrol: () => {
      this.ways = { ...this.ways, second_factor: true, spare_codes_left: 10 };
      return true;
    },
    spare_codes_make: () => {
      this.ways.spare_codes_left = 10;
      return true;
    },
    second_factor_remove: () => {
      if (this.ways.second_factor_required) throw { code: "second_factor_required" };
      this.ways = { ...this.ways, second_factor: false, spare_codes_left: 0 };
      return true;
    },
    policy: () => ({ ...this.policy }),
    policy_set: (args) => {
      this.policy = args as unknown as PolicyView;
      return true;
    },
    provider: () => this.provider,
    provider_pin: ({ issuer, audience, claim, days }) => {
      this.provider = { ...PROVIDER, ...({ issuer, audience, claim, days } as Partial<ProviderView>) };
      return true;
    },
    provider_unpin: () => {
      this.provider = null;
      return true;
    },
  };
}

export class MockPeople {
  glass: GlassView[] = [];
  accounts: AccountView[];
  pending: PendingKeyView[];
  moves: VaultMoveView[] = [];
  readonly #tenants: () => TenantView[];
  readonly #startRekeying: (result: () => PendingKeyView[]) => unknown;

  constructor(
    tenants: () => TenantView[],
    session: () => SessionView["roles"],
    startRekeying: (result: () => PendingKeyView[]) => unknown,
    pending: PendingKeyView[] = [],
  ) {
    this.#tenants = tenants;
    this.#startRekeying = startRekeying;
    this.accounts = people(tenants(), session());
    this.pending = pending;
  }

  readonly answers: Record<string, (args: Args) => unknown> = {
    people_list: () => ({ accounts: this.accounts, pending: this.pending, moves: this.moves }),
    account_invite: ({ login, roles, hours }) => this.#invite(String(login), roles as Role[], Number(hours)),
    invitation_withdraw: ({ account }) => {
      this.accounts = this.accounts.filter(({ id }) => id !== this.#find(account).id);
      return null;
    },
    account_federate: ({ account, subject }) => {
      const found = this.#find(account);
      found.federated = subject !== null;
      found.subject = subject as string | null;
      return true;
    },
    roles_set: ({ account, roles }) => {
      this.#find(account).roles = roles as Role[];
      return true;
    },
    account_remove: ({ account, even_last_steward }) => {
      this.#leave(account, even_last_steward === true);
      return true;
    },
    account_reset: ({ account, hours, even_last_steward }) => {
      const { login, roles } = this.#leave(account, even_last_steward === true);
      return this.#invite(login, roles, Number(hours));
    },
    passphrase_change: () => true,
    glass_list: () => this.glass,
    glass_prepare: ({ tenant, custodians }) => {
      const named = (custodians as string[]).map((id) => this.#find(id).login).sort();
      this.glass = this.glass.filter((view) => view.tenant !== tenant);
      const name = this.#tenants().find(({ id }) => id === tenant)?.name ?? null;
      if (named.length > 0) {
        this.glass.push({ tenant: String(tenant), tenant_name: name, custodians: named, own: false, broken: [] });
      }
      return true;
    },
    glass_break: () => true,
    grant_give: ({ tenant, account, right, until }) => {
      const found = this.#find(account);
      const owner = this.#tenants().find(({ id }) => id === tenant);
      if (!owner) throw { code: "not_found" };
      const expires = until === null ? null : new Date(Date.parse(String(until)) + DAY_MILLIS).toISOString();
      const others = found.grants.filter((known) => known.tenant !== tenant);
      found.grants = [...others, grant(found, owner, right as GrantView["right"], expires)];
      return null;
    },
    grant_withdraw: ({ tenant, account }) => {
      const found = this.#find(account);
      found.grants = found.grants.filter((known) => known.tenant !== tenant);
      this.#expose(String(tenant));
      return null;
    },
    rekey_start: () =>
      this.#startRekeying(() => {
        this.pending = this.pending.filter((key) => !key.can_replace);
        return this.pending;
      }),
  };

  #find(id: unknown): AccountView {
    const found = this.accounts.find((known) => known.id === id);
    if (!found) throw { code: "no_such_account" };
    return found;
  }

  #invite(login: string, roles: Role[], hours: number) {
    if (this.accounts.some((known) => known.login === login && known.state !== "left")) throw { code: "login_taken" };
    const invited: AccountView = {
      ...account(login, roles, ""),
      id: `0${login}${this.accounts.length}`,
      state: "invited",
      since: daysAway(0),
      expires_at: daysAway(hours / 24),
    };
    this.accounts = [...this.accounts, invited];
    return { account: invited.id, login, expires_at: invited.expires_at };
  }

  #leave(id: unknown, evenLastSteward: boolean): AccountView {
    const leaver = this.#find(id);
    const others = this.accounts.filter((known) => known.id !== id && known.state === "active");
    const isSole = (held: GrantView) =>
      held.right === "steward" &&
      !others.some(({ grants }) => grants.some((grant) => grant.tenant === held.tenant && grant.right === "steward"));
    if (!evenLastSteward && leaver.grants.some(isSole)) throw { code: "last_steward" };
    for (const held of leaver.grants) this.#expose(held.tenant);
    this.accounts = this.accounts.map((known) =>
      known.id === id ? { ...known, state: "left", since: daysAway(0), grants: [] } : known,
    );
    return leaver;
  }

  /** The key of a tenant that somebody lost is to be replaced. */
  #expose(tenant: string) {
    const owner = this.#tenants().find(({ id }) => id === tenant);
    const key: PendingKeyView = {
      key: "tenant",
      tenant,
      tenant_name: owner?.name ?? null,
      since: daysAway(0),
      can_replace: owner?.right === "steward",
      needs_recovery: false,
    };
    this.pending = [...this.pending.filter((known) => known.tenant !== tenant), key];
  }
}
