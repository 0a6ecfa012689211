//! What the chain admits: for each kind of statement who may make it, and what it changes. Rules: docs/FORMAT.md §5.8. Pure.
//!
//! A statement that is refused leaves the membership as it was, or the membership is not used any further.

use std::collections::{BTreeMap, BTreeSet};

use coffer_crypto::glass;
use coffer_crypto::kdf::KdfParams;
use coffer_crypto::label;
use coffer_crypto::recovery::AgeRecipient;
use coffer_crypto::recovery::shares::Split;
use coffer_crypto::seal::SealingPublicKey;
use coffer_crypto::sign::VerifyingKey;
use coffer_model::account::{LoginName, Role, Roles};
use coffer_model::grant::Right;
use coffer_model::id::{AccountId, TenantId, VaultId};
use coffer_model::key::{Cryptoperiods, KeyKind};
use coffer_model::policy::{GuardedSet, VaultPolicy};
use coffer_model::record::RecordKind;
use coffer_model::time::Timestamp;
use minicbor::bytes::ByteArray;

use super::{
    Account, AccountEnrolled, AccountFederated, AccountInvited, AccountRekeyed, Body, BrokenGlass, ChainError,
    ChainPin, EndedGrant, EpochOpened, Federation, FormerAccount, GlassBroken, GlassPrepared, GrantWithdrawn, Granted,
    Invitation, KeyCompromised, KeysThen, Leaving, LeavingSet, MAX_ACCOUNTS, MAX_BACKUPS_BETWEEN, MAX_GLASS_MILLIS,
    MAX_INVITATION_MILLIS, MAX_KINDS, MAX_LEASE_DAYS, MAX_PROVIDER_TEXT, MAX_REASON_CHARS, MAX_SLOTS, Membership,
    Moving, MovingEnd, PolicySet, ProviderSet, RECOVERY, Recovery, RecoveryReplaced, ReportedExposure, SeedSplit,
    SignedStatement, Statement, Tenant, TenantCreated, keys_digest,
};
use crate::encoding;

impl Membership {
    pub(super) fn found(vault: VaultId, signed: &SignedStatement) -> Result<Self, ChainError> {
        let statement: Statement = encoding::decode(&signed.bytes)?;
        let Body::Founding(founding) = statement.body else { return Err(ChainError::OutOfPlace) };
        if statement.vault != vault || statement.position != 0 || statement.previous != ByteArray::from([0; 32]) {
            return Err(ChainError::OutOfPlace);
        }
        if statement.signer != founding.account || founding.account == RECOVERY || founding.suite != 1 {
            return Err(ChainError::Authority);
        }
        let founded_at = parse_time(statement.at_ms)?;
        let (sealing, signing) = (parse_sealing(&founding.sealing)?, parse_signing(&founding.signing)?);
        let account = Account {
            login: parse_login(&founding.login)?,
            roles: Roles::ALL,
            keys_digest: keys_digest(&sealing, &signing),
            sealing,
            signing,
            signed_with: Vec::new(),
            since: founded_at,
            keys_since: vec![founded_at],
            slots: None,
            second_factor: false,
            federation: None,
        };
        verify(&account.signing, signed)?;
        let hash = signed.hash();
        Ok(Self {
            vault,
            pin: ChainPin { founding: hash, length: 1, head: hash },
            audits: vec![parse_sealing(&founding.audit)?],
            offices: vec![parse_sealing(&founding.office)?],
            audits_since: vec![founded_at],
            offices_since: vec![founded_at],
            directories_since: vec![founded_at],
            audit_exposed_since: None,
            office_exposed_since: None,
            directory_generation: 1,
            directory_kid: *founding.directory,
            directory_kids: BTreeSet::from([*founding.directory]),
            directory_exposed_since: None,
            recoveries: vec![Recovery {
                sealing: parse_sealing(&founding.recovery_sealing)?,
                signing: parse_signing(&founding.recovery_signing)?,
                age: AgeRecipient::from_bytes(*founding.recovery_age),
                split: parse_split(founding.recovery_split)?,
                since: founded_at,
                stated_by: founding.account,
            }],
            trusted: BTreeMap::new(),
            replica: statement.replica,
            accounts: BTreeMap::from([(founding.account, account)]),
            invitations: BTreeMap::new(),
            former: BTreeMap::new(),
            leaving: BTreeMap::new(),
            tenants: BTreeMap::new(),
            grants: BTreeMap::new(),
            ended: BTreeMap::new(),
            reported: BTreeMap::new(),
            files: BTreeSet::new(),
            retired_files: Vec::new(),
            devices: Vec::new(),
            newest_backup: None,
            kinds: BTreeMap::new(),
            policy: VaultPolicy::default(),
            cryptoperiods: Cryptoperiods::default(),
            compromised: BTreeMap::new(),
            devices_since: Vec::new(),
            provider: None,
            moves: Vec::new(),
        })
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of statement, and nothing else")]
    pub(super) fn admit(&mut self, stored: &SignedStatement, vouched: bool) -> Result<(), ChainError> {
        let statement: Statement = encoding::decode(&stored.bytes)?;
        if statement.vault != self.vault
            || statement.position != self.pin.length
            || *statement.previous != self.pin.head
        {
            return Err(ChainError::OutOfPlace);
        }
        let signer = statement.signer;
        let roles = self.roles(signer);
        if !vouched {
            verify(self.key_of(signer, &statement.body)?.as_ref().ok_or(ChainError::Authority)?, stored)?;
        }
        let at = parse_time(statement.at_ms)?;
        let administers = || require(roles.contains(Role::Administrator));
        match statement.body {
            // A vault is founded once.
            Body::Founding(_) => return Err(ChainError::OutOfPlace),
            Body::DeviceEnrolled(body) => {
                administers()?;
                self.admit_device(parse_signing(&body.signing)?, at)?;
            }
            Body::TenantCreated(body) => {
                administers()?;
                self.admit_tenant(&body, at)?;
            }
            Body::EpochOpened(body) => self.admit_epoch(body, signer, at)?,
            Body::Granted(body) => self.admit_grant(body, signer, at)?,
            Body::GrantWithdrawn(body) => self.admit_withdrawal(&body, signer, at)?,
            Body::BackupMade(body) => {
                administers()?;
                let newest = self.newest_backup.as_ref().map_or(0, |newest| newest.counter);
                require(body.counter > newest && body.counter - newest <= MAX_BACKUPS_BETWEEN)?;
                self.newest_backup = Some(body);
            }
            Body::KindSet(body) => {
                administers()?;
                let kind = parse_kind(body.kind)?;
                require(self.kinds.contains_key(&kind) || self.kinds.len() < MAX_KINDS)?;
                self.kinds.insert(kind, *body.template);
            }
            Body::KindRemoved(body) => {
                administers()?;
                require(self.kinds.remove(&parse_kind(body.kind)?).is_some())?;
            }
            Body::AccountInvited(body) => self.admit_invitation(&body, signer, at)?,
            Body::InvitationWithdrawn(body) => {
                administers()?;
                let invitation = self.invitations.remove(&body.account).ok_or(ChainError::Authority)?;
                // Whoever has the code could open what was sealed to it.
                self.directory_exposed_since.get_or_insert(at);
                self.lose_roles(invitation.roles, Roles::NONE, at);
            }
            Body::AccountEnrolled(body) => self.admit_account(&body, signer)?,
            Body::RolesSet(body) => {
                administers()?;
                self.admit_roles(body.account, parse_roles(body.roles)?, at)?;
            }
            Body::AccountRemoved(body) => {
                administers()?;
                self.admit_removal(body.account, signer, at)?;
            }
            Body::LeavingSet(body) => {
                administers()?;
                self.admit_leaving(&body, signer, at)?;
            }
            Body::ExposureReported(body) => {
                require(self.right(body.tenant, signer, at) == Some(Right::Steward))?;
                require(self.ended.contains_key(&(body.tenant, body.account)))?;
                let report = ReportedExposure { sealed: *body.sealed, at, by: signer };
                self.reported.insert((body.tenant, body.account), report);
            }
            Body::SlotsNamed(body) => {
                require((1..=MAX_SLOTS).contains(&body.slots.len()))?;
                let account = self.accounts.get_mut(&signer).ok_or(ChainError::Authority)?;
                account.slots = Some(body.slots.iter().map(|slot| **slot).collect());
            }
            Body::PolicySet(body) => {
                administers()?;
                self.policy = parse_policy(&body)?;
            }
            Body::SecondFactorStated(body) => {
                self.accounts.get_mut(&signer).ok_or(ChainError::Authority)?.second_factor = body.enrolled;
            }
            Body::DirectoryKeyed(body) => {
                administers()?;
                require(self.directory_generation.checked_add(1) == Some(body.generation))?;
                // A key that was in use before is known to whom the new one is to be withheld from.
                require(self.directory_kids.insert(*body.kid))?;
                (self.directory_generation, self.directory_kid) = (body.generation, *body.kid);
                self.directories_since.push(at);
                self.directory_exposed_since = None;
            }
            Body::AuditReplaced(body) => {
                require(roles.contains(Role::Auditor))?;
                push_new(&mut self.audits, parse_sealing(&body.public)?)?;
                self.audits_since.push(at);
                self.audit_exposed_since = None;
            }
            Body::OfficeReplaced(body) => {
                require(roles.is_officer())?;
                push_new(&mut self.offices, parse_sealing(&body.public)?)?;
                self.offices_since.push(at);
                self.office_exposed_since = None;
            }
            Body::ProviderSet(body) => {
                administers()?;
                self.admit_provider(body)?;
            }
            Body::AccountFederated(body) => {
                administers()?;
                self.admit_federation(body, signer)?;
            }
            Body::RecoveryReplaced(body) => {
                administers()?;
                self.admit_recovery(body, signer, at)?;
            }
            Body::RecoveryAccepted(body) => {
                require(self.accounts.contains_key(&signer))?;
                require(body.number == self.recovery_number() && body.number > self.trusted_recovery(signer))?;
                self.trusted.insert(signer, body.number);
            }
            Body::AccountRekeyed(body) => self.admit_own_keys(&body, signer, at)?,
            Body::KeyCompromised(body) => self.admit_compromise(body, signer, at)?,
            Body::GlassPrepared(body) => self.admit_custodians(body, signer, at)?,
            Body::GlassBroken(body) => self.admit_broken_glass(&body, signer, at)?,
            Body::VaultMoved(body) => {
                administers()?;
                let device = parse_signing(&body.device)?;
                require(self.move_under_way().is_none() && self.devices.contains(&device))?;
                self.moves.push(Moving { device, at, by: signer, end: MovingEnd::UnderWay });
            }
            Body::MoveTakenBack(body) => {
                administers()?;
                let device = parse_signing(&body.device)?;
                require(self.move_under_way().is_some_and(|moving| moving.device == device))?;
                self.end_move(MovingEnd::TakenBack(at));
            }
            Body::CryptoperiodsSet(body) => {
                administers()?;
                self.cryptoperiods = Cryptoperiods::from_days(&body.days).ok_or(ChainError::Malformed)?;
            }
        }
        self.replica = statement.replica;
        self.pin.length += 1;
        self.pin.head = stored.hash();
        Ok(())
    }

    /// Whose key a statement must be signed with. An account that enrols brings its own, which the invitation vouches
    /// for. Over a tenant it is the recovery that the tenant rests on, which need not be the newest: an administrator named
    /// that one, and administrators have no say over tenants.
    fn key_of(&self, signer: AccountId, body: &Body) -> Result<Option<VerifyingKey>, ChainError> {
        match body {
            Body::AccountEnrolled(body) => parse_signing(&body.signing).map(Some),
            Body::EpochOpened(EpochOpened { tenant, .. }) | Body::Granted(Granted { tenant, .. })
                if signer == RECOVERY =>
            {
                let number = self.tenants.get(tenant).map(|tenant| tenant.recovery);
                Ok(number.and_then(|number| self.recovery_of(number)).map(|recovery| recovery.signing))
            }
            _ if signer == RECOVERY => Ok(Some(self.recovery().signing)),
            _ => Ok(self.accounts.get(&signer).map(|account| account.signing)),
        }
    }

    fn admit_device(&mut self, device: VerifyingKey, at: Timestamp) -> Result<(), ChainError> {
        if self.move_under_way().is_some() {
            // Where the vault was before it does not go on but by a word of its own.
            require(!self.devices.contains(&device))?;
            self.end_move(MovingEnd::TakenUp(at));
        }
        self.devices.push(device);
        self.devices_since.push(at);
        Ok(())
    }

    fn end_move(&mut self, end: MovingEnd) {
        if let Some(moving) = self.moves.last_mut() {
            moving.end = end;
        }
    }

    fn admit_tenant(&mut self, body: &TenantCreated, at: Timestamp) -> Result<(), ChainError> {
        require(self.accounts.contains_key(&body.steward) && !self.tenants.contains_key(&body.tenant))?;
        let tenant = Tenant {
            created_at: at,
            demo: body.demo,
            opener: body.steward,
            holders: BTreeSet::new(),
            exposed_since: None,
            ordinal: self.tenants.len() as u64,
            recovery: self.trusted_recovery(body.steward),
            epoch: None,
            opened: Vec::new(),
            custodians: Vec::new(),
            broken: Vec::new(),
        };
        self.tenants.insert(body.tenant, tenant);
        Ok(())
    }

    fn admit_epoch(&mut self, body: EpochOpened, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        let is_steward = self.right(body.tenant, signer, at) == Some(Right::Steward);
        let trusted = self.trusted_recovery(signer);
        let tenant = self.tenants.get_mut(&body.tenant).ok_or(ChainError::Authority)?;
        match &tenant.epoch {
            None => require(body.epoch == 1 && (signer == tenant.opener || signer == RECOVERY))?,
            Some(before) => {
                require(is_steward || signer == RECOVERY)?;
                require(before.epoch.checked_add(1) == Some(body.epoch) && body.kid != before.kid)?;
            }
        }
        // A co-steward may have moved the tenant to a recovery that this one has not compared.
        require(signer == RECOVERY || trusted >= tenant.recovery)?;
        // A file that another tenant has, or had, would be opened, or swept, in that one's place.
        require(self.files.insert(*body.file))?;
        let retired = tenant.epoch.as_ref().map(|before| *before.file);
        self.retired_files.extend(retired);
        if signer != RECOVERY {
            tenant.recovery = trusted;
        }
        tenant.opener = signer;
        tenant.holders.clear();
        tenant.exposed_since = None;
        tenant.opened.push(at);
        tenant.custodians.clear();
        let id = body.tenant;
        tenant.epoch = Some(body);
        self.end_grants(|tenant, _| tenant == id, at);
        Ok(())
    }

    fn admit_grant(&mut self, body: Granted, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        let by_steward = signer == RECOVERY || self.right(body.tenant, signer, at) == Some(Right::Steward);
        let tenant = self.tenants.get_mut(&body.tenant).ok_or(ChainError::Authority)?;
        let epoch = tenant.epoch.as_ref().ok_or(ChainError::Authority)?;
        let grantee = self.accounts.get(&body.grantee).ok_or(ChainError::Authority)?;
        let by_opener = tenant.holders.is_empty() && signer == tenant.opener && body.grantee == signer;
        require(by_steward || by_opener)?;
        require(body.epoch == epoch.epoch && body.kid == epoch.kid && *body.grantee_keys == grantee.keys_digest)?;
        require(Right::from_code(body.right).is_some())?;
        tenant.holders.insert(body.grantee);
        self.ended.remove(&(body.tenant, body.grantee));
        self.reported.remove(&(body.tenant, body.grantee));
        self.grants.insert((body.tenant, body.grantee), body);
        Ok(())
    }

    fn admit_withdrawal(&mut self, body: &GrantWithdrawn, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        let by_steward = self.right(body.tenant, signer, at) == Some(Right::Steward);
        require(by_steward || self.roles(signer).contains(Role::Administrator) || signer == body.account)?;
        let tenant = self.tenants.get_mut(&body.tenant).ok_or(ChainError::Authority)?;
        require(self.grants.contains_key(&(body.tenant, body.account)))?;
        tenant.exposed_since.get_or_insert(at);
        self.end_grants(|tenant, account| (tenant, account) == (body.tenant, body.account), at);
        Ok(())
    }

    fn admit_invitation(&mut self, body: &AccountInvited, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        let (login, roles) = (parse_login(&body.login)?, parse_roles(body.roles)?);
        let by_recovery = signer == RECOVERY && roles.contains(Role::Administrator);
        require(by_recovery || self.roles(signer).contains(Role::Administrator))?;
        // Those that begin like recovery's stand for recoveries (docs/FORMAT.md §5.7).
        require(!body.account.as_bytes().starts_with(&[0; 12]))?;
        require(!self.is_known(body.account) && !self.is_taken(&login))?;
        require(self.accounts.len() + self.invitations.len() < MAX_ACCOUNTS)?;
        let expires_at = parse_time(body.expires_ms)?;
        let open_for = body.expires_ms.saturating_sub(at.unix_millis());
        require((1..=MAX_INVITATION_MILLIS).contains(&open_for))?;
        let (sealing, signing) = (parse_sealing(&body.sealing)?, parse_signing(&body.signing)?);
        let invitation = Invitation { login, roles, sealing, signing, invited_at: at, expires_at };
        self.invitations.insert(body.account, invitation);
        Ok(())
    }

    fn admit_account(&mut self, body: &AccountEnrolled, signer: AccountId) -> Result<(), ChainError> {
        let invitation = self.invitations.get(&body.account).ok_or(ChainError::Authority)?;
        let at = parse_time(body.at_ms)?;
        require(signer == body.account && at <= invitation.expires_at)?;
        invitation
            .signing
            .verify(label::ENROLMENT, &body.vouched(self.vault), body.vouched_for.as_slice())
            .map_err(|_| ChainError::Signature)?;
        let (sealing, signing) = (parse_sealing(&body.sealing)?, parse_signing(&body.signing)?);
        let account = Account {
            login: invitation.login.clone(),
            roles: invitation.roles,
            keys_digest: keys_digest(&sealing, &signing),
            sealing,
            signing,
            signed_with: Vec::new(),
            since: at,
            keys_since: vec![at],
            slots: None,
            second_factor: false,
            federation: None,
        };
        self.invitations.remove(&body.account);
        self.accounts.insert(body.account, account);
        Ok(())
    }

    fn admit_own_keys(&mut self, body: &AccountRekeyed, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        let (sealing, signing) = (parse_sealing(&body.sealing)?, parse_signing(&body.signing)?);
        // A key that is, or was, anybody's would make one person's word another's.
        let living = self.accounts.values();
        let mut known = living.chain(self.former.values().map(|former| &former.account));
        let is_in_use = known
            .any(|known| known.sealing == sealing || known.signing == signing || known.signed_with.contains(&signing));
        require(!is_in_use && (1..=MAX_SLOTS).contains(&body.slots.len()))?;
        let granted: BTreeSet<TenantId> =
            self.grants.keys().filter(|(_, account)| *account == signer).map(|(tenant, _)| *tenant).collect();
        let resealed: BTreeSet<TenantId> = body.grants.iter().map(|grant| grant.tenant).collect();
        require(granted == resealed && body.grants.len() == resealed.len())?;
        let account = self.accounts.get_mut(&signer).ok_or(ChainError::Authority)?;
        let before = account.set_keys(sealing, signing);
        account.signed_with.push(before);
        account.keys_since.push(at);
        account.slots = Some(body.slots.iter().map(|slot| **slot).collect());
        let (roles, keys) = (account.roles, account.keys_digest);
        for grant in &body.grants {
            if let Some(given) = self.grants.get_mut(&(grant.tenant, signer)) {
                (given.sealed, given.grantee_keys) = (grant.sealed, keys.into());
            }
        }
        // Whoever has the keys of before holds all that was sealed to them.
        self.directory_exposed_since.get_or_insert(at);
        self.lose_roles(roles, Roles::NONE, at);
        for tenant in self.tenants.values_mut().filter(|tenant| tenant.holders.contains(&signer)) {
            tenant.exposed_since.get_or_insert(at);
        }
        Ok(())
    }

    fn admit_recovery(&mut self, body: RecoveryReplaced, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        require(self.recovery_number().checked_add(1) == Some(body.number))?;
        let next = Recovery {
            sealing: parse_sealing(&body.sealing)?,
            signing: parse_signing(&body.signing)?,
            age: AgeRecipient::from_bytes(*body.age),
            split: parse_split(body.split)?,
            since: at,
            stated_by: signer,
        };
        let was = |known: &Recovery| known.sealing == next.sealing || known.signing == next.signing;
        require(!self.recoveries.iter().any(was))?;
        self.recoveries.push(next);
        self.trusted.insert(signer, body.number);
        // What the one before was given it still holds.
        self.directory_exposed_since.get_or_insert(at);
        self.audit_exposed_since.get_or_insert(at);
        self.office_exposed_since.get_or_insert(at);
        Ok(())
    }

    fn admit_provider(&mut self, body: ProviderSet) -> Result<(), ChainError> {
        match &body.provider {
            Some(provider) => {
                for text in [&provider.issuer, &provider.audience, &provider.claim] {
                    require(is_provider_text(text))?;
                }
                require((1..=MAX_LEASE_DAYS).contains(&provider.days))?;
            }
            // Whoever is marked needs one.
            None => require(self.provider.is_some() && self.accounts.values().all(|known| known.federation.is_none()))?,
        }
        self.provider = body.provider;
        Ok(())
    }

    fn admit_federation(&mut self, body: AccountFederated, signer: AccountId) -> Result<(), ChainError> {
        let before = self.accounts.get(&body.account).ok_or(ChainError::Authority)?.federation.clone();
        // Nobody takes their own mark away, nor changes whose tokens they may bring.
        require(before.is_none() || signer != body.account)?;
        let after = match body.subject {
            None => {
                require(before.is_some())?;
                None
            }
            Some(subject) => {
                require(self.provider.is_some() && is_provider_text(&subject))?;
                // One person's token must not serve twice.
                let is_other = |(id, known): (&AccountId, &Account)| {
                    *id != body.account && known.federation.as_ref().is_some_and(|other| other.subject == subject)
                };
                require(!self.accounts.iter().any(is_other))?;
                Some(Federation { subject, mark: self.pin.length })
            }
        };
        let is_administrator = self.roles(body.account).contains(Role::Administrator);
        let loses_one = is_administrator && before.is_none() && after.is_some();
        require(!loses_one || self.free_administrators() > 1)?;
        self.accounts.get_mut(&body.account).ok_or(ChainError::Authority)?.federation = after;
        Ok(())
    }

    fn admit_roles(&mut self, account: AccountId, roles: Roles, at: Timestamp) -> Result<(), ChainError> {
        self.keeps_officers(account, roles)?;
        let known = self.accounts.get_mut(&account).ok_or(ChainError::Authority)?;
        let before = std::mem::replace(&mut known.roles, roles);
        self.lose_roles(before, roles, at);
        Ok(())
    }

    fn admit_removal(&mut self, account: AccountId, removed_by: AccountId, at: Timestamp) -> Result<(), ChainError> {
        self.keeps_officers(account, Roles::NONE)?;
        let known = self.accounts.remove(&account).ok_or(ChainError::Authority)?;
        self.lose_roles(known.roles, Roles::NONE, at);
        let keys_then =
            KeysThen { directory: self.directories_since.len(), audit: self.audits.len(), office: self.offices.len() };
        self.former.insert(account, FormerAccount { account: known, left_at: at, removed_by, keys_then });
        self.directory_exposed_since.get_or_insert(at);
        self.end_grants(|_, grantee| grantee == account, at);
        for tenant in self.tenants.values_mut().filter(|tenant| tenant.holders.contains(&account)) {
            tenant.exposed_since.get_or_insert(at);
        }
        Ok(())
    }

    fn admit_leaving(&mut self, body: &LeavingSet, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        // Nor does anybody take back that they are to leave.
        require(signer != body.account)?;
        let access_by = body.access_by_ms.map(parse_time).transpose()?;
        let secrets_by = body.secrets_by_ms.map(parse_time).transpose()?;
        let Some(secrets_by) = secrets_by else {
            // Who left has left.
            require(access_by.is_none() && self.accounts.contains_key(&body.account))?;
            return require(self.leaving.remove(&body.account).is_some());
        };
        let fits = match access_by {
            Some(access_by) => self.accounts.contains_key(&body.account) && access_by <= secrets_by,
            None => self.former.contains_key(&body.account),
        };
        require(fits)?;
        let before = self.leaving.get(&body.account);
        let leaving = Leaving {
            stated_at: before.map_or(at, |before| before.stated_at),
            stated_by: before.map_or(signer, |before| before.stated_by),
            access_by: access_by.or_else(|| before.and_then(|before| before.access_by)),
            secrets_by,
        };
        self.leaving.insert(body.account, leaving);
        Ok(())
    }

    fn admit_custodians(&mut self, body: GlassPrepared, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        require(self.right(body.tenant, signer, at) == Some(Right::Steward))?;
        let distinct: BTreeSet<AccountId> = body.custodians.iter().map(|custodian| custodian.account).collect();
        let count = body.custodians.len();
        require(distinct.len() == count && (count == 0 || (glass::NEEDED..=glass::CUSTODIANS_MAX).contains(&count)))?;
        for custodian in &body.custodians {
            let account = self.accounts.get(&custodian.account).ok_or(ChainError::Authority)?;
            require(*custodian.keys == account.keys_digest)?;
        }
        let tenant = self.tenants.get_mut(&body.tenant).ok_or(ChainError::Authority)?;
        require(tenant.epoch.as_ref().is_some_and(|epoch| epoch.epoch == body.epoch))?;
        tenant.custodians = body.custodians;
        Ok(())
    }

    fn admit_broken_glass(&mut self, body: &GlassBroken, opener: AccountId, at: Timestamp) -> Result<(), ChainError> {
        let until = parse_time(body.until_ms)?;
        let lasts = body.until_ms.saturating_sub(at.unix_millis());
        require((1..=MAX_GLASS_MILLIS).contains(&lasts))?;
        let reason = body.reason.trim();
        require(reason == body.reason && (1..=MAX_REASON_CHARS).contains(&reason.chars().count()))?;
        require(opener != body.second && self.right(body.tenant, opener, at).is_none())?;
        let tenant = self.tenants.get(&body.tenant).ok_or(ChainError::Authority)?;
        let epoch = tenant.epoch.as_ref().ok_or(ChainError::Authority)?;
        require(epoch.epoch == body.epoch && epoch.kid == body.kid)?;
        let custodian = |account: AccountId| {
            let known = self.accounts.get(&account).ok_or(ChainError::Authority)?;
            let named = tenant.custodians.iter().find(|custodian| custodian.account == account);
            // With other keys than the steward compared, somebody is a custodian no longer.
            require(named.is_some_and(|named| *named.keys == known.keys_digest))?;
            Ok::<_, ChainError>(known)
        };
        let keys = custodian(opener)?.keys_digest;
        custodian(body.second)?
            .signing
            .verify(label::GLASS, &body.seconded(self.vault, opener), body.word.as_slice())
            .map_err(|_| ChainError::Signature)?;
        let grant = Granted {
            tenant: body.tenant,
            epoch: body.epoch,
            grantee: opener,
            grantee_keys: keys.into(),
            right: Right::Reader.code(),
            expires_ms: Some(body.until_ms),
            sealed: body.sealed,
            kid: body.kid,
        };
        let broken =
            BrokenGlass { epoch: body.epoch, opener, second: body.second, at, until, reason: body.reason.clone() };
        let tenant = self.tenants.get_mut(&body.tenant).ok_or(ChainError::Authority)?;
        tenant.holders.insert(opener);
        tenant.broken.push(broken);
        self.ended.remove(&(body.tenant, opener));
        self.reported.remove(&(body.tenant, opener));
        self.grants.insert((body.tenant, opener), grant);
        Ok(())
    }

    fn admit_compromise(&mut self, body: KeyCompromised, signer: AccountId, at: Timestamp) -> Result<(), ChainError> {
        let kind = KeyKind::from_code(body.kind).ok_or(ChainError::Malformed)?;
        let tenant = body.tenant.map(|tenant| TenantId::from_bytes(*tenant));
        let roles = self.roles(signer);
        let by_steward = |tenant| self.right(tenant, signer, at) == Some(Right::Steward);
        require(match (kind, tenant) {
            (KeyKind::Tenant, Some(tenant)) => by_steward(tenant),
            (KeyKind::Directory | KeyKind::Recovery | KeyKind::Device, None) => roles.contains(Role::Administrator),
            (KeyKind::Audit, None) => roles.contains(Role::Auditor),
            (KeyKind::Office, None) => roles.is_officer(),
            (KeyKind::Tenant | KeyKind::Account, None) | (_, Some(_)) => false,
        })?;
        let number = self.key_number(kind, tenant).ok_or(ChainError::Authority)?;
        self.compromised.entry((kind, tenant, number)).or_insert(at);
        match (kind, tenant) {
            (KeyKind::Directory, _) => {
                self.directory_exposed_since.get_or_insert(at);
            }
            (KeyKind::Audit, _) => {
                self.audit_exposed_since.get_or_insert(at);
            }
            (KeyKind::Office, _) => {
                self.office_exposed_since.get_or_insert(at);
            }
            (KeyKind::Tenant, Some(tenant)) => {
                let tenant = self.tenants.get_mut(&tenant).ok_or(ChainError::Authority)?;
                tenant.exposed_since.get_or_insert(at);
            }
            // Another kit, or another key of the device, takes its place: nothing waits for it meanwhile.
            (KeyKind::Recovery | KeyKind::Device | KeyKind::Account | KeyKind::Tenant, _) => {}
        }
        Ok(())
    }

    /// Ends grants, and remembers what they were.
    fn end_grants(&mut self, which: impl Fn(TenantId, AccountId) -> bool, at: Timestamp) {
        let ended = &mut self.ended;
        self.grants.retain(|&(tenant, account), grant| {
            let ends = which(tenant, account);
            if let (true, Some(right)) = (ends, Right::from_code(grant.right)) {
                ended.insert((tenant, account), EndedGrant { right, ended_at: at, epoch: grant.epoch });
            }
            !ends
        });
    }

    /// A vault keeps an administrator who needs no token, and an auditor, whatever becomes of an account's roles.
    fn keeps_officers(&self, account: AccountId, after: Roles) -> Result<(), ChainError> {
        let auditors = self.count_with(Role::Auditor) - usize::from(self.roles(account).contains(Role::Auditor));
        let is_free = self.accounts.get(&account).is_some_and(|known| known.federation.is_none());
        let was_one = is_free && self.roles(account).contains(Role::Administrator);
        let administrators = self.free_administrators() - usize::from(was_one);
        require(administrators > 0 || (is_free && after.contains(Role::Administrator)))?;
        require(auditors > 0 || after.contains(Role::Auditor))
    }

    /// What follows from roles that somebody no longer has.
    fn lose_roles(&mut self, before: Roles, after: Roles, at: Timestamp) {
        if before.contains(Role::Auditor) && !after.contains(Role::Auditor) {
            self.audit_exposed_since.get_or_insert(at);
        }
        if before.is_officer() && !after.is_officer() {
            self.office_exposed_since.get_or_insert(at);
        }
    }

    /// Whether an account is, was, or may become one.
    fn is_known(&self, account: AccountId) -> bool {
        self.accounts.contains_key(&account)
            || self.invitations.contains_key(&account)
            || self.former.contains_key(&account)
    }
}

fn verify(key: &VerifyingKey, signed: &SignedStatement) -> Result<(), ChainError> {
    key.verify(label::STATEMENT, &signed.bytes, &signed.signature).map_err(|_| ChainError::Signature)
}

fn require(condition: bool) -> Result<(), ChainError> {
    if condition { Ok(()) } else { Err(ChainError::Authority) }
}

fn parse_sealing(bytes: &[u8]) -> Result<SealingPublicKey, ChainError> {
    SealingPublicKey::parse(bytes).map_err(|_| ChainError::Malformed)
}

fn parse_signing(bytes: &[u8; 32]) -> Result<VerifyingKey, ChainError> {
    VerifyingKey::parse(bytes).map_err(|_| ChainError::Malformed)
}

/// Adds a key that was not in use before.
fn push_new(keys: &mut Vec<SealingPublicKey>, key: SealingPublicKey) -> Result<(), ChainError> {
    require(!keys.contains(&key))?;
    keys.push(key);
    Ok(())
}

/// A split as stated: within its bounds, and no share twice.
fn parse_split(split: Option<SeedSplit>) -> Result<Option<SeedSplit>, ChainError> {
    let Some(split) = split else { return Ok(None) };
    let count = u8::try_from(split.shares.len()).map_err(|_| ChainError::Malformed)?;
    Split::new(split.needed, count).map_err(|_| ChainError::Malformed)?;
    let distinct: BTreeSet<&[u8; 32]> = split.shares.iter().map(|share| &**share).collect();
    if distinct.len() == split.shares.len() { Ok(Some(split)) } else { Err(ChainError::Malformed) }
}

/// A login as stored: folded already.
fn parse_login(text: &str) -> Result<LoginName, ChainError> {
    let login: LoginName = text.parse().map_err(|_| ChainError::Malformed)?;
    if login.as_str() == text { Ok(login) } else { Err(ChainError::Malformed) }
}

/// Roles of an account: one at least.
fn parse_roles(bits: u8) -> Result<Roles, ChainError> {
    Roles::from_bits(bits).filter(|roles| !roles.is_empty()).ok_or(ChainError::Malformed)
}

/// Rules of a vault: of things that exist, and of two people only where two may be asked for.
fn parse_policy(body: &PolicySet) -> Result<VaultPolicy, ChainError> {
    let guarded = |bits| GuardedSet::from_bits(bits).ok_or(ChainError::Malformed);
    let policy = VaultPolicy {
        second_factor: Roles::from_bits(body.second_factor).ok_or(ChainError::Malformed)?,
        step_up: guarded(body.step_up)?,
        two_people: guarded(body.two_people)?,
        kdf_memory_kib: body.kdf_memory_kib,
    };
    require(policy.two_people.is_within(GuardedSet::FOR_TWO) && policy.kdf_memory_kib <= KdfParams::MAX_MEMORY_KIB)?;
    Ok(policy)
}

/// Whether a text can be one of an identity provider: not empty, not endless, nothing that is not seen.
pub(crate) fn is_provider_text(text: &str) -> bool {
    (1..=MAX_PROVIDER_TEXT).contains(&text.len()) && !text.contains(char::is_control)
}

/// A kind of the vault's own: any but those that every vault has.
fn parse_kind(kind: String) -> Result<RecordKind, ChainError> {
    require(!RecordKind::OFFERED.contains(&kind.as_str()))?;
    kind.try_into().map_err(|_| ChainError::Malformed)
}

fn parse_time(millis: i64) -> Result<Timestamp, ChainError> {
    Timestamp::from_unix_millis(millis).map_err(|_| ChainError::Malformed)
}
