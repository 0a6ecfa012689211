//! Attacks on the membership chain: whatever somebody does who can write the directory, or who is a member without the
//! authority, a chain that says something else than its signers said is refused.

use std::sync::LazyLock;

use coffer_crypto::seal::SealingKeyPair;
use coffer_crypto::secret::{SealingSeed, SecretKey, SigningSeed};
use proptest::prelude::*;

use super::*;

const VAULT: VaultId = VaultId::from_bytes([1; 16]);
const FOUNDER: AccountId = AccountId::from_bytes([2; 16]);
const MEMBER: AccountId = AccountId::from_bytes([3; 16]);
const REPLICA: ReplicaId = ReplicaId::from_bytes([4; 16]);
const TENANT: TenantId = TenantId::from_bytes([5; 16]);
const KID: Hash = [6; 32];

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(1_795_305_600_000 + seconds * 1000).unwrap()
}

fn signing(seed: u8) -> SigningKey {
    SigningKey::from_seed(&SigningSeed::parse(&[seed; 32]).unwrap())
}

fn founder_key() -> SigningKey {
    signing(10)
}

fn member_key() -> SigningKey {
    signing(11)
}

fn sealing(seed: u8) -> SealingPublicKey {
    SealingKeyPair::from_seed(&SealingSeed::parse(&[seed; 32]).unwrap()).public_key().clone()
}

fn founding() -> Founding {
    Founding {
        suite: 1,
        account: FOUNDER,
        login: "ines".to_owned(),
        sealing: sealing(20).encode().into(),
        signing: founder_key().verifying_key().encode().into(),
        recovery_sealing: sealing(21).encode().into(),
        recovery_signing: signing(12).verifying_key().encode().into(),
        audit: sealing(22).encode().into(),
        office: sealing(23).encode().into(),
        recovery_age: [24; 32].into(),
        directory: [25; 32].into(),
        recovery_split: None,
    }
}

fn tenant_created() -> Body {
    Body::TenantCreated(TenantCreated { tenant: TENANT, steward: FOUNDER, demo: false })
}

fn epoch_opened() -> Body {
    Body::EpochOpened(EpochOpened {
        tenant: TENANT,
        epoch: 1,
        kid: KID.into(),
        file: [7; 16].into(),
        recovery: [0; 32].into(),
        name_for_office: [0; 32].into(),
        name_for_holders: [0; 32].into(),
    })
}

fn kind_set(kind: &str) -> Body {
    Body::KindSet(KindSet { kind: kind.to_owned(), template: [0; 32].into() })
}

fn kind_removed(kind: &str) -> Body {
    Body::KindRemoved(KindRemoved { kind: kind.to_owned() })
}

fn grant(membership: &Membership, grantee: AccountId, right: Right) -> Granted {
    Granted {
        tenant: TENANT,
        epoch: 1,
        grantee,
        grantee_keys: account_keys_digest(&membership.accounts[&grantee]).into(),
        right: right.code(),
        expires_ms: None,
        sealed: [8; 32].into(),
        kid: KID.into(),
    }
}

fn founded() -> (Membership, Vec<SignedStatement>) {
    let first = found(VAULT, at(0), REPLICA, founding(), &founder_key());
    (Membership::replay(VAULT, std::slice::from_ref(&first), None).unwrap(), vec![first])
}

/// Adds what the founder states.
fn state(membership: &mut Membership, chain: &mut Vec<SignedStatement>, body: Body) {
    let next = membership.next_statement(at(1), REPLICA, FOUNDER, &founder_key(), body);
    membership.extend(&next).unwrap();
    chain.push(next);
}

/// A chain with a statement of every kind; at its end the founder is steward of [`TENANT`].
fn made() -> (Membership, Vec<SignedStatement>) {
    static MADE: LazyLock<(Membership, Vec<SignedStatement>)> = LazyLock::new(make);
    MADE.clone()
}

fn make() -> (Membership, Vec<SignedStatement>) {
    let (mut membership, mut chain) = founded();
    let device = DeviceEnrolled { signing: signing(13).verifying_key().encode().into() };
    state(&mut membership, &mut chain, Body::DeviceEnrolled(device));
    state(&mut membership, &mut chain, tenant_created());
    state(&mut membership, &mut chain, epoch_opened());
    let own = grant(&membership, FOUNDER, Right::Steward);
    state(&mut membership, &mut chain, Body::Granted(own));
    state(&mut membership, &mut chain, Body::BackupMade(BackupMade { counter: 1, manifest: [9; 32].into() }));
    state(&mut membership, &mut chain, kind_set("door"));
    state(&mut membership, &mut chain, kind_removed("door"));
    // Somebody comes, is granted the tenant, gets a role and leaves, and every key changes.
    let passing = AccountId::from_bytes([33; 16]);
    state(&mut membership, &mut chain, Body::AccountInvited(invited(passing, "otto", Roles::of([Role::Member]))));
    let enrolled = Body::AccountEnrolled(enrolled(passing, at(2), &signing(30)));
    let next = membership.next_statement(at(2), REPLICA, passing, &member_key(), enrolled);
    membership.extend(&next).unwrap();
    chain.push(next);
    let reader = grant(&membership, passing, Right::Reader);
    state(&mut membership, &mut chain, Body::Granted(reader));
    let withdrawn = GrantWithdrawn { tenant: TENANT, account: passing };
    state(&mut membership, &mut chain, Body::GrantWithdrawn(withdrawn));
    let roles = Roles::of([Role::Auditor]).bits();
    state(&mut membership, &mut chain, Body::RolesSet(RolesSet { account: passing, roles }));
    state(&mut membership, &mut chain, leaving(passing, Some(3), Some(4)));
    let report = ExposureReported { tenant: TENANT, account: passing, sealed: [34; 32].into() };
    state(&mut membership, &mut chain, Body::ExposureReported(report));
    let compromised = KeyCompromised { kind: KeyKind::Tenant.code(), tenant: Some((*TENANT.as_bytes()).into()) };
    state(&mut membership, &mut chain, Body::KeyCompromised(compromised));
    state(&mut membership, &mut chain, Body::CryptoperiodsSet(CryptoperiodsSet { days: vec![90; 7] }));
    state(&mut membership, &mut chain, Body::AccountRemoved(AccountRemoved { account: passing }));
    let keyed = DirectoryKeyed { generation: 2, kid: [26; 32].into() };
    state(&mut membership, &mut chain, Body::DirectoryKeyed(keyed));
    state(&mut membership, &mut chain, Body::AuditReplaced(PairReplaced { public: sealing(27).encode().into() }));
    state(&mut membership, &mut chain, Body::OfficeReplaced(PairReplaced { public: sealing(28).encode().into() }));
    state(&mut membership, &mut chain, Body::SlotsNamed(SlotsNamed { slots: vec![[35; 32].into()] }));
    state(&mut membership, &mut chain, provider_set(Some(provider())));
    state(&mut membership, &mut chain, provider_set(None));
    let waiting = AccountId::from_bytes([34; 16]);
    state(&mut membership, &mut chain, Body::AccountInvited(invited(waiting, "eva", Roles::of([Role::Member]))));
    let withdrawn = InvitationWithdrawn { account: waiting };
    state(&mut membership, &mut chain, Body::InvitationWithdrawn(withdrawn));
    state(&mut membership, &mut chain, moved_from(13));
    state(&mut membership, &mut chain, taken_back(13));
    (membership, chain)
}

/// That the vault moves away from the device with a key.
fn moved_from(device: u8) -> Body {
    Body::VaultMoved(VaultMoved { device: signing(device).verifying_key().encode().into() })
}

fn taken_back(device: u8) -> Body {
    Body::MoveTakenBack(MoveTakenBack { device: signing(device).verifying_key().encode().into() })
}

fn device(device: u8) -> Body {
    Body::DeviceEnrolled(DeviceEnrolled { signing: signing(device).verifying_key().encode().into() })
}

fn provider() -> Provider {
    Provider {
        issuer: "https://id.example.org".to_owned(),
        audience: "coffer".to_owned(),
        claim: "sub".to_owned(),
        days: 7,
        key_set: [36; 32].into(),
        encryption: [4; 65].into(),
    }
}

fn provider_set(provider: Option<Provider>) -> Body {
    Body::ProviderSet(ProviderSet { provider })
}

fn federated(account: AccountId, subject: Option<&str>) -> Body {
    Body::AccountFederated(AccountFederated { account, subject: subject.map(str::to_owned) })
}

/// An invitation whose code has the keys of [`code`], open for an hour.
fn invited(account: AccountId, login: &str, roles: Roles) -> AccountInvited {
    AccountInvited {
        account,
        login: login.to_owned(),
        roles: roles.bits(),
        sealing: sealing(29).encode().into(),
        signing: signing(30).verifying_key().encode().into(),
        expires_ms: at(3_600).unix_millis(),
    }
}

/// An enrolment of the member's keys at a time, vouched for with `code`.
fn enrolled(account: AccountId, when: Timestamp, code: &SigningKey) -> AccountEnrolled {
    let mut body = AccountEnrolled {
        account,
        sealing: sealing(24).encode().into(),
        signing: member_key().verifying_key().encode().into(),
        at_ms: when.unix_millis(),
        vouched_for: [0; 64].into(),
    };
    body.vouched_for = code.sign(label::ENROLMENT, &body.vouched(VAULT)).into();
    body
}

/// As [`made`], with a second account.
fn with_member(roles: Roles) -> Membership {
    let (mut membership, _) = made();
    let mut chain = Vec::new();
    let bare = if roles.is_empty() { Roles::of([Role::Member]) } else { roles };
    state(&mut membership, &mut chain, Body::AccountInvited(invited(MEMBER, "jonas", bare)));
    let body = Body::AccountEnrolled(enrolled(MEMBER, at(2), &signing(30)));
    let next = membership.next_statement(at(2), REPLICA, MEMBER, &member_key(), body);
    membership.extend(&next).unwrap();
    membership.accounts.get_mut(&MEMBER).unwrap().roles = roles;
    membership
}

/// What becomes of a statement by `signer`, signed with `key`, that comes next.
fn stated(membership: &Membership, signer: AccountId, key: &SigningKey, body: Body) -> Result<(), ChainError> {
    let mut membership = membership.clone();
    let next = membership.next_statement(at(2), REPLICA, signer, key, body);
    let before = (*membership.pin(), membership.grants.len(), membership.devices.len());
    let outcome = membership.extend(&next);
    if outcome.is_err() {
        assert_eq!((*membership.pin(), membership.grants.len(), membership.devices.len()), before);
    }
    outcome
}

fn replay(chain: &[SignedStatement], pin: Option<&ChainPin>) -> Result<ChainPin, ChainError> {
    Membership::replay(VAULT, chain, pin).map(|membership| *membership.pin())
}

#[test]
fn a_chain_replays_to_what_it_was_built_as_with_any_earlier_pin() {
    let (built, chain) = made();
    assert_eq!(replay(&chain, None), Ok(*built.pin()));
    for length in 1..=chain.len() {
        // Every beginning of a chain is a chain: that it was cut is known only to who remembers more.
        let pin = replay(&chain[..length], None).unwrap();
        assert_eq!(replay(&chain, Some(&pin)), Ok(*built.pin()));
    }
    assert_eq!(built.right(TENANT, FOUNDER, at(3)), Some(Right::Steward));
}

#[test]
fn a_changed_byte_anywhere_is_refused() {
    let (built, chain) = made();
    for place in 0..chain.len() {
        // What comes before is believed each time, and need not be verified each time.
        let before = (place > 0).then(|| Membership::replay(VAULT, &chain[..place], None).unwrap());
        // The founding statement is mostly public keys, long ones, all under one signature: every seventh byte of it.
        let step = if place == 0 { 7 } else { 1 };
        for byte in (0..chain[place].bytes.len() + 64).step_by(step) {
            let mut altered = chain.clone();
            let bit = 1 << (byte % 8);
            match byte.checked_sub(chain[place].bytes.len()) {
                None => altered[place].bytes[byte] ^= bit,
                Some(in_signature) => altered[place].signature[in_signature] ^= bit,
            }
            let replayed = match &before {
                None => replay(&altered, None).map(drop),
                Some(before) => {
                    let mut membership = before.clone();
                    altered[place..].iter().try_for_each(|statement| membership.extend(statement))
                }
            };
            assert!(replayed.is_err(), "statement {place}, byte {byte}");
            // What the pin vouches for has no signature checked: there the hashes must hold by themselves.
            assert!(replay(&altered, Some(built.pin())).is_err(), "pinned: statement {place}, byte {byte}");
        }
    }
}

#[test]
fn statements_out_of_place_are_refused() {
    let (built, chain) = made();
    let last = chain.len() - 1;
    for one in 0..chain.len() {
        for other in one + 1..chain.len() {
            let mut exchanged = chain.clone();
            exchanged.swap(one, other);
            assert!(replay(&exchanged, None).is_err(), "{one} and {other}");
        }
        let mut twice = chain.clone();
        twice.insert(one, chain[one].clone());
        assert_eq!(replay(&twice, None), Err(ChainError::OutOfPlace), "{one} twice");
        if one < last {
            let mut without = chain.clone();
            without.remove(one);
            assert_eq!(replay(&without, None), Err(ChainError::OutOfPlace), "without {one}");
        }
    }
    assert_eq!(replay(&[], None), Err(ChainError::NotThePinnedOne));
    assert_eq!(Membership::replay(VaultId::from_bytes([9; 16]), &chain, None).unwrap_err(), ChainError::OutOfPlace);
    // A chain with its own founding statement in the middle, signed for that place.
    assert_eq!(stated(&built, FOUNDER, &founder_key(), Body::Founding(founding())), Err(ChainError::OutOfPlace));
}

#[test]
fn a_chain_that_was_cut_or_grown_differently_is_not_the_pinned_one() {
    let (built, chain) = made();
    for length in 0..chain.len() {
        assert_eq!(replay(&chain[..length], Some(built.pin())), Err(ChainError::NotThePinnedOne), "{length} left");
    }
    // As long as the pinned one, and rightly signed, but not what was there.
    let (mut other, mut fork) = founded();
    while fork.len() < chain.len() {
        let counter = fork.len() as u64;
        state(&mut other, &mut fork, Body::BackupMade(BackupMade { counter, manifest: [0; 32].into() }));
    }
    assert!(replay(&fork, None).is_ok());
    assert_eq!(replay(&fork, Some(built.pin())), Err(ChainError::NotThePinnedOne));
    // A pin that contradicts itself vouches for nothing.
    let nothing = ChainPin { length: 0, ..*built.pin() };
    assert_eq!(replay(&chain, Some(&nothing)), Err(ChainError::NotThePinnedOne));
}

#[test]
fn a_founding_statement_by_anybody_else_is_refused() {
    let refused = |founding: Founding, key: &SigningKey| {
        let first = found(VAULT, at(0), REPLICA, founding, key);
        Membership::replay(VAULT, &[first], None).unwrap_err()
    };
    assert_eq!(refused(founding(), &member_key()), ChainError::Signature);
    assert_eq!(refused(Founding { suite: 2, ..founding() }, &founder_key()), ChainError::Authority);
    // The point of order 1, for which a signature can hold over anything (RFC 8032 §5.1.7).
    let mut neutral = [0; 32];
    neutral[0] = 1;
    assert_eq!(refused(Founding { signing: neutral.into(), ..founding() }, &founder_key()), ChainError::Malformed);
    let weak_recovery = Founding { recovery_signing: neutral.into(), ..founding() };
    assert_eq!(refused(weak_recovery, &founder_key()), ChainError::Malformed);
    for short in [vec![], vec![0; 1215], vec![0; 1217]] {
        assert_eq!(refused(Founding { audit: short.into(), ..founding() }, &founder_key()), ChainError::Malformed);
    }
}

#[test]
fn a_statement_in_another_ones_name_is_refused() {
    let membership = with_member(Roles::ALL);
    let body = || Body::BackupMade(BackupMade { counter: 2, manifest: [0; 32].into() });
    assert_eq!(stated(&membership, FOUNDER, &founder_key(), body()), Ok(()));
    assert_eq!(stated(&membership, FOUNDER, &member_key(), body()), Err(ChainError::Signature));
    assert_eq!(stated(&membership, MEMBER, &founder_key(), body()), Err(ChainError::Signature));
    let nobody = AccountId::from_bytes([0xEE; 16]);
    assert_eq!(stated(&membership, nobody, &founder_key(), body()), Err(ChainError::Authority));
}

#[test]
fn attack_26_grants_and_tenants_of_members_without_authority_are_refused() {
    let other = TenantId::from_bytes([0x55; 16]);
    let create = || Body::TenantCreated(TenantCreated { tenant: other, steward: MEMBER, demo: false });
    let device = || Body::DeviceEnrolled(DeviceEnrolled { signing: signing(14).verifying_key().encode().into() });
    let member = with_member(Roles::NONE.with(Role::Member).with(Role::Auditor));
    for body in [create(), device()] {
        assert_eq!(stated(&member, MEMBER, &member_key(), body), Err(ChainError::Authority));
    }
    // An administrator gives nobody what only a steward has to give, least of all itself.
    let administrator = with_member(Roles::ALL);
    for body in [create(), device()] {
        assert_eq!(stated(&administrator, MEMBER, &member_key(), body), Ok(()));
    }
    for right in [Right::Reader, Right::Editor, Right::Steward] {
        let body = Body::Granted(grant(&administrator, MEMBER, right));
        assert_eq!(stated(&administrator, MEMBER, &member_key(), body.clone()), Err(ChainError::Authority));
        assert_eq!(stated(&administrator, FOUNDER, &founder_key(), body), Ok(()));
    }
    assert_eq!(stated(&administrator, MEMBER, &member_key(), epoch_opened()), Err(ChainError::Authority));
}

#[test]
fn only_a_steward_whose_right_has_not_expired_grants() {
    let mut membership = with_member(Roles::NONE.with(Role::Member));
    let onward = grant(&membership, MEMBER, Right::Reader);
    // By the time of `stated` (2 s), `at(2)` has expired and `at(3)` has not.
    for (right, expires, expected) in [
        (Right::Reader, None, Err(ChainError::Authority)),
        (Right::Editor, None, Err(ChainError::Authority)),
        (Right::Steward, Some(at(2)), Err(ChainError::Authority)),
        (Right::Steward, Some(at(3)), Ok(())),
        (Right::Steward, None, Ok(())),
    ] {
        let held = Granted { expires_ms: expires.map(Timestamp::unix_millis), ..grant(&membership, MEMBER, right) };
        membership.grants.insert((TENANT, MEMBER), held);
        let outcome = stated(&membership, MEMBER, &member_key(), Body::Granted(onward.clone()));
        assert_eq!(outcome, expected, "{right:?} {expires:?}");
    }
}

#[test]
fn attack_27_a_replayed_or_altered_grant_is_refused() {
    let (built, chain) = made();
    let granted = chain.iter().position(|signed| {
        let statement: Statement = encoding::decode(&signed.bytes).unwrap();
        matches!(statement.body, Body::Granted(_))
    });
    let mut membership = built.clone();
    assert_eq!(membership.extend(&chain[granted.unwrap()]), Err(ChainError::OutOfPlace));
    let good = grant(&built, FOUNDER, Right::Steward);
    let nowhere = TenantId::from_bytes([0x55; 16]);
    for altered in [
        Granted { epoch: 2, ..good.clone() },
        Granted { epoch: 0, ..good.clone() },
        Granted { kid: [0; 32].into(), ..good.clone() },
        // Attack 25: sealed to keys that are not the grantee's.
        Granted { grantee_keys: [0; 32].into(), ..good.clone() },
        Granted { grantee: MEMBER, ..good.clone() },
        Granted { tenant: nowhere, ..good.clone() },
        Granted { right: 0, ..good.clone() },
        Granted { right: 4, ..good.clone() },
    ] {
        let outcome = stated(&built, FOUNDER, &founder_key(), Body::Granted(altered.clone()));
        assert_eq!(outcome, Err(ChainError::Authority), "{altered:?}");
    }
    assert_eq!(stated(&built, FOUNDER, &founder_key(), Body::Granted(good)), Ok(()));
}

#[test]
fn the_first_grant_of_a_tenant_is_its_first_stewards_to_itself() {
    let mut membership = with_member(Roles::ALL);
    membership.grants.clear();
    membership.tenants.get_mut(&TENANT).unwrap().holders.clear();
    let to = |grantee| Body::Granted(grant(&membership, grantee, Right::Steward));
    assert_eq!(stated(&membership, FOUNDER, &founder_key(), to(MEMBER)), Err(ChainError::Authority));
    assert_eq!(stated(&membership, MEMBER, &member_key(), to(MEMBER)), Err(ChainError::Authority));
    assert_eq!(stated(&membership, MEMBER, &member_key(), to(FOUNDER)), Err(ChainError::Authority));
    assert_eq!(stated(&membership, FOUNDER, &founder_key(), to(FOUNDER)), Ok(()));
}

#[test]
fn a_tenant_an_epoch_and_a_backups_number_come_once() {
    let (built, _) = made();
    let backup = |counter| Body::BackupMade(BackupMade { counter, manifest: [0; 32].into() });
    for body in [tenant_created(), epoch_opened(), backup(1), backup(0)] {
        assert_eq!(stated(&built, FOUNDER, &founder_key(), body.clone()), Err(ChainError::Authority), "{body:?}");
    }
    assert_eq!(stated(&built, FOUNDER, &founder_key(), backup(2)), Ok(()));
    // Numbers may be skipped, but nobody uses them all up.
    assert_eq!(stated(&built, FOUNDER, &founder_key(), backup(1 + MAX_BACKUPS_BETWEEN)), Ok(()));
    for far in [2 + MAX_BACKUPS_BETWEEN, u64::MAX] {
        assert_eq!(stated(&built, FOUNDER, &founder_key(), backup(far)), Err(ChainError::Authority));
    }
    let for_nobody = TenantCreated { tenant: TenantId::from_bytes([0x55; 16]), steward: MEMBER, demo: false };
    let outcome = stated(&built, FOUNDER, &founder_key(), Body::TenantCreated(for_nobody));
    assert_eq!(outcome, Err(ChainError::Authority));
}

#[test]
fn kinds_are_the_administrators_and_never_those_that_every_vault_has() {
    let founder = |membership: &Membership, body| stated(membership, FOUNDER, &founder_key(), body);
    let (mut built, mut chain) = made();
    assert_eq!(founder(&built, kind_removed("door")), Err(ChainError::Authority), "it is gone already");
    for offered in RecordKind::OFFERED {
        assert_eq!(founder(&built, kind_set(offered)), Err(ChainError::Authority), "{offered}");
    }
    for malformed in ["", "Door", "door code", &"d".repeat(41)] {
        assert_eq!(founder(&built, kind_set(malformed)), Err(ChainError::Malformed), "{malformed}");
    }
    let member = with_member(Roles::NONE.with(Role::Member).with(Role::Auditor));
    for body in [kind_set("gate"), kind_removed("gate")] {
        assert_eq!(stated(&member, MEMBER, &member_key(), body), Err(ChainError::Authority));
    }
    for number in 0..MAX_KINDS {
        state(&mut built, &mut chain, kind_set(&format!("kind_{number}")));
    }
    assert_eq!(founder(&built, kind_set("one_more")), Err(ChainError::Authority));
    assert_eq!(founder(&built, kind_set("kind_0")), Ok(()), "another template for one there is");
    state(&mut built, &mut chain, kind_removed("kind_7"));
    assert_eq!(founder(&built, kind_set("one_more")), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Whatever is put in the place of a statement, nothing panics and nothing else than the chain itself verifies.
    #[test]
    fn bytes_that_are_no_statement_are_refused(
        place in 0..8_usize,
        bytes in proptest::collection::vec(any::<u8>(), 0..300),
        signature in any::<[u8; 32]>(),
    ) {
        let (built, mut chain) = made();
        let mut both = [0; 64];
        both[..32].copy_from_slice(&signature);
        chain[place] = SignedStatement { bytes, signature: both };
        prop_assert!(replay(&chain, None).is_err());
        prop_assert!(replay(&chain, Some(built.pin())).is_err());
    }

    /// A statement cut short, or with anything after it, is none, even if it is signed like that.
    #[test]
    fn a_signed_statement_is_exactly_its_encoding(cut in 0..40_usize, more in proptest::collection::vec(any::<u8>(), 1..20)) {
        let (built, _) = made();
        let body = Body::BackupMade(BackupMade { counter: 2, manifest: [0; 32].into() });
        let good = built.next_statement(at(2), REPLICA, FOUNDER, &founder_key(), body).bytes;
        for bytes in [good[..good.len() - 1 - cut].to_vec(), [good.as_slice(), &more].concat()] {
            let signature = founder_key().sign(label::STATEMENT, &bytes);
            let outcome = built.clone().extend(&SignedStatement { bytes, signature });
            prop_assert_eq!(outcome, Err(ChainError::Malformed));
        }
    }
}

fn invite_refused(membership: &Membership, signer: AccountId, key: &SigningKey, body: AccountInvited) {
    assert_eq!(stated(membership, signer, key, Body::AccountInvited(body)), Err(ChainError::Authority));
}

#[test]
fn only_administrators_invite_and_recovery_only_administrators() {
    let membership = with_member(Roles::of([Role::Member, Role::Auditor]));
    let eva = AccountId::from_bytes([40; 16]);
    let member = || invited(eva, "eva", Roles::of([Role::Member]));
    let administrator = || invited(eva, "eva", Roles::of([Role::Administrator]));
    invite_refused(&membership, MEMBER, &member_key(), member());
    invite_refused(&membership, RECOVERY, &signing(12), member());
    assert_eq!(stated(&membership, RECOVERY, &signing(12), Body::AccountInvited(administrator())), Ok(()));
    let forged = stated(&membership, RECOVERY, &member_key(), Body::AccountInvited(administrator()));
    assert_eq!(forged, Err(ChainError::Signature));
    assert_eq!(stated(&membership, FOUNDER, &founder_key(), Body::AccountInvited(member())), Ok(()));
}

#[test]
fn confusable_logins_and_accounts_that_are_known_are_not_invited() {
    let membership = with_member(Roles::NONE);
    for login in ["jonas", "j0nas", "ines"] {
        invite_refused(
            &membership,
            FOUNDER,
            &founder_key(),
            invited(AccountId::from_bytes([41; 16]), login, Roles::ALL),
        );
    }
    for known in [FOUNDER, MEMBER, RECOVERY, AccountId::from_bytes([33; 16])] {
        invite_refused(&membership, FOUNDER, &founder_key(), invited(known, "eva", Roles::ALL));
    }
    let long = AccountInvited {
        expires_ms: at(40 * 86_400).unix_millis(),
        ..invited(AccountId::from_bytes([42; 16]), "eva", Roles::ALL)
    };
    invite_refused(&membership, FOUNDER, &founder_key(), long);
}

#[test]
fn an_enrolment_needs_the_code_and_comes_in_time_and_once() {
    let (mut membership, _) = made();
    let mut chain = Vec::new();
    state(&mut membership, &mut chain, Body::AccountInvited(invited(MEMBER, "jonas", Roles::ALL)));
    let enrol = |body, key: &SigningKey| stated(&membership, MEMBER, key, Body::AccountEnrolled(body));
    assert_eq!(enrol(enrolled(MEMBER, at(2), &signing(31)), &member_key()), Err(ChainError::Signature));
    assert_eq!(enrol(enrolled(MEMBER, at(3_601), &signing(30)), &member_key()), Err(ChainError::Authority));
    assert_eq!(enrol(enrolled(MEMBER, at(2), &signing(30)), &signing(31)), Err(ChainError::Signature));
    // The code vouches for these keys, not for others that somebody puts in their place.
    let mut other = enrolled(MEMBER, at(2), &signing(30));
    other.sealing = sealing(32).encode().into();
    assert_eq!(enrol(other, &member_key()), Err(ChainError::Signature));
    assert_eq!(enrol(enrolled(MEMBER, at(2), &signing(30)), &member_key()), Ok(()));
    let membership = with_member(Roles::ALL);
    let again =
        stated(&membership, MEMBER, &member_key(), Body::AccountEnrolled(enrolled(MEMBER, at(3), &signing(30))));
    assert_eq!(again, Err(ChainError::Authority));
}

#[test]
fn attack_43_the_last_administrator_and_the_last_auditor_stay() {
    let membership = with_member(Roles::of([Role::Auditor]));
    let by_founder = |body| stated(&membership, FOUNDER, &founder_key(), body);
    let roles = |roles: Roles| Body::RolesSet(RolesSet { account: FOUNDER, roles: roles.bits() });
    assert_eq!(by_founder(roles(Roles::of([Role::Auditor]))), Err(ChainError::Authority));
    assert_eq!(by_founder(roles(Roles::of([Role::Administrator]))), Ok(()));
    assert_eq!(by_founder(Body::AccountRemoved(AccountRemoved { account: FOUNDER })), Err(ChainError::Authority));
    let membership = with_member(Roles::of([Role::Administrator]));
    let by_member =
        stated(&membership, MEMBER, &member_key(), Body::AccountRemoved(AccountRemoved { account: FOUNDER }));
    assert_eq!(by_member, Err(ChainError::Authority), "nobody else is an auditor");
}

#[test]
fn a_removed_account_states_nothing_and_holds_nothing() {
    let mut membership = with_member(Roles::of([Role::Administrator]));
    let mut chain = Vec::new();
    let reader = grant(&membership, MEMBER, Right::Steward);
    state(&mut membership, &mut chain, Body::Granted(reader));
    assert!(membership.tenants[&TENANT].exposed_since.is_some(), "since the account before left");
    state(&mut membership, &mut chain, Body::AccountRemoved(AccountRemoved { account: MEMBER }));
    assert_eq!(stated(&membership, MEMBER, &member_key(), kind_set("gate")), Err(ChainError::Authority));
    assert_eq!(membership.right(TENANT, MEMBER, at(3)), None);
    assert!(membership.directory_exposed_since.is_some() && membership.office_exposed_since.is_some());
    assert!(membership.audit_exposed_since.is_none());
}

#[test]
fn only_stewards_and_recovery_open_an_epoch_and_its_grants_are_given_anew() {
    let mut membership = with_member(Roles::of([Role::Administrator]));
    let next = |epoch: u32| {
        Body::EpochOpened(EpochOpened {
            tenant: TENANT,
            epoch,
            kid: [50; 32].into(),
            file: [51; 16].into(),
            recovery: [0; 32].into(),
            name_for_office: [0; 32].into(),
            name_for_holders: [0; 32].into(),
        })
    };
    assert_eq!(stated(&membership, MEMBER, &member_key(), next(2)), Err(ChainError::Authority));
    assert_eq!(stated(&membership, FOUNDER, &founder_key(), next(3)), Err(ChainError::Authority));
    assert_eq!(stated(&membership, RECOVERY, &signing(12), next(2)), Ok(()));
    let old = grant(&membership, MEMBER, Right::Reader);
    let mut chain = Vec::new();
    state(&mut membership, &mut chain, next(2));
    assert_eq!(membership.right(TENANT, FOUNDER, at(3)), None);
    assert!(membership.tenants[&TENANT].exposed_since.is_none());
    // A grant of the epoch before is none of this one.
    assert_eq!(stated(&membership, FOUNDER, &founder_key(), Body::Granted(old)), Err(ChainError::Authority));
    let of_this = |grantee, membership: &Membership| Granted {
        epoch: 2,
        kid: [50; 32].into(),
        ..grant(membership, grantee, Right::Steward)
    };
    // To oneself first, and nobody else to themselves.
    let other_first = Body::Granted(of_this(MEMBER, &membership));
    assert_eq!(stated(&membership, FOUNDER, &founder_key(), other_first), Err(ChainError::Authority));
    let own = of_this(FOUNDER, &membership);
    state(&mut membership, &mut chain, Body::Granted(own));
    let taken = Body::Granted(of_this(MEMBER, &membership));
    assert_eq!(stated(&membership, MEMBER, &member_key(), taken), Err(ChainError::Authority));
}

#[test]
fn a_grant_is_withdrawn_by_stewards_administrators_and_whoever_has_it() {
    let grantee_of = |roles| {
        let mut membership = with_member(roles);
        let reader = grant(&membership, MEMBER, Right::Reader);
        state(&mut membership, &mut Vec::new(), Body::Granted(reader));
        membership
    };
    let withdrawn = |account| Body::GrantWithdrawn(GrantWithdrawn { tenant: TENANT, account });
    let membership = grantee_of(Roles::NONE);
    assert_eq!(stated(&membership, MEMBER, &member_key(), withdrawn(FOUNDER)), Err(ChainError::Authority));
    assert_eq!(stated(&membership, MEMBER, &member_key(), withdrawn(MEMBER)), Ok(()));
    assert_eq!(stated(&membership, FOUNDER, &founder_key(), withdrawn(MEMBER)), Ok(()));
    let membership = grantee_of(Roles::of([Role::Administrator]));
    assert_eq!(stated(&membership, MEMBER, &member_key(), withdrawn(FOUNDER)), Ok(()));
}

#[test]
fn shared_keys_are_replaced_by_those_who_hold_them() {
    let membership = with_member(Roles::of([Role::Member]));
    let public = || PairReplaced { public: sealing(52).encode().into() };
    let keyed = |generation| Body::DirectoryKeyed(DirectoryKeyed { generation, kid: [53; 32].into() });
    for body in [Body::AuditReplaced(public()), Body::OfficeReplaced(public()), keyed(3)] {
        assert_eq!(stated(&membership, MEMBER, &member_key(), body.clone()), Err(ChainError::Authority));
        assert_eq!(stated(&membership, FOUNDER, &founder_key(), body), Ok(()));
    }
    assert_eq!(stated(&membership, FOUNDER, &founder_key(), keyed(4)), Err(ChainError::Authority));
    let auditor = with_member(Roles::of([Role::Auditor]));
    assert_eq!(stated(&auditor, MEMBER, &member_key(), Body::OfficeReplaced(public())), Ok(()));
    assert_eq!(stated(&auditor, MEMBER, &member_key(), keyed(3)), Err(ChainError::Authority));
}

#[test]
fn no_epoch_takes_a_file_that_a_tenant_has_or_had() {
    let (mut membership, _) = made();
    let mut chain = Vec::new();
    let other = TenantId::from_bytes([60; 16]);
    state(
        &mut membership,
        &mut chain,
        Body::TenantCreated(TenantCreated { tenant: other, steward: FOUNDER, demo: false }),
    );
    let opened = |tenant, epoch, kid: u8, file: u8| {
        Body::EpochOpened(EpochOpened {
            tenant,
            epoch,
            kid: [kid; 32].into(),
            file: [file; 16].into(),
            recovery: [0; 32].into(),
            name_for_office: [0; 32].into(),
            name_for_holders: [0; 32].into(),
        })
    };
    // The file of the first tenant, which its steward would otherwise have swept by opening one more epoch.
    assert_eq!(stated(&membership, FOUNDER, &founder_key(), opened(other, 1, 61, 7)), Err(ChainError::Authority));
    state(&mut membership, &mut chain, opened(other, 1, 61, 62));
    assert_eq!(stated(&membership, FOUNDER, &founder_key(), opened(TENANT, 2, 63, 62)), Err(ChainError::Authority));
    assert_eq!(stated(&membership, FOUNDER, &founder_key(), opened(TENANT, 2, 63, 7)), Err(ChainError::Authority));
    assert_eq!(stated(&membership, FOUNDER, &founder_key(), opened(TENANT, 2, 63, 64)), Ok(()));
}

#[test]
fn no_key_that_was_in_use_before_takes_the_place_of_one() {
    let (membership, _) = made();
    let public = |seed| PairReplaced { public: sealing(seed).encode().into() };
    let keyed = |kid: u8| Body::DirectoryKeyed(DirectoryKeyed { generation: 3, kid: [kid; 32].into() });
    for old in [
        Body::AuditReplaced(public(22)),
        Body::AuditReplaced(public(27)),
        Body::OfficeReplaced(public(23)),
        keyed(25),
        keyed(26),
    ] {
        assert_eq!(stated(&membership, FOUNDER, &founder_key(), old), Err(ChainError::Authority));
    }
}

#[test]
fn a_code_that_was_handed_out_has_opened_what_was_sealed_to_it() {
    let (mut membership, mut chain) = founded();
    let eva = AccountId::from_bytes([40; 16]);
    state(&mut membership, &mut chain, Body::AccountInvited(invited(eva, "eva", Roles::of([Role::Auditor]))));
    assert!(membership.directory_exposed_since.is_none());
    state(&mut membership, &mut chain, Body::InvitationWithdrawn(InvitationWithdrawn { account: eva }));
    assert!(membership.directory_exposed_since.is_some());
    assert!(membership.audit_exposed_since.is_some() && membership.office_exposed_since.is_some());
}

fn renewed(number: u32, keys: u8) -> RecoveryReplaced {
    RecoveryReplaced {
        number,
        sealing: sealing(keys).encode().into(),
        signing: signing(keys).verifying_key().encode().into(),
        age: [keys; 32].into(),
        split: None,
    }
}

fn next_epoch(epoch: u32, file: u8) -> Body {
    let Body::EpochOpened(opened) = epoch_opened() else { unreachable!() };
    Body::EpochOpened(EpochOpened { epoch, kid: [file; 32].into(), file: [file; 16].into(), ..opened })
}

/// THREAT-MODEL T5: an administrator names a recovery and may hold its seed. Over a tenant it has no say before a steward
/// who trusts it opened an epoch.
#[test]
fn a_renewed_recovery_has_no_say_over_a_tenant_before_a_steward_trusts_it() {
    let mut membership = with_member(Roles::ALL);
    let replaced =
        membership.next_statement(at(2), REPLICA, MEMBER, &member_key(), Body::RecoveryReplaced(renewed(2, 60)));
    membership.extend(&replaced).unwrap();
    assert!(membership.trusts_recovery(MEMBER) && !membership.trusts_recovery(FOUNDER));
    assert!(membership.directory_exposed_since.is_some());
    assert!(membership.audit_exposed_since.is_some() && membership.office_exposed_since.is_some());
    let (old, new) = (signing(12), signing(60));
    let own = || Body::Granted(grant(&membership, MEMBER, Right::Steward));
    for body in [next_epoch(2, 61), own()] {
        assert_eq!(stated(&membership, RECOVERY, &new, body.clone()), Err(ChainError::Signature));
        assert_eq!(stated(&membership, RECOVERY, &old, body), Ok(()));
    }
    // In the vault it is the newest that lets an administrator in, and no other.
    let invite = || Body::AccountInvited(invited(AccountId::from_bytes([70; 16]), "ida", Roles::ALL));
    assert_eq!(stated(&membership, RECOVERY, &new, invite()), Ok(()));
    assert_eq!(stated(&membership, RECOVERY, &old, invite()), Err(ChainError::Signature));
    // A steward who does not trust it changes nothing of that by a new key.
    let mut unchanged = membership.clone();
    state(&mut unchanged, &mut Vec::new(), next_epoch(2, 61));
    assert_eq!(unchanged.tenants[&TENANT].recovery, 1);
    assert_eq!(unchanged.recovery_for(TENANT, FOUNDER).unwrap().sealing, sealing(21));
    // One who does moves the tenant, and nobody moves it back.
    let mut moved = membership;
    state(&mut moved, &mut Vec::new(), Body::RecoveryAccepted(RecoveryAccepted { number: 2 }));
    assert_eq!(moved.tenants[&TENANT].recovery, 1, "the tenant's key is the one that the old kit opens");
    state(&mut moved, &mut Vec::new(), next_epoch(2, 61));
    assert_eq!(moved.tenants[&TENANT].recovery, 2);
    assert_eq!(moved.recovery_for(TENANT, MEMBER).unwrap().sealing, sealing(60));
    assert_eq!(stated(&moved, RECOVERY, &old, next_epoch(3, 62)), Err(ChainError::Signature));
    assert_eq!(stated(&moved, RECOVERY, &new, next_epoch(3, 62)), Ok(()));
}

/// THREAT-MODEL T6: a co-steward moved a tenant to a recovery of their own and leaves. The others give it no key before they
/// trust that recovery, or one that was stated after it.
#[test]
fn no_steward_signs_for_a_recovery_that_only_another_one_trusts() {
    let mut membership = with_member(Roles::ALL);
    let co_steward = Body::Granted(grant(&membership, MEMBER, Right::Steward));
    state(&mut membership, &mut Vec::new(), co_steward);
    for body in [Body::RecoveryReplaced(renewed(2, 60)), next_epoch(2, 61)] {
        let next = membership.next_statement(at(2), REPLICA, MEMBER, &member_key(), body);
        membership.extend(&next).unwrap();
    }
    for grantee in [MEMBER, FOUNDER] {
        let again = Granted { epoch: 2, kid: [61; 32].into(), ..grant(&membership, grantee, Right::Steward) };
        let next = membership.next_statement(at(2), REPLICA, MEMBER, &member_key(), Body::Granted(again));
        membership.extend(&next).unwrap();
    }
    state(&mut membership, &mut Vec::new(), Body::AccountRemoved(AccountRemoved { account: MEMBER }));
    assert!(membership.recovery_for(TENANT, FOUNDER).is_none());
    assert_eq!(stated(&membership, FOUNDER, &founder_key(), next_epoch(3, 62)), Err(ChainError::Authority));
    state(&mut membership, &mut Vec::new(), Body::RecoveryReplaced(renewed(3, 63)));
    state(&mut membership, &mut Vec::new(), next_epoch(3, 62));
    assert_eq!(membership.tenants[&TENANT].recovery, 3);
}

#[test]
fn recovery_is_renewed_by_administrators_with_new_keys_and_trusted_as_it_is() {
    let member = with_member(Roles::of([Role::Member, Role::Auditor]));
    let renew =
        |membership: &Membership, body| stated(membership, FOUNDER, &founder_key(), Body::RecoveryReplaced(body));
    let by_member = stated(&member, MEMBER, &member_key(), Body::RecoveryReplaced(renewed(2, 60)));
    assert_eq!(by_member, Err(ChainError::Authority));
    let by_itself = stated(&member, RECOVERY, &signing(12), Body::RecoveryReplaced(renewed(2, 60)));
    assert_eq!(by_itself, Err(ChainError::Authority));
    assert_eq!(renew(&member, renewed(1, 60)), Err(ChainError::Authority));
    assert_eq!(renew(&member, renewed(3, 60)), Err(ChainError::Authority));
    // Keys of before: whoever had them would have them again.
    let same = RecoveryReplaced { sealing: sealing(21).encode().into(), ..renewed(2, 60) };
    assert_eq!(renew(&member, same), Err(ChainError::Authority));
    let same = RecoveryReplaced { signing: signing(12).verifying_key().encode().into(), ..renewed(2, 60) };
    assert_eq!(renew(&member, same), Err(ChainError::Authority));
    let split = |needed, shares: &[u8]| {
        let shares = shares.iter().map(|&share| [share; 32].into()).collect();
        RecoveryReplaced { split: Some(SeedSplit { needed, shares }), ..renewed(2, 60) }
    };
    for (needed, shares) in [(1, &[1, 2][..]), (3, &[1, 2]), (2, &[1, 1]), (2, &[1]), (0, &[])] {
        assert_eq!(renew(&member, split(needed, shares)), Err(ChainError::Malformed), "{needed} {shares:?}");
    }
    assert_eq!(renew(&member, split(2, &(1..=17).collect::<Vec<_>>())), Err(ChainError::Malformed));
    assert_eq!(renew(&member, split(2, &(1..=16).collect::<Vec<_>>())), Ok(()));

    let mut membership = member;
    let mut chain = Vec::new();
    let accept = |membership: &Membership, number| {
        stated(membership, MEMBER, &member_key(), Body::RecoveryAccepted(RecoveryAccepted { number }))
    };
    assert_eq!(accept(&membership, 1), Err(ChainError::Authority), "it is trusted from the founding on");
    assert_eq!(accept(&membership, 2), Err(ChainError::Authority));
    state(&mut membership, &mut chain, Body::RecoveryReplaced(renewed(2, 60)));
    state(&mut membership, &mut chain, Body::RecoveryReplaced(renewed(3, 61)));
    assert_eq!(accept(&membership, 2), Err(ChainError::Authority));
    assert_eq!(accept(&membership, 3), Ok(()));
    let of_recovery = Body::RecoveryAccepted(RecoveryAccepted { number: 3 });
    assert_eq!(stated(&membership, RECOVERY, &signing(61), of_recovery), Err(ChainError::Authority));
}

#[test]
fn nobody_is_invited_under_an_identifier_that_stands_for_recovery() {
    let (membership, _) = made();
    let mut identifier = [0; 16];
    identifier[15] = 1;
    let body = Body::AccountInvited(invited(AccountId::from_bytes(identifier), "eva", Roles::ALL));
    assert_eq!(stated(&membership, FOUNDER, &founder_key(), body), Err(ChainError::Authority));
}

fn leaving(account: AccountId, access_by: Option<i64>, secrets_by: Option<i64>) -> Body {
    let millis = |seconds: i64| at(seconds).unix_millis();
    Body::LeavingSet(LeavingSet { account, access_by_ms: access_by.map(millis), secrets_by_ms: secrets_by.map(millis) })
}

#[test]
fn by_when_somebody_leaves_is_the_administrators_to_say() {
    let membership = with_member(Roles::of([Role::Member, Role::Auditor]));
    let by_founder = |membership: &Membership, body| stated(membership, FOUNDER, &founder_key(), body);
    let refused = [
        leaving(MEMBER, Some(20), Some(10)),
        leaving(MEMBER, Some(20), None),
        leaving(MEMBER, None, Some(20)),
        leaving(MEMBER, None, None),
        leaving(AccountId::from_bytes([9; 16]), Some(10), Some(20)),
    ];
    for body in refused {
        assert_eq!(by_founder(&membership, body), Err(ChainError::Authority));
    }
    let by_member = stated(&membership, MEMBER, &member_key(), leaving(FOUNDER, Some(10), Some(20)));
    assert_eq!(by_member, Err(ChainError::Authority));

    let (mut membership, mut chain) = (membership, Vec::new());
    state(&mut membership, &mut chain, leaving(MEMBER, Some(10), Some(20)));
    assert_eq!(membership.access_ends(MEMBER), Some(at(10)));
    assert!(!membership.stays_with(Role::Auditor, FOUNDER), "who is to leave is not counted on");
    state(&mut membership, &mut chain, leaving(MEMBER, None, None));
    assert_eq!(membership.access_ends(MEMBER), None);
    state(&mut membership, &mut chain, leaving(MEMBER, Some(10), Some(20)));
    state(&mut membership, &mut chain, Body::AccountRemoved(AccountRemoved { account: MEMBER }));
    for body in [leaving(MEMBER, Some(30), Some(40)), leaving(MEMBER, None, None)] {
        assert_eq!(by_founder(&membership, body), Err(ChainError::Authority));
    }
    let own = leaving(FOUNDER, Some(30), Some(40));
    assert_eq!(by_founder(&membership, own), Err(ChainError::Authority), "nobody says it of themselves");
    state(&mut membership, &mut chain, leaving(MEMBER, None, Some(40)));
    let left = membership.leaving[&MEMBER];
    assert_eq!((left.access_by, left.secrets_by), (Some(at(10)), at(40)));
}

#[test]
fn only_a_steward_reports_on_who_has_no_grant_any_more() {
    let mut membership = with_member(Roles::of([Role::Member]));
    let mut chain = Vec::new();
    let report =
        || Body::ExposureReported(ExposureReported { tenant: TENANT, account: MEMBER, sealed: [1; 32].into() });
    let by_founder = |membership: &Membership| stated(membership, FOUNDER, &founder_key(), report());
    assert_eq!(by_founder(&membership), Err(ChainError::Authority), "it never had a grant");
    let given = grant(&membership, MEMBER, Right::Steward);
    state(&mut membership, &mut chain, Body::Granted(given.clone()));
    assert_eq!(by_founder(&membership), Err(ChainError::Authority), "it has one still");
    state(&mut membership, &mut chain, Body::GrantWithdrawn(GrantWithdrawn { tenant: TENANT, account: MEMBER }));
    assert_eq!(stated(&membership, MEMBER, &member_key(), report()), Err(ChainError::Authority));
    state(&mut membership, &mut chain, report());
    assert_eq!(membership.reported[&(TENANT, MEMBER)].by, FOUNDER);
    // Whoever is granted it again has nothing reported of.
    state(&mut membership, &mut chain, Body::Granted(given));
    assert!(!membership.reported.contains_key(&(TENANT, MEMBER)) && !membership.ended.contains_key(&(TENANT, MEMBER)));
}

#[test]
fn a_key_is_called_compromised_by_whoever_replaces_it() {
    let mut membership = with_member(Roles::of([Role::Member, Role::Auditor]));
    let mut chain = Vec::new();
    let compromised = |kind: KeyKind, tenant: Option<TenantId>| {
        let tenant = tenant.map(|tenant| (*tenant.as_bytes()).into());
        Body::KeyCompromised(KeyCompromised { kind: kind.code(), tenant })
    };
    let by_member =
        |membership: &Membership, kind, tenant| stated(membership, MEMBER, &member_key(), compromised(kind, tenant));
    for kind in [KeyKind::Directory, KeyKind::Recovery, KeyKind::Device, KeyKind::Account, KeyKind::Tenant] {
        assert_eq!(by_member(&membership, kind, None), Err(ChainError::Authority), "{kind:?}");
    }
    by_member(&membership, KeyKind::Audit, None).unwrap();
    by_member(&membership, KeyKind::Office, None).unwrap();
    let by_founder =
        |membership: &Membership, kind, tenant| stated(membership, FOUNDER, &founder_key(), compromised(kind, tenant));
    assert_eq!(
        stated(&founded().0, FOUNDER, &founder_key(), compromised(KeyKind::Device, None)),
        Err(ChainError::Authority),
        "there is none"
    );
    let unknown = TenantId::from_bytes([6; 16]);
    assert_eq!(by_founder(&membership, KeyKind::Account, None), Err(ChainError::Authority));
    assert_eq!(by_founder(&membership, KeyKind::Audit, Some(TENANT)), Err(ChainError::Authority));
    assert_eq!(by_founder(&membership, KeyKind::Tenant, Some(unknown)), Err(ChainError::Authority));
    assert_eq!(by_member(&membership, KeyKind::Tenant, Some(TENANT)), Err(ChainError::Authority));
    state(&mut membership, &mut chain, compromised(KeyKind::Tenant, Some(TENANT)));
    assert!(membership.tenants[&TENANT].exposed_since.is_some());
    state(&mut membership, &mut chain, compromised(KeyKind::Directory, None));
    assert!(membership.directory_exposed_since.is_some());
    let unknown = Body::KeyCompromised(KeyCompromised { kind: 8, tenant: None });
    assert_eq!(stated(&membership, FOUNDER, &founder_key(), unknown), Err(ChainError::Malformed));
}

#[test]
fn periods_are_the_administrators_and_within_bounds() {
    let membership = with_member(Roles::of([Role::Member, Role::Auditor]));
    let periods = |days: Vec<u16>| Body::CryptoperiodsSet(CryptoperiodsSet { days });
    let by_member = stated(&membership, MEMBER, &member_key(), periods(vec![30; 7]));
    assert_eq!(by_member, Err(ChainError::Authority));
    stated(&membership, FOUNDER, &founder_key(), periods(vec![30; 7])).unwrap();
    for wrong in [vec![30; 6], vec![30; 8], vec![0; 7], vec![3_654; 7]] {
        assert_eq!(stated(&membership, FOUNDER, &founder_key(), periods(wrong)), Err(ChainError::Malformed));
    }
}

#[test]
fn an_account_that_gets_other_keys_keeps_its_grants_and_leaves_all_it_held_pending() {
    let mut membership = with_member(Roles::of([Role::Member, Role::Auditor]));
    let given = grant(&membership, MEMBER, Right::Editor);
    state(&mut membership, &mut Vec::new(), Body::Granted(given));
    let next = signing(60);
    let rekeyed = |keys: u8, signing_key: &SigningKey, tenants: &[TenantId]| {
        Body::AccountRekeyed(AccountRekeyed {
            sealing: sealing(keys).encode().into(),
            signing: signing_key.verifying_key().encode().into(),
            slots: vec![[36; 32].into()],
            grants: tenants.iter().map(|tenant| ResealedGrant { tenant: *tenant, sealed: [37; 32].into() }).collect(),
        })
    };
    let by_member = |body| stated(&membership, MEMBER, &member_key(), body);
    // All of its grants, and each once.
    for tenants in [&[][..], &[TENANT, TENANT], &[TENANT, TenantId::from_bytes([6; 16])]] {
        assert_eq!(by_member(rekeyed(61, &next, tenants)), Err(ChainError::Authority));
    }
    // Nobody's keys, nor those it had.
    for (keys, signing_key) in [(20, &next), (61, &founder_key()), (61, &member_key()), (24, &next)] {
        assert_eq!(by_member(rekeyed(keys, signing_key, &[TENANT])), Err(ChainError::Authority));
    }
    let by_new_key = stated(&membership, MEMBER, &next, rekeyed(61, &next, &[TENANT]));
    assert_eq!(by_new_key, Err(ChainError::Signature), "the keys of before state the new ones");

    let body = rekeyed(61, &next, &[TENANT]);
    let statement = membership.next_statement(at(2), REPLICA, MEMBER, &member_key(), body);
    membership.extend(&statement).unwrap();
    let account = &membership.accounts[&MEMBER];
    assert_eq!((account.signed_with.len(), account.keys_since.len()), (1, 2));
    assert_eq!(membership.right(TENANT, MEMBER, at(3)), Some(Right::Editor));
    assert_eq!(*membership.grants[&(TENANT, MEMBER)].grantee_keys, account_keys_digest(account));
    assert!(membership.directory_exposed_since.is_some() && membership.audit_exposed_since.is_some());
    assert!(membership.tenants[&TENANT].exposed_since.is_some());
    let slots = || Body::SlotsNamed(SlotsNamed { slots: vec![[38; 32].into()] });
    assert_eq!(stated(&membership, MEMBER, &member_key(), slots()), Err(ChainError::Signature));
    assert_eq!(stated(&membership, MEMBER, &next, slots()), Ok(()));
}

/// [`with_member`] and another account; both, and a third that holds nothing else, are custodians of [`TENANT`].
fn with_custodians() -> Membership {
    let mut membership = with_member(Roles::of([Role::Member]));
    let other = AccountId::from_bytes([40; 16]);
    state(&mut membership, &mut Vec::new(), Body::AccountInvited(invited(other, "ida", Roles::of([Role::Member]))));
    let mut body = AccountEnrolled {
        account: other,
        sealing: sealing(41).encode().into(),
        signing: signing(42).verifying_key().encode().into(),
        at_ms: at(2).unix_millis(),
        vouched_for: [0; 64].into(),
    };
    body.vouched_for = signing(30).sign(label::ENROLMENT, &body.vouched(VAULT)).into();
    let next = membership.next_statement(at(2), REPLICA, other, &signing(42), Body::AccountEnrolled(body));
    membership.extend(&next).unwrap();
    let named = custodians(&membership, &[MEMBER, other]);
    state(&mut membership, &mut Vec::new(), named);
    membership
}

fn custodians(membership: &Membership, accounts: &[AccountId]) -> Body {
    let custodians = accounts.iter().map(|account| Custodian {
        account: *account,
        keys: membership.accounts.get(account).map_or([0; 32], account_keys_digest).into(),
        sealed: [43; 32].into(),
    });
    Body::GlassPrepared(GlassPrepared { tenant: TENANT, epoch: 1, custodians: custodians.collect() })
}

/// What [`MEMBER`] states with the word of the one who signs with `word`.
fn glass_broken(second: AccountId, word: &SigningKey, change: impl FnOnce(&mut GlassBroken)) -> Body {
    let mut body = GlassBroken {
        tenant: TENANT,
        epoch: 1,
        until_ms: at(3_600).unix_millis(),
        reason: "the server is down".to_owned(),
        second,
        sealed: [44; 32].into(),
        kid: KID.into(),
        word: [0; 64].into(),
    };
    change(&mut body);
    body.word = word.sign(label::GLASS, &body.seconded(VAULT, MEMBER)).into();
    Body::GlassBroken(body)
}

#[test]
fn custodians_are_named_by_a_steward_two_at_least_and_by_their_keys() {
    let membership = with_custodians();
    let other = AccountId::from_bytes([40; 16]);
    let by_founder = |body| stated(&membership, FOUNDER, &founder_key(), body);
    by_founder(custodians(&membership, &[])).unwrap();
    for wrong in [&[MEMBER][..], &[MEMBER, MEMBER], &[MEMBER, AccountId::from_bytes([9; 16])]] {
        assert_eq!(by_founder(custodians(&membership, wrong)), Err(ChainError::Authority));
    }
    let named = custodians(&membership, &[MEMBER, other]);
    assert_eq!(stated(&membership, MEMBER, &member_key(), named), Err(ChainError::Authority));
    let mut foreign = with_custodians();
    let others = foreign.accounts.get_mut(&other).unwrap();
    let signing = others.signing;
    others.set_keys(sealing(50), signing);
    assert_eq!(by_founder(custodians(&foreign, &[MEMBER, other])), Err(ChainError::Authority), "other keys");
}

#[test]
fn it_takes_the_word_of_two_custodians_to_break_the_glass() {
    let membership = with_custodians();
    let other = AccountId::from_bytes([40; 16]);
    let ida = signing(42);
    let by_member = |membership: &Membership, body| stated(membership, MEMBER, &member_key(), body);
    let refused: [fn(&mut GlassBroken); 6] = [
        |body| body.until_ms = at(1).unix_millis(),
        |body| body.until_ms = at(2).unix_millis() + MAX_GLASS_MILLIS + 1,
        |body| body.reason = String::new(),
        |body| body.reason = " down".to_owned(),
        |body| body.epoch = 2,
        |body| body.kid = [1; 32].into(),
    ];
    for change in refused {
        assert_eq!(by_member(&membership, glass_broken(other, &ida, change)), Err(ChainError::Authority));
    }
    // Alone, with somebody who is no custodian, or with a word that somebody else gave, or for something else.
    assert_eq!(by_member(&membership, glass_broken(MEMBER, &member_key(), |_| ())), Err(ChainError::Authority));
    assert_eq!(by_member(&membership, glass_broken(FOUNDER, &founder_key(), |_| ())), Err(ChainError::Authority));
    assert_eq!(by_member(&membership, glass_broken(other, &member_key(), |_| ())), Err(ChainError::Signature));
    let Body::GlassBroken(mut longer) = glass_broken(other, &ida, |_| ()) else { unreachable!() };
    longer.until_ms += 1_000;
    assert_eq!(by_member(&membership, Body::GlassBroken(longer)), Err(ChainError::Signature));
    let by_founder = stated(&membership, FOUNDER, &founder_key(), glass_broken(other, &ida, |_| ()));
    assert_eq!(by_founder, Err(ChainError::Authority), "who may read breaks nothing");

    let mut broken = membership.clone();
    let statement = broken.next_statement(at(2), REPLICA, MEMBER, &member_key(), glass_broken(other, &ida, |_| ()));
    broken.extend(&statement).unwrap();
    assert_eq!(broken.right(TENANT, MEMBER, at(3)), Some(Right::Reader));
    assert_eq!(broken.right(TENANT, MEMBER, at(3_600)), None);
    let tenant = &broken.tenants[&TENANT];
    assert!(tenant.exposed_at(at(3_600)).is_some());
    assert_eq!(tenant.broken.len(), 1);
    // The next key has no custodians until they are named, and nobody holds it by this.
    state(&mut broken, &mut Vec::new(), next_epoch(2, 45));
    assert!(broken.tenants[&TENANT].custodians.is_empty());
    assert!(broken.tenants[&TENANT].exposed_at(at(9_999)).is_none());
    assert_eq!(by_member(&broken, glass_broken(other, &ida, |_| ())), Err(ChainError::Authority));
}

#[test]
fn a_provider_is_pinned_by_administrators_and_stays_as_long_as_somebody_needs_it() {
    let mut membership = with_member(Roles::of([Role::Member]));
    let by_member = |membership: &Membership, body| stated(membership, MEMBER, &member_key(), body);
    let by_founder = |membership: &Membership, body| stated(membership, FOUNDER, &founder_key(), body);
    assert_eq!(by_member(&membership, provider_set(Some(provider()))), Err(ChainError::Authority));
    assert_eq!(by_founder(&membership, provider_set(None)), Err(ChainError::Authority), "there is none");
    assert_eq!(by_founder(&membership, federated(MEMBER, Some("m"))), Err(ChainError::Authority), "of whom?");
    for broken in [
        Provider { issuer: String::new(), ..provider() },
        Provider { audience: "x".repeat(513), ..provider() },
        Provider { claim: "su\nb".to_owned(), ..provider() },
        Provider { days: 0, ..provider() },
        Provider { days: 367, ..provider() },
    ] {
        assert_eq!(by_founder(&membership, provider_set(Some(broken))), Err(ChainError::Authority));
    }
    let mut chain = Vec::new();
    state(&mut membership, &mut chain, provider_set(Some(provider())));
    assert_eq!(by_member(&membership, federated(MEMBER, Some("m"))), Err(ChainError::Authority));
    state(&mut membership, &mut chain, federated(MEMBER, Some("m")));
    assert_eq!(
        membership.accounts[&MEMBER].federation.as_ref().map(|known| known.mark),
        Some(membership.pin().length - 1)
    );
    assert_eq!(by_founder(&membership, provider_set(None)), Err(ChainError::Authority), "it is needed");
    assert_eq!(by_founder(&membership, provider_set(Some(Provider { days: 1, ..provider() }))), Ok(()));
    state(&mut membership, &mut chain, federated(MEMBER, None));
    assert_eq!(by_founder(&membership, federated(MEMBER, None)), Err(ChainError::Authority), "it has none");
    assert_eq!(by_founder(&membership, provider_set(None)), Ok(()));
}

#[test]
fn marks_leave_an_administrator_without_one_and_are_nobodys_own_to_take_away() {
    let mut membership = with_member(Roles::of([Role::Administrator]));
    let mut chain = Vec::new();
    state(&mut membership, &mut chain, provider_set(Some(provider())));
    let by_member = |membership: &Membership, body| stated(membership, MEMBER, &member_key(), body);
    let by_founder = |membership: &Membership, body| stated(membership, FOUNDER, &founder_key(), body);
    for nothing in ["", "\u{7f}"] {
        assert_eq!(by_founder(&membership, federated(MEMBER, Some(nothing))), Err(ChainError::Authority));
    }
    let nobody = AccountId::from_bytes([40; 16]);
    assert_eq!(by_founder(&membership, federated(nobody, Some("x"))), Err(ChainError::Authority));
    assert_eq!(by_member(&membership, federated(MEMBER, Some("m"))), Ok(()), "one's own, if another one is left");
    state(&mut membership, &mut chain, federated(MEMBER, Some("m")));
    assert_eq!(by_member(&membership, federated(MEMBER, None)), Err(ChainError::Authority));
    assert_eq!(by_member(&membership, federated(MEMBER, Some("other"))), Err(ChainError::Authority));
    // The last one without a mark gets none, keeps the role and stays.
    assert_eq!(by_founder(&membership, federated(FOUNDER, Some("f"))), Err(ChainError::Authority));
    assert_eq!(by_member(&membership, federated(FOUNDER, Some("f"))), Err(ChainError::Authority));
    let roles = Roles::of([Role::Auditor]).bits();
    let demoted = Body::RolesSet(RolesSet { account: FOUNDER, roles });
    assert_eq!(by_member(&membership, demoted), Err(ChainError::Authority));
    assert_eq!(by_founder(&membership, federated(MEMBER, None)), Ok(()));
    assert_eq!(by_founder(&membership, federated(MEMBER, Some("other"))), Ok(()));
}

#[test]
fn no_two_accounts_are_marked_with_the_same() {
    let mut membership = with_member(Roles::of([Role::Administrator]));
    let mut chain = Vec::new();
    state(&mut membership, &mut chain, provider_set(Some(provider())));
    let other = AccountId::from_bytes([41; 16]);
    let known = membership.accounts[&MEMBER].clone();
    membership.accounts.insert(other, known);
    state(&mut membership, &mut chain, federated(other, Some("m")));
    let twice = stated(&membership, FOUNDER, &founder_key(), federated(MEMBER, Some("m")));
    assert_eq!(twice, Err(ChainError::Authority));
    assert_eq!(stated(&membership, FOUNDER, &founder_key(), federated(other, Some("m"))), Ok(()), "a new lease");
}

#[test]
fn only_an_administrator_moves_the_vault_and_only_from_a_device_that_is_certified() {
    let members = [Roles::of([Role::Member]), Roles::of([Role::Auditor]), Roles::of([Role::Auditor, Role::Member])];
    for roles in members {
        let membership = with_member(roles);
        assert_eq!(stated(&membership, MEMBER, &member_key(), moved_from(13)), Err(ChainError::Authority));
        let mut moving = membership.clone();
        state(&mut moving, &mut Vec::new(), moved_from(13));
        for body in [taken_back(13), device(14)] {
            assert_eq!(stated(&moving, MEMBER, &member_key(), body), Err(ChainError::Authority));
        }
    }
    let membership = with_member(Roles::of([Role::Administrator]));
    assert_eq!(stated(&membership, MEMBER, &member_key(), moved_from(13)), Ok(()));
    assert_eq!(stated(&membership, MEMBER, &member_key(), moved_from(14)), Err(ChainError::Authority));
    // Nor does the recovery kit by itself.
    assert_eq!(stated(&membership, RECOVERY, &signing(12), moved_from(13)), Err(ChainError::Authority));
}

#[test]
fn a_move_ends_once_by_another_device_or_by_being_taken_back() {
    let (mut membership, mut chain) = made();
    let by_founder = |membership: &Membership, body| stated(membership, FOUNDER, &founder_key(), body);
    assert_eq!(by_founder(&membership, taken_back(13)), Err(ChainError::Authority), "it was taken back before");
    state(&mut membership, &mut chain, moved_from(13));
    let moving = membership.move_under_way().unwrap();
    assert_eq!((moving.device, moving.by), (signing(13).verifying_key(), FOUNDER));
    assert_eq!(by_founder(&membership, moved_from(13)), Err(ChainError::Authority), "it is under way");
    assert_eq!(by_founder(&membership, taken_back(14)), Err(ChainError::Authority), "of another device");
    assert_eq!(by_founder(&membership, device(13)), Err(ChainError::Authority), "where it was before");

    let mut back = membership.clone();
    state(&mut back, &mut Vec::new(), taken_back(13));
    assert!(back.move_under_way().is_none());
    assert_eq!(back.moves.last().unwrap().end, MovingEnd::TakenBack(at(1)));
    assert_eq!(by_founder(&back, device(13)), Ok(()), "as ever");

    state(&mut membership, &mut chain, device(14));
    assert!(membership.move_under_way().is_none());
    assert_eq!(membership.moves.last().unwrap().end, MovingEnd::TakenUp(at(1)));
    assert_eq!(by_founder(&membership, taken_back(13)), Err(ChainError::Authority), "it was taken up");
    // And on to a third, or to the first again under another key.
    for from in [13, 14] {
        assert_eq!(by_founder(&membership, moved_from(from)), Ok(()));
    }
    assert_eq!(replay(&chain, None), Ok(*membership.pin()));
}
