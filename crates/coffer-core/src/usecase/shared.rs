//! Keys that several accounts use together: handing them on to those whose roles call for them.
//! Layout: docs/FORMAT.md §5.7.
//!
//! Only who holds a key can hand it on. So every session does so for those who wait, once it is unlocked and whenever roles
//! change; an invited person has them from the start if the one who invites holds them.

use std::collections::BTreeSet;
use std::sync::Arc;

use coffer_crypto::Random;
use coffer_crypto::seal::{self, SealingPublicKey};
use coffer_model::account::Roles;
use coffer_model::event::Event;
use coffer_model::id::{AccountId, VaultId};

use crate::fault::{CallError, Damage};
use crate::keys::{SharedKey, pair_context};
use crate::session::{Core, Office, SharedPairs};
use crate::store::directory::{DirectoryTx, Holder, SharedPair};
use crate::store::sqlcipher::StoreError;

/// A shared pair's seed, sealed to an account, an invitation or recovery.
pub(super) struct SealedSeed {
    pair: SharedPair,
    number: u32,
    holder: Holder,
    sealed: Vec<u8>,
}

impl SealedSeed {
    /// Stores it.
    pub(super) fn store(&self, tx: &mut DirectoryTx<'_>) -> Result<(), StoreError> {
        tx.set_pair_seed(self.pair, self.number, self.holder, &self.sealed)
    }
}

impl SharedPairs {
    fn of(&self, pair: SharedPair) -> &[Arc<SharedKey>] {
        match pair {
            SharedPair::Audit => &self.audit,
            SharedPair::Office => &self.office,
        }
    }

    /// Seals those that `wanted` asks for to somebody.
    pub(super) fn seal(
        &self,
        vault: VaultId,
        holder: Holder,
        to: &SealingPublicKey,
        wanted: impl Fn(SharedPair, u32) -> bool,
        random: &mut dyn Random,
    ) -> Vec<SealedSeed> {
        let mut seeds = Vec::new();
        for pair in [SharedPair::Audit, SharedPair::Office] {
            for key in self.of(pair).iter().filter(|key| wanted(pair, key.number)) {
                let context = pair_context(vault, pair, key.number, holder);
                let sealed = seal::seal_key_to(to, &key.seed, &context, random);
                seeds.push(SealedSeed { pair, number: key.number, holder, sealed });
            }
        }
        seeds
    }

    /// Seals all of them.
    pub(super) fn seal_all(
        &self,
        vault: VaultId,
        account: AccountId,
        to: &SealingPublicKey,
        random: &mut dyn Random,
    ) -> Vec<SealedSeed> {
        self.seal(vault, Holder::Account(account), to, |_, _| true, random)
    }
}

impl Core {
    /// Seals every shared key that this account holds, and that the roles call for, to somebody.
    pub(super) fn pair_seeds_for(&self, account: AccountId, to: &SealingPublicKey, roles: Roles) -> Vec<SealedSeed> {
        let called_for = |pair, _| SharedPair::of(roles).any(|called| called == pair);
        let holder = Holder::Account(account);
        self.office().shared.seal(self.vault.id, holder, to, called_for, &mut self.random())
    }

    /// Hands on to accounts and invitations what their roles call for, as far as this account holds it; to recovery
    /// everything it holds, once it trusts the one in use.
    pub(crate) fn share_pairs(&self) -> Result<(), CallError> {
        let in_directory = |error: StoreError| self.fault(error, Damage::Directory);
        let mut seeds = Vec::new();
        {
            let office = self.office();
            let accounts = office.membership.accounts.iter().map(|(&id, known)| (id, &known.sealing, known.roles));
            let open =
                office.membership.invitations.iter().filter(|(_, invitation)| self.now() <= invitation.expires_at);
            let invited = open.map(|(&id, known)| (id, &known.sealing, known.roles));
            for (account, to, roles) in accounts.chain(invited) {
                let holder = Holder::Account(account);
                let lacks = |pair, number| {
                    SharedPair::of(roles).any(|called| called == pair) && is_missing(&office, pair, number, holder)
                };
                seeds.extend(office.shared.seal(self.vault.id, holder, to, lacks, &mut self.random()));
            }
            if office.membership.trusts_recovery(self.account) {
                let holder = Holder::Recovery(office.membership.recovery_number());
                let lacks = |pair, number| is_missing(&office, pair, number, holder);
                let to = &office.membership.recovery().sealing;
                seeds.extend(office.shared.seal(self.vault.id, holder, to, lacks, &mut self.random()));
            }
        }
        if seeds.is_empty() {
            return Ok(());
        }
        for account in seeds.iter().map(|seed| seed.holder.account()).collect::<BTreeSet<_>>() {
            self.append(account.map_or(Event::RecoveryKeysShared, Event::KeysShared))?;
        }
        let mut office = self.office();
        let mut tx = office.directory.write().map_err(in_directory)?;
        seeds.iter().try_for_each(|seed| seed.store(&mut tx)).map_err(in_directory)?;
        tx.commit().map_err(in_directory)
    }
}

/// Whether the directory lacks a pair's seed for a holder.
fn is_missing(office: &Office, pair: SharedPair, number: u32, holder: Holder) -> bool {
    office.directory.pair_seed(pair, number, holder).is_ok_and(|sealed| sealed.is_none())
}
