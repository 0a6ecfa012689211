//! The register of keys: what each is for, since when, until when, what follows it, and who holds it. All of it comes from
//! the membership chain. Terms: NIST SP 800-57 Part 1 Rev. 5.

use std::collections::BTreeMap;

use coffer_model::account::{Role, Roles};
use coffer_model::event::Event;
use coffer_model::grant::Right;
use coffer_model::id::{AccountId, TenantId};
use coffer_model::key::{Cryptoperiods, KeyKind};
use coffer_model::time::Timestamp;

use crate::chain::{Body, CryptoperiodsSet, KeyCompromised, Membership};
use crate::fault::CallError;
use crate::policy::Action;
use crate::session::{Core, Session};
use crate::view::{
    CryptoperiodView, HeldKey, KeyAccessView, KeyHolder, KeyRegisterView, KeyState, KeyView, SuitePart, SuiteView,
};

/// Milliseconds of a day.
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

/// NIST IR 8547 (initial public draft, November 2024), tables 2 and 4: elliptic curves, alone, are disallowed after 2035.
const NIST_IR_8547: Option<&str> = Some("NIST IR 8547 ipd");

/// What vaults of this program are made with (docs/FORMAT.md §4).
const SUITE_1: &[SuitePart] = &[
    SuitePart {
        purpose: "kdf",
        algorithm: "Argon2id, HKDF-SHA-256",
        standard: "RFC 9106, RFC 5869",
        until_year: None,
        until_source: None,
    },
    SuitePart {
        purpose: "encryption",
        algorithm: "AES-256-GCM, committing",
        standard: "NIST SP 800-38D",
        until_year: None,
        until_source: None,
    },
    SuitePart {
        purpose: "database",
        algorithm: "SQLCipher 4: AES-256-CBC, HMAC-SHA-512",
        standard: "NIST SP 800-38A, FIPS 198-1",
        until_year: None,
        until_source: None,
    },
    SuitePart {
        purpose: "sealing",
        algorithm: "HPKE with X-Wing: ML-KEM-768 and X25519",
        standard: "RFC 9180, FIPS 203, RFC 7748",
        until_year: None,
        until_source: None,
    },
    SuitePart {
        purpose: "signature",
        algorithm: "Ed25519",
        standard: "RFC 8032, FIPS 186-5",
        until_year: Some(2035),
        until_source: NIST_IR_8547,
    },
    SuitePart {
        purpose: "hash",
        algorithm: "SHA-256, HMAC-SHA-256",
        standard: "FIPS 180-4, FIPS 198-1",
        until_year: None,
        until_source: None,
    },
    SuitePart {
        purpose: "backup",
        algorithm: "age v1: X25519, ChaCha20-Poly1305, around what is encrypted already",
        standard: "age-encryption.org/v1",
        until_year: Some(2035),
        until_source: NIST_IR_8547,
    },
];

impl Session {
    /// Every key of the vault that the account may know of, with those it followed; periods; suites.
    pub fn key_register(&self) -> Result<KeyRegisterView, CallError> {
        self.authorize(Action::SeeKeys, None)?;
        let core = &*self.core;
        let names = core.tenant_names();
        let office = core.office();
        let membership = &office.membership;
        let register = Register { core, membership, names: &names, now: core.now() };
        let periods = KeyKind::ALL.into_iter();
        Ok(KeyRegisterView {
            keys: register.keys(),
            periods: periods.map(|kind| CryptoperiodView { kind, days: membership.cryptoperiods.days(kind) }).collect(),
            suites: vec![SuiteView { number: 1, parts: SUITE_1 }],
        })
    }

    /// Who holds which key, of the keys in use.
    pub fn key_access(&self) -> Result<KeyAccessView, CallError> {
        let actor = self.authorize(Action::SeeKeyAccess, None)?;
        let core = &*self.core;
        self.record(&actor, Event::KeyAccessListed)?;
        let names = core.tenant_names();
        let (office, now) = (core.office(), core.now());
        let membership = &office.membership;
        let register = Register { core, membership, names: &names, now };
        Ok(KeyAccessView {
            keys: register.access(),
            chain_length: membership.pin().length,
            chain_head: hex::encode(membership.pin().head),
            made_at: now,
        })
    }

    /// Says that a key in use may be in hands it does not belong in. A tenant's, the directory's, the log's and the office's
    /// are pending from then on, and [`Session::start_rekeying`] replaces them; in place of recovery's and a device's another
    /// one is made ([`Session::renew_recovery`], [`Session::replace_device_key`]). Whoever may replace a key may say so.
    pub fn mark_compromised(&self, kind: KeyKind, tenant: Option<TenantId>) -> Result<(), CallError> {
        let action = match kind {
            KeyKind::Tenant => Action::RekeyTenant,
            KeyKind::Audit => Action::ReplaceAuditKey,
            KeyKind::Office => Action::ReplaceOfficeKey,
            KeyKind::Directory | KeyKind::Recovery | KeyKind::Device | KeyKind::Account => Action::MarkCompromised,
        };
        let actor = self.authorize(action, tenant)?;
        // An account's keys are its own to replace.
        if kind == KeyKind::Account || (kind == KeyKind::Tenant) != tenant.is_some() {
            return Err(CallError::NotFound);
        }
        let body = KeyCompromised { kind: kind.code(), tenant: tenant.map(|tenant| (*tenant.as_bytes()).into()) };
        self.core
            .change_directory(&actor, Event::KeyCompromised { tenant }, vec![Body::KeyCompromised(body)], |_| Ok(()))
    }

    /// Changes for how long keys are used. Nothing is replaced by that: the register says what is due.
    pub fn set_cryptoperiods(&self, periods: &Cryptoperiods) -> Result<(), CallError> {
        let actor = self.authorize(Action::SetCryptoperiods, None)?;
        let body = Body::CryptoperiodsSet(CryptoperiodsSet { days: periods.all().to_vec() });
        self.core.change_directory(&actor, Event::CryptoperiodsSet, vec![body], |_| Ok(()))
    }

    /// For how long keys are used.
    pub fn cryptoperiods(&self) -> Result<Cryptoperiods, CallError> {
        self.authorize(Action::SeeKeys, None)?;
        Ok(self.core.office().membership.cryptoperiods)
    }
}

impl Core {
    /// Names of all tenants, of those that the account may know.
    fn tenant_names(&self) -> BTreeMap<TenantId, Option<String>> {
        // One after the other: each name takes the office.
        let tenants: Vec<TenantId> = self.office().membership.tenants.keys().copied().collect();
        tenants.into_iter().map(|tenant| (tenant, self.known_tenant_name(tenant))).collect()
    }
}

struct Register<'r> {
    core: &'r Core,
    membership: &'r Membership,
    names: &'r BTreeMap<TenantId, Option<String>>,
    now: Timestamp,
}

/// Keys of one kind and owner, the first one first.
struct Line<'l> {
    kind: KeyKind,
    tenant: Option<TenantId>,
    since: &'l [Timestamp],
    /// Since when somebody holds the one in use who may not.
    exposed_since: Option<Timestamp>,
    /// What becomes of one when another takes its place.
    afterwards: KeyState,
    can_rotate: bool,
}

impl Register<'_> {
    fn roles(&self) -> Roles {
        self.membership.roles(self.core.account)
    }

    fn may(&self, action: Action) -> bool {
        crate::policy::allows(action, self.roles(), None)
    }

    fn keys(&self) -> Vec<KeyView> {
        let membership = self.membership;
        let mut keys = Vec::new();
        for (id, tenant) in self.tenants() {
            keys.extend(self.line(&Line {
                kind: KeyKind::Tenant,
                tenant: Some(id),
                since: &tenant.opened,
                exposed_since: tenant.exposed_at(self.now),
                afterwards: KeyState::Destroyed,
                can_rotate: membership.right(id, self.core.account, self.now) == Some(Right::Steward),
            }));
        }
        let recoveries: Vec<Timestamp> = membership.recoveries.iter().map(|recovery| recovery.since).collect();
        let lines = [
            (
                KeyKind::Directory,
                &membership.directories_since,
                membership.directory_exposed_since,
                KeyState::Destroyed,
                Action::RekeyDirectory,
            ),
            (
                KeyKind::Audit,
                &membership.audits_since,
                membership.audit_exposed_since,
                KeyState::Deactivated,
                Action::ReplaceAuditKey,
            ),
            (
                KeyKind::Office,
                &membership.offices_since,
                membership.office_exposed_since,
                KeyState::Deactivated,
                Action::ReplaceOfficeKey,
            ),
            (KeyKind::Recovery, &recoveries, None, KeyState::Deactivated, Action::RenewRecovery),
            (KeyKind::Device, &membership.devices_since, None, KeyState::Deactivated, Action::ReplaceDeviceKey),
        ];
        for (kind, since, exposed_since, afterwards, action) in lines {
            let can_rotate = self.may(action);
            keys.extend(self.line(&Line { kind, tenant: None, since, exposed_since, afterwards, can_rotate }));
        }
        keys.extend(self.accounts());
        keys
    }

    /// Tenants that the account may know of, by name.
    fn tenants(&self) -> Vec<(TenantId, &crate::chain::Tenant)> {
        let officer = self.roles().is_officer();
        let known = |id: TenantId| officer || self.membership.right(id, self.core.account, self.now).is_some();
        let mut tenants: Vec<_> =
            self.membership.tenants.iter().map(|(&id, tenant)| (id, tenant)).filter(|(id, _)| known(*id)).collect();
        tenants.sort_by_cached_key(|(id, _)| self.name(*id).map(|name| name.to_lowercase()));
        tenants
    }

    fn name(&self, tenant: TenantId) -> Option<String> {
        self.names.get(&tenant).cloned().flatten()
    }

    fn line(&self, line: &Line<'_>) -> Vec<KeyView> {
        let count = line.since.len();
        let newest_first = line.since.iter().enumerate().rev();
        let views = newest_first.map(|(index, &since)| {
            let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
            let in_use = index + 1 == count;
            let marked = self.membership.compromised.get(&(line.kind, line.tenant, number)).copied();
            let compromised_at = marked.or(if in_use { line.exposed_since } else { None });
            let state = match (in_use, compromised_at) {
                // What nothing holds any more is in nobody's hands but those it was in.
                (false, Some(_)) if line.afterwards == KeyState::Deactivated => KeyState::Compromised,
                (false, _) => line.afterwards,
                (true, Some(_)) => KeyState::Compromised,
                (true, None) => KeyState::Active,
            };
            let next_rotation = if in_use { Some(self.due(line.kind, since)) } else { None };
            KeyView {
                kind: line.kind,
                tenant: line.tenant,
                tenant_name: line.tenant.and_then(|tenant| self.name(tenant)),
                login: None,
                number,
                algorithm: algorithm(line.kind),
                state,
                since,
                until: line.since.get(index + 1).copied(),
                compromised_at,
                next_rotation,
                overdue: next_rotation.is_some_and(|due| self.now > due),
                can_rotate: in_use && line.can_rotate,
            }
        });
        views.collect()
    }

    fn accounts(&self) -> Vec<KeyView> {
        let view = |login: &str, since, until: Option<Timestamp>, own| {
            let next_rotation = if until.is_none() { Some(self.due(KeyKind::Account, since)) } else { None };
            KeyView {
                kind: KeyKind::Account,
                tenant: None,
                tenant_name: None,
                login: Some(login.to_owned()),
                number: 1,
                algorithm: algorithm(KeyKind::Account),
                state: if until.is_none() { KeyState::Active } else { KeyState::Destroyed },
                since,
                until,
                compromised_at: None,
                next_rotation,
                overdue: next_rotation.is_some_and(|due| self.now > due),
                can_rotate: own,
            }
        };
        let all_of = |known: &crate::chain::Account, left_at: Option<Timestamp>, own: bool| -> Vec<KeyView> {
            let newest_first = known.keys_since.iter().enumerate().rev();
            let views = newest_first.map(|(index, &since)| {
                let until = known.keys_since.get(index + 1).copied().or(left_at);
                let number = u32::try_from(index + 1).unwrap_or(u32::MAX);
                KeyView { number, ..view(known.login.as_str(), since, until, own && until.is_none()) }
            });
            views.collect()
        };
        let mut living: Vec<_> = self.membership.accounts.iter().collect();
        living.sort_by(|(_, one), (_, other)| one.login.as_str().cmp(other.login.as_str()));
        let living = living.into_iter().flat_map(|(&id, known)| all_of(known, None, id == self.core.account));
        let former = self.membership.former.values().flat_map(|left| all_of(&left.account, Some(left.left_at), false));
        living.chain(former).collect()
    }

    /// When another key of a kind is to take the place of one.
    fn due(&self, kind: KeyKind, since: Timestamp) -> Timestamp {
        let days = i64::from(self.membership.cryptoperiods.days(kind));
        Timestamp::from_unix_millis(since.unix_millis().saturating_add(days * DAY_MILLIS)).unwrap_or(since)
    }

    fn access(&self) -> Vec<HeldKey> {
        let membership = self.membership;
        let mut keys = Vec::new();
        for (id, tenant) in self.tenants() {
            let Some(epoch) = &tenant.epoch else { continue };
            let holders = tenant.holders.iter().map(|&account| {
                let grant = membership.grants.get(&(id, account));
                KeyHolder {
                    right: grant.and_then(|grant| Right::from_code(grant.right)),
                    expires_at: grant
                        .and_then(|grant| grant.expires_ms)
                        .and_then(|millis| Timestamp::from_unix_millis(millis).ok()),
                    former: grant.is_none(),
                    ..self.person(account)
                }
            });
            keys.push(HeldKey {
                kind: KeyKind::Tenant,
                tenant: Some(id),
                tenant_name: self.name(id),
                number: epoch.epoch,
                holders: in_order(holders.collect(), tenant.recovery),
            });
        }
        let everybody = Roles::ALL;
        let with = |wanted: Roles| -> Vec<KeyHolder> {
            let shares = |roles: Roles| wanted == everybody || wanted.iter().any(|role| roles.contains(role));
            let accounts = membership.accounts.iter().filter(|(_, known)| shares(known.roles)).map(|(&id, _)| id);
            let open = membership.invitations.iter().filter(|(_, invited)| shares(invited.roles)).map(|(&id, _)| id);
            accounts.chain(open).map(|id| self.person(id)).collect()
        };
        let officers = Roles::NONE.with(Role::Administrator).with(Role::Auditor);
        let recovery = membership.recovery_number();
        let vault = [
            (KeyKind::Directory, with(everybody)),
            (KeyKind::Audit, with(Roles::NONE.with(Role::Auditor))),
            (KeyKind::Office, with(officers)),
        ];
        for (kind, holders) in vault {
            let number = membership.key_number(kind, None).unwrap_or(1);
            let holders = in_order(holders, recovery);
            keys.push(HeldKey { kind, tenant: None, tenant_name: None, number, holders });
        }
        keys
    }

    fn person(&self, account: AccountId) -> KeyHolder {
        KeyHolder {
            account: Some(account),
            login: self.membership.login_of(account).map(ToString::to_string),
            right: None,
            expires_at: None,
            former: false,
            recovery: None,
        }
    }
}

/// By login, and recovery after the people.
fn in_order(mut holders: Vec<KeyHolder>, recovery: u32) -> Vec<KeyHolder> {
    holders.sort_by(|one, other| one.login.cmp(&other.login));
    holders.push(KeyHolder {
        account: None,
        login: None,
        right: None,
        expires_at: None,
        former: false,
        recovery: Some(recovery),
    });
    holders
}

const fn algorithm(kind: KeyKind) -> &'static str {
    match kind {
        KeyKind::Tenant => "AES-256-CBC with HMAC-SHA-512 (SQLCipher), AES-256-GCM (files)",
        KeyKind::Directory => "AES-256-CBC with HMAC-SHA-512 (SQLCipher), HMAC-SHA-256 (header)",
        KeyKind::Audit | KeyKind::Office => "X-Wing",
        KeyKind::Recovery => "X-Wing, Ed25519, X25519 (age)",
        KeyKind::Device => "Ed25519, AES-256-GCM (backup plan)",
        KeyKind::Account => "X-Wing, Ed25519",
    }
}
