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
use crate::session::{Core, SharedPairs};
use crate::store::directory::{DirectoryTx, Holder, SharedPair};
use crate::store::sqlcipher::StoreError;

/// A shared pair's seed, sealed to an account or an invitation.
pub(super) struct SealedSeed {
    pair: SharedPair,
    number: u32,
    account: AccountId,
    sealed: Vec<u8>,
}

impl SealedSeed {
    /// Stores it.
    pub(super) fn store(&self, tx: &mut DirectoryTx<'_>) -> Result<(), StoreError> {
        tx.set_pair_seed(self.pair, self.number, Holder::Account(self.account), &self.sealed)
    }
}

impl SharedPairs {
    fn of(&self, pair: SharedPair) -> &[Arc<SharedKey>] {
        match pair {
            SharedPair::Audit => &self.audit,
            SharedPair::Office => &self.office,
        }
    }

    /// Seals those that `wanted` asks for to an account or an invitation.
    fn seal(
        &self,
        vault: VaultId,
        account: AccountId,
        to: &SealingPublicKey,
        wanted: impl Fn(SharedPair, u32) -> bool,
        random: &mut dyn Random,
    ) -> Vec<SealedSeed> {
        let mut seeds = Vec::new();
        for pair in [SharedPair::Audit, SharedPair::Office] {
            for key in self.of(pair).iter().filter(|key| wanted(pair, key.number)) {
                let context = pair_context(vault, pair, key.number, Holder::Account(account));
                let sealed = seal::seal_key_to(to, &key.seed, &context, random);
                seeds.push(SealedSeed { pair, number: key.number, account, sealed });
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
        self.seal(vault, account, to, |_, _| true, random)
    }
}

impl Core {
    /// Seals every shared key that this account holds, and that the roles call for, to somebody.
    pub(super) fn pair_seeds_for(&self, account: AccountId, to: &SealingPublicKey, roles: Roles) -> Vec<SealedSeed> {
        let called_for = |pair, _| SharedPair::of(roles).any(|called| called == pair);
        self.office().shared.seal(self.vault.id, account, to, called_for, &mut self.random())
    }

    /// Hands on to accounts and invitations what their roles call for, as far as this account holds it.
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
                let lacks = |pair, number| {
                    if !SharedPair::of(roles).any(|called| called == pair) {
                        return false;
                    }
                    let sealed = office.directory.pair_seed(pair, number, Holder::Account(account));
                    sealed.is_ok_and(|sealed| sealed.is_none())
                };
                seeds.extend(office.shared.seal(self.vault.id, account, to, lacks, &mut self.random()));
            }
        }
        if seeds.is_empty() {
            return Ok(());
        }
        for account in seeds.iter().map(|seed| seed.account).collect::<BTreeSet<_>>() {
            self.append(Event::KeysShared(account))?;
        }
        let mut office = self.office();
        let mut tx = office.directory.write().map_err(in_directory)?;
        seeds.iter().try_for_each(|seed| seed.store(&mut tx)).map_err(in_directory)?;
        tx.commit().map_err(in_directory)
    }
}
