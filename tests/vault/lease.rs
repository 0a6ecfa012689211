//! Accounts that unlock for so many days after they brought a fresh token of the identity provider, and no longer.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use coffer_core::policy::Action;
use coffer_core::{
    CallError, Credentials, FederationError, LeaveError, ProviderRequest, Session, SetRolesError, TokenRefusal,
    UnlockError,
};
use coffer_model::account::{Role, Roles};
use coffer_model::policy::{Guarded, GuardedSet, VaultPolicy};
use coffer_model::time::Timestamp;
use coffer_tests::{
    Authenticator, LOGIN, PASSPHRASE, Place, SetClock, account, enrol, forget_delays, fresh, passphrase, passphrase_of,
};
use josekit::jwe::{ECDH_ES, JweHeader};
use josekit::jwk::Jwk;
use josekit::jws::{ES256, JwsHeader};
use josekit::jwt::{self, JwtPayload};

const ISSUER: &str = "https://id.example.org";
const AUDIENCE: &str = "coffer";
const DAYS: u32 = 7;

/// An identity provider.
struct Provider {
    key: Jwk,
    minted: u32,
}

impl Provider {
    fn new() -> Self {
        Self { key: Jwk::generate_ec_key(josekit::jwk::P_256).unwrap(), minted: 0 }
    }

    /// What it publishes.
    fn key_set(&self) -> Vec<u8> {
        let mut public = self.key.to_public_key().unwrap();
        public.set_key_id("k1");
        format!("{{\"keys\":[{public}]}}").into_bytes()
    }

    /// A token that holds for five minutes from `place`'s time on, unless `change` has it otherwise.
    fn mint(&mut self, place: &Place, subject: &str, change: impl FnOnce(&mut JwtPayload)) -> String {
        self.minted += 1;
        let now = place.host.clock.now().unix_millis() / 1_000;
        let at = |seconds: i64| SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap());
        let mut payload = JwtPayload::new();
        payload.set_issuer(ISSUER);
        payload.set_audience(vec![AUDIENCE]);
        payload.set_subject(subject);
        payload.set_jwt_id(format!("token-{}", self.minted));
        payload.set_issued_at(&at(now));
        payload.set_expires_at(&at(now + 300));
        change(&mut payload);
        let mut header = JwsHeader::new();
        header.set_key_id("k1");
        jwt::encode_with_signer(&payload, &header, &ES256.signer_from_jwk(&self.key).unwrap()).unwrap()
    }
}

fn request(key_set: Option<&[u8]>) -> ProviderRequest<'_> {
    ProviderRequest { issuer: ISSUER, audience: AUDIENCE, claim: "sub", days: DAYS, key_set }
}

fn with_token(login: &str, token: &str) -> Credentials {
    Credentials::new(passphrase_of(login)).with_token(token.as_bytes().to_vec().into())
}

/// A vault whose account `otto` is marked, locked; and its clock.
fn marked() -> (Place, Arc<SetClock>, Provider) {
    let mut place = Place::new();
    let clock = SetClock::put_into(&mut place);
    let (session, _kit) = place.create();
    enrol(&place, session, "otto", &[Role::Member]).lock().unwrap();
    let provider = Provider::new();
    let session = place.unlock();
    session.pin_provider(&request(Some(&provider.key_set())), fresh(&session)).unwrap();
    session.federate(account(&session, "otto").id, Some("o-17"), fresh(&session)).unwrap();
    session.lock().unwrap();
    (place, clock, provider)
}

fn try_alone(place: &Place) -> Result<Session, UnlockError> {
    place.vault().unlock("otto", passphrase_of("otto"))
}

fn try_with(place: &Place, token: &str) -> Result<Session, UnlockError> {
    forget_delays(&place.vault_folder());
    place.vault().unlock_with("otto", &with_token("otto", token))
}

#[test]
fn a_marked_account_needs_a_token_and_unlocks_without_one_until_its_lease_is_over() {
    let (place, clock, mut provider) = marked();
    assert!(matches!(try_alone(&place), Err(UnlockError::TokenNeeded)));
    assert_eq!(UnlockError::TokenNeeded.code(), "token_needed");
    // Somebody who does not know the passphrase is not told.
    let wrong = place.vault().unlock("otto", passphrase("no such herons here at all"));
    assert!(matches!(wrong, Err(UnlockError::Refused)));

    let session = try_with(&place, &provider.mint(&place, "o-17", |_| {})).unwrap();
    let ways = session.ways_in().unwrap();
    assert!(ways.federated);
    let until = ways.lease_until.unwrap().unix_millis() - place.host.clock.now().unix_millis();
    assert!((until - i64::from(DAYS) * 86_400_000).abs() < 5_000, "{until}");
    session.lock().unwrap();

    clock.set_days_ahead(i64::from(DAYS) - 1);
    try_alone(&place).unwrap().lock().unwrap();
    clock.set_days_ahead(i64::from(DAYS));
    assert!(matches!(try_alone(&place), Err(UnlockError::TokenNeeded)));
    try_with(&place, &provider.mint(&place, "o-17", |_| {})).unwrap().lock().unwrap();
    try_alone(&place).unwrap().lock().unwrap();

    let session = place.unlock();
    let entries = session.log_page(None, 100).unwrap().entries;
    let count = |action: &str| entries.iter().filter(|entry| entry.action == action).count();
    assert_eq!((count("provider.pinned"), count("account.federated"), count("lease.renewed")), (1, 1, 2));
    assert_eq!(count("vault.unlock_failed"), 1, "that a token is needed is no failed try");
}

#[test]
fn no_token_counts_twice_whether_it_has_an_identifier_or_not() {
    let (place, clock, mut provider) = marked();
    for (day, token) in [
        provider.mint(&place, "o-17", |_| {}),
        provider.mint(&place, "o-17", |payload| payload.set_claim("jti", None).unwrap()),
    ]
    .into_iter()
    .enumerate()
    {
        try_with(&place, &token).unwrap().lock().unwrap();
        assert!(matches!(try_with(&place, &token), Err(UnlockError::Token(TokenRefusal::Used))), "{day}");
    }
    // A new mark ends the lease, and still knows the tokens.
    let token = provider.mint(&place, "o-17", |_| {});
    try_with(&place, &token).unwrap().lock().unwrap();
    let session = place.unlock();
    session.federate(account(&session, "otto").id, Some("o-17"), fresh(&session)).unwrap();
    session.lock().unwrap();
    assert!(matches!(try_alone(&place), Err(UnlockError::TokenNeeded)));
    assert!(matches!(try_with(&place, &token), Err(UnlockError::Token(TokenRefusal::Used))));
    // Nor does it, once it is forgotten and the clock is put back to where it counted.
    clock.set_days_ahead(2);
    try_with(&place, &provider.mint(&place, "o-17", |_| {})).unwrap().lock().unwrap();
    clock.set_days_ahead(0);
    assert!(matches!(try_with(&place, &token), Err(UnlockError::Token(TokenRefusal::Expired | TokenRefusal::Used))));
}

#[test]
fn what_does_not_hold_lets_nobody_in_and_is_logged_and_delayed() {
    let (place, _clock, mut provider) = marked();
    let mut other = Provider::new();
    let now = place.host.clock.now().unix_millis() / 1_000;
    let at = |seconds: i64| SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap());
    let good = provider.mint(&place, "o-17", |_| {});
    let refused = [
        (other.mint(&place, "o-17", |_| {}), TokenRefusal::Signature),
        (provider.mint(&place, "m-4", |_| {}), TokenRefusal::Subject),
        (provider.mint(&place, "o-17", |payload| payload.set_issuer("https://else.example")), TokenRefusal::Issuer),
        (provider.mint(&place, "o-17", |payload| payload.set_audience(vec!["else"])), TokenRefusal::Audience),
        (provider.mint(&place, "o-17", |payload| payload.set_expires_at(&at(now - 61))), TokenRefusal::Expired),
        (provider.mint(&place, "o-17", |payload| payload.set_issued_at(&at(now + 120))), TokenRefusal::NotYet),
        (good[..good.len() - 10].to_owned(), TokenRefusal::Signature),
        (String::new(), TokenRefusal::Malformed),
    ];
    for (token, expected) in &refused {
        let found = try_with(&place, token);
        assert!(matches!(&found, Err(UnlockError::Token(refusal)) if refusal == expected), "{expected:?}");
    }
    // Delays are as those of wrong passphrases: from the fifth on, the last one above among them.
    for _ in 0..4 {
        let _ = place.vault().unlock_with("otto", &with_token("otto", "a.b.c"));
    }
    let delayed = place.vault().unlock_with("otto", &with_token("otto", "a.b.c"));
    assert!(matches!(delayed, Err(UnlockError::TooSoon { .. })), "{delayed:?}");
    forget_delays(&place.vault_folder());
    // None of it used the good one up.
    try_with(&place, &good).unwrap().lock().unwrap();
    let session = place.unlock();
    let failed = session.view().failed_unlocks;
    assert_eq!(failed, refused.len() as u64 + 4);
}

#[test]
fn a_clock_that_is_set_back_prolongs_no_lease() {
    let (place, clock, mut provider) = marked();
    let at_first = provider.mint(&place, "o-17", |_| {});
    try_with(&place, &at_first).unwrap().lock().unwrap();
    clock.set_days_ahead(6);
    try_alone(&place).unwrap().lock().unwrap();
    // Back to the beginning: it has been seen that it was later.
    clock.set_days_ahead(1);
    assert!(matches!(try_alone(&place), Err(UnlockError::TokenNeeded)));
    // Nor is a token of that day fresh.
    let of_then = provider.mint(&place, "o-17", |_| {});
    assert!(matches!(try_with(&place, &of_then), Err(UnlockError::Token(TokenRefusal::Expired))));
    clock.set_days_ahead(6);
    try_alone(&place).unwrap().lock().unwrap();

    // A clock that was years ahead shuts nobody out for years: a new mark begins anew.
    clock.set_days_ahead(3_000);
    try_with(&place, &provider.mint(&place, "o-17", |_| {})).unwrap().lock().unwrap();
    clock.set_days_ahead(7);
    let now = provider.mint(&place, "o-17", |_| {});
    assert!(matches!(try_with(&place, &now), Err(UnlockError::Token(TokenRefusal::Expired))));
    let session = place.unlock();
    session.federate(account(&session, "otto").id, Some("o-17"), fresh(&session)).unwrap();
    session.lock().unwrap();
    try_with(&place, &now).unwrap().lock().unwrap();
}

#[test]
fn a_lease_ends_no_later_than_the_days_after_the_tokens_issue_and_those_that_are_pinned_now() {
    let (place, clock, mut provider) = marked();
    let now = place.host.clock.now().unix_millis() / 1_000;
    let at = |seconds: i64| SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap());
    let old = provider.mint(&place, "o-17", |payload| payload.set_issued_at(&at(now - 20 * 3_600)));
    let session = try_with(&place, &old).unwrap();
    let until = session.ways_in().unwrap().lease_until.unwrap().unix_millis() / 1_000;
    assert_eq!(until, now - 20 * 3_600 + i64::from(DAYS) * 86_400);
    session.lock().unwrap();
    let session = place.unlock();
    session.pin_provider(&ProviderRequest { days: 2, ..request(None) }, fresh(&session)).unwrap();
    session.lock().unwrap();
    assert!(matches!(try_alone(&place), Err(UnlockError::TokenNeeded)));
    clock.set_days_ahead(1);
    try_with(&place, &provider.mint(&place, "o-17", |_| {})).unwrap().lock().unwrap();
    clock.set_days_ahead(3);
    assert!(matches!(try_alone(&place), Err(UnlockError::TokenNeeded)));
}

#[test]
fn a_token_encrypted_to_the_vault_is_taken() {
    let (place, _clock, mut provider) = marked();
    let session = place.unlock();
    let public = session.provider().unwrap().unwrap().encryption_key;
    // Changing what is pinned keeps the key that the provider was given.
    session.pin_provider(&request(None), fresh(&session)).unwrap();
    assert_eq!(session.provider().unwrap().unwrap().encryption_key, public);
    session.lock().unwrap();
    let mut header = JweHeader::new();
    header.set_content_type("JWT");
    header.set_content_encryption("A256GCM");
    let encrypter = ECDH_ES.encrypter_from_jwk(&Jwk::from_bytes(public).unwrap()).unwrap();
    let signed = provider.mint(&place, "o-17", |_| {});
    let token = josekit::jwe::serialize_compact(signed.as_bytes(), &header, &encrypter).unwrap();
    try_with(&place, &token).unwrap().lock().unwrap();
    // The same one without its wrapping is the same one.
    assert!(matches!(try_with(&place, &signed), Err(UnlockError::Token(TokenRefusal::Used))));
}

#[test]
fn the_token_is_asked_for_after_the_code_which_is_not_used_up_by_that() {
    let (place, clock, mut provider) = marked();
    let session = try_with(&place, &provider.mint(&place, "o-17", |_| {})).unwrap();
    let (authenticator, _) = Authenticator::enrol(&session, place.host.clock.now());
    session.lock().unwrap();
    clock.set_days_ahead(30);
    let code = authenticator.code(place.host.clock.now());
    let with_code = || Credentials::new(passphrase_of("otto")).with_code(code.clone().into());
    let unlock = |shown: Credentials| place.vault().unlock_with("otto", &shown);
    assert!(matches!(unlock(Credentials::new(passphrase_of("otto"))), Err(UnlockError::CodeNeeded)));
    assert!(matches!(unlock(with_code()), Err(UnlockError::TokenNeeded)));
    let token = provider.mint(&place, "o-17", |_| {});
    unlock(with_code().with_token(token.into_bytes().into())).unwrap().lock().unwrap();
    assert!(matches!(unlock(with_code()), Err(UnlockError::Code(_))));
}

#[test]
fn nobody_can_be_shut_out_by_marks() {
    let (place, _clock, mut provider) = marked();
    let session = place.unlock();
    let own = account(&session, LOGIN).id;
    assert!(matches!(session.federate(own, Some("i-1"), fresh(&session)), Err(FederationError::LastFreeAdministrator)));
    enrol(&place, session, "ida", &[Role::Administrator, Role::Auditor]).lock().unwrap();
    let session = place.unlock();
    session.federate(own, Some("i-1"), fresh(&session)).unwrap();
    // Nobody takes the own mark away, nor has others pinned to it; and nobody else may be marked with the same.
    assert!(matches!(session.federate(own, None, fresh(&session)), Err(FederationError::OwnMark)));
    assert!(matches!(session.federate(own, Some("i-2"), fresh(&session)), Err(FederationError::OwnMark)));
    let ida = account(&session, "ida").id;
    assert!(matches!(session.federate(ida, Some("i-1"), fresh(&session)), Err(FederationError::SubjectTaken)));
    assert!(matches!(session.federate(ida, Some("i-3"), fresh(&session)), Err(FederationError::LastFreeAdministrator)));
    // Nor does the last one without a mark leave, or become something else.
    let auditor = Roles::of([Role::Auditor]);
    assert!(matches!(session.set_roles(ida, auditor, fresh(&session)), Err(SetRolesError::LastFreeAdministrator)));
    assert!(matches!(session.remove_account(ida, true, fresh(&session)), Err(LeaveError::LastFreeAdministrator)));
    assert!(matches!(session.unpin_provider(fresh(&session)), Err(FederationError::InUse)));
    session.lock().unwrap();
    // One who is to leave is not counted on.
    let ida = place.unlock_as("ida");
    enrol(&place, ida, "uwe", &[Role::Administrator]).lock().unwrap();
    let ida = place.unlock_as("ida");
    let (own, uwe) = (account(&ida, "ida").id, account(&ida, "uwe").id);
    let days =
        |days: i64| Timestamp::from_unix_millis(ida.host().clock.now().unix_millis() + days * 86_400_000).unwrap();
    ida.set_leaving(uwe, Some(days(1)), days(2), fresh(&ida)).unwrap();
    assert!(matches!(ida.set_roles(own, auditor, fresh(&ida)), Err(SetRolesError::LastFreeAdministrator)));
    assert!(matches!(ida.federate(own, None, fresh(&ida)), Err(FederationError::NotMarked)));
    assert!(matches!(ida.federate(own, Some("i-3"), fresh(&ida)), Err(FederationError::LastFreeAdministrator)));
    ida.remove_account(uwe, true, fresh(&ida)).unwrap();
    ida.lock().unwrap();

    assert!(matches!(place.vault().unlock(LOGIN, passphrase(PASSPHRASE)), Err(UnlockError::TokenNeeded)));
    let token = provider.mint(&place, "i-1", |_| {});
    let shown = Credentials::new(passphrase(PASSPHRASE)).with_token(token.into_bytes().into());
    place.vault().unlock_with(LOGIN, &shown).unwrap().lock().unwrap();
    let session = place.unlock_as("ida");
    for login in [LOGIN, "otto"] {
        session.federate(account(&session, login).id, None, fresh(&session)).unwrap();
    }
    session.unpin_provider(fresh(&session)).unwrap();
    assert!(session.provider().unwrap().is_none());
    session.lock().unwrap();
    try_alone(&place).unwrap().lock().unwrap();
    place.unlock().lock().unwrap();
}

#[test]
fn what_cannot_be_pinned_or_marked_is_refused_and_changes_nothing() {
    let place = Place::new();
    let (session, _kit) = place.create();
    let provider = Provider::new();
    let keys = provider.key_set();
    let own = account(&session, LOGIN).id;
    assert!(matches!(session.federate(own, Some("x"), fresh(&session)), Err(FederationError::NoProvider)));
    assert!(matches!(session.unpin_provider(fresh(&session)), Err(FederationError::NoProvider)));
    let pin = |request: ProviderRequest<'_>| session.pin_provider(&request, fresh(&session));
    assert!(matches!(pin(request(None)), Err(FederationError::KeySetNeeded)));
    assert!(matches!(pin(request(Some(b"{}"))), Err(FederationError::KeySet(_))));
    assert!(matches!(pin(ProviderRequest { issuer: " ", ..request(Some(&keys)) }), Err(FederationError::Text)));
    let long = "x".repeat(513);
    assert!(matches!(pin(ProviderRequest { audience: &long, ..request(Some(&keys)) }), Err(FederationError::Text)));
    assert!(matches!(pin(ProviderRequest { claim: "a\nb", ..request(Some(&keys)) }), Err(FederationError::Text)));
    for days in [0, 367] {
        assert!(matches!(pin(ProviderRequest { days, ..request(Some(&keys)) }), Err(FederationError::Days)));
    }
    assert!(session.provider().unwrap().is_none());
    pin(request(Some(&keys))).unwrap();
    let pinned = session.provider().unwrap().unwrap();
    assert_eq!((pinned.keys.len(), pinned.keys[0].kind.as_str(), pinned.accounts), (1, "P-256", 0));
    assert!(matches!(session.federate(own, None, fresh(&session)), Err(FederationError::NotMarked)));

    // Members see what is asked of them, and pin nothing.
    let otto = enrol(&place, session, "otto", &[Role::Member]);
    assert_eq!(otto.provider().unwrap().unwrap().issuer, ISSUER);
    assert!(otto.require(Action::PinProvider).is_err() && otto.require(Action::FederateAccount).is_err());
    let refused = otto.pin_provider(&request(Some(&keys)), fresh(&otto));
    assert!(matches!(refused, Err(FederationError::Call(CallError::Refused))));
    let refused = otto.federate(own, Some("x"), fresh(&otto));
    assert!(matches!(refused, Err(FederationError::Call(CallError::Refused))));
}

#[test]
fn to_loosen_takes_two_where_anything_does_and_who_seconds_needs_a_lease_too() {
    let (place, _clock, mut provider) = marked();
    let session = place.unlock();
    enrol(&place, session, "ida", &[Role::Administrator]).lock().unwrap();
    let session = place.unlock();
    let (otto, ida) = (account(&session, "otto").id, account(&session, "ida").id);
    session.federate(ida, Some("i-9"), fresh(&session)).unwrap();
    let two = VaultPolicy { two_people: GuardedSet::NONE.with(Guarded::Export), ..VaultPolicy::default() };
    session.set_policy(two, fresh(&session)).unwrap();

    let needs_two = |refused: Result<(), FederationError>| {
        matches!(refused, Err(FederationError::Call(CallError::SecondPersonNeeded)))
    };
    assert!(needs_two(session.federate(otto, None, fresh(&session))));
    assert!(needs_two(session.federate(otto, Some("o-18"), fresh(&session))));
    assert!(needs_two(session.pin_provider(&request(None), fresh(&session))));
    assert!(session.takes_two_to_federate(None) && session.takes_two_to_federate(Some(otto)));

    let mut proof = fresh(&session);
    let alone = session.second(&mut proof, "ida", &Credentials::new(passphrase_of("ida")));
    assert!(matches!(alone, Err(UnlockError::TokenNeeded)), "{alone:?}");
    let token = provider.mint(&place, "i-9", |_| {});
    session.second(&mut proof, "ida", &with_token("ida", &token)).unwrap();
    session.federate(otto, None, proof).unwrap();
    // The token has served, and the lease stands: for seconding again, and for unlocking.
    let mut proof = fresh(&session);
    let again = session.second(&mut proof, "ida", &with_token("ida", &token));
    assert!(matches!(again, Err(UnlockError::Token(TokenRefusal::Used))), "{again:?}");
    session.second(&mut proof, "ida", &Credentials::new(passphrase_of("ida"))).unwrap();
    session.lock().unwrap();
    place.unlock_as("ida").lock().unwrap();
    try_alone(&place).unwrap().lock().unwrap();
}
