//! Attacks on recovery that is split: forged shares, and fewer than are needed.

use coffer_core::{
    BackupIdentity, CreatedVault, JoinError, NewVault, ReadShare, RecoveryKit, RestoreOptions, SharesError, Split,
    Vault, join_shares, parse_recovery_share, start_restore,
};
use coffer_tests::{LOGIN, PASSPHRASE, Place, passphrase, passphrase_of};
use sha2::{Digest, Sha256};

fn create(place: &Place, needed: u8, shares: u8) -> CreatedVault {
    let split = Some(Split::new(needed, shares).unwrap());
    let new = NewVault { login: LOGIN.parse().unwrap(), passphrase: passphrase(PASSPHRASE), demo: false, split };
    Vault::create(&place.host, &place.vault_folder(), new).unwrap()
}

fn page(kit: &RecoveryKit, number: u8) -> String {
    let file = kit.share_files().into_iter().find(|file| file.number == number).unwrap();
    String::from_utf8(file.page.expose().to_vec()).unwrap()
}

fn share(kit: &RecoveryKit, number: u8) -> ReadShare {
    parse_recovery_share(&page(kit, number)).unwrap()
}

/// A share of which somebody who knows the format (docs/FORMAT.md §4.10) has changed one value and every check.
fn altered(page: &str, at: usize, value: u8) -> ReadShare {
    const ALPHABET: &[u8] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    const LABEL: &str = "coffer/1/recovery/share-checksum";
    let (_, code) = page.split_once("Share code").unwrap();
    let (code, _) = code.split_once("To use it").unwrap();
    let number = |character: u8| ALPHABET.iter().position(|known| *known == character).unwrap();
    let groups = code.split_whitespace();
    let mut values: Vec<u8> =
        groups.flat_map(|group| group.as_bytes()[..4].iter().map(|&c| u8::try_from(number(c)).unwrap())).collect();
    values[at] = value;
    values.truncate(16 * 4);
    let hash = Sha256::new()
        .chain_update((LABEL.len() as u64).to_be_bytes())
        .chain_update(LABEL)
        .chain_update(&values)
        .finalize();
    let bits = u32::from_be_bytes([0, hash[0], hash[1], hash[2]]) >> 4;
    values.extend([15, 10, 5, 0].map(|shift| u8::try_from((bits >> shift) & 31).unwrap()));
    let times_alpha = |value: u8| if value & 16 == 0 { value << 1 } else { (value << 1) ^ 0b10_0101 };
    let mut code = String::new();
    for (index, group) in values.chunks(4).enumerate() {
        let sum = times_alpha(group.iter().rev().fold(0, |sum, &value| times_alpha(sum) ^ value));
        let check = sum ^ u8::try_from(index).unwrap();
        let characters = group.iter().chain([&check]).map(|&value| char::from(ALPHABET[usize::from(value)]));
        code.extend(characters.chain([' ']));
    }
    parse_recovery_share(&code).unwrap()
}

/// A share in order by itself, with another value.
fn forged(kit: &RecoveryKit, number: u8) -> ReadShare {
    const IN_VALUE: usize = 20;
    let page = page(kit, number);
    // The sixth group's first character is none of these two at once.
    let value = if page.split_once("Share code").unwrap().1.split_whitespace().nth(5).unwrap().starts_with('3') {
        4
    } else {
        3
    };
    altered(&page, IN_VALUE, value)
}

#[test]
fn attack_30_a_forged_share_is_named_and_refused_before_anything_is_reconstructed() {
    let place = Place::new();
    let CreatedVault { session, kit } = create(&place, 3, 5);
    let backup = place.path("b.age");
    session.start_backup(&backup).wait().unwrap();
    let with_forged = || vec![share(&kit, 1), forged(&kit, 4), share(&kit, 5)];
    // By the chain, unlocked; even if enough others are there.
    let told = session.join_shares(with_forged());
    assert!(matches!(told, Err(SharesError::Forged { number: 4 })), "{told:?}");
    let with_enough = vec![share(&kit, 1), share(&kit, 2), share(&kit, 3), forged(&kit, 4)];
    assert!(matches!(session.join_shares(with_enough), Err(SharesError::Forged { number: 4 })));
    session.lock().unwrap();
    // By the header's copy, locked.
    let told = place.vault().join_shares(with_forged());
    assert!(matches!(told, Err(SharesError::Forged { number: 4 })), "{told:?}");
    // Where nothing of the vault can be read it is noticed that one of them is false; nothing is restored.
    let told = join_shares(with_forged());
    assert!(matches!(told, Err(SharesError::Join(JoinError::False))), "{told:?}");
    let told = join_shares(vec![share(&kit, 4), forged(&kit, 4), share(&kit, 5)]);
    assert!(matches!(told, Err(SharesError::Join(JoinError::Twofold { number: 4 }))), "{told:?}");
    // Shares of another vault are nothing here.
    let other = Place::new();
    let foreign = create(&other, 3, 5).kit;
    let theirs = || (1..=3).map(|number| share(&foreign, number)).collect::<Vec<_>>();
    assert!(place.vault().join_shares(theirs()).is_err());
    assert!(matches!(place.unlock().join_shares(theirs()), Err(SharesError::Other)));
    let key = BackupIdentity::RecoveryKit(join_shares(theirs()).unwrap());
    let restored = place.path("restored.coffer");
    assert!(start_restore(&place.host, &backup, key, &restored, RestoreOptions::default()).wait().is_err());
    assert!(!restored.exists());
    // The true ones do.
    let joined = place.vault().join_shares((1..=3).map(|number| share(&kit, number)).collect()).unwrap();
    place.vault().recover(&joined, &"ida".parse().unwrap(), &passphrase_of("ida")).unwrap();
}

#[test]
fn attack_31_one_share_less_than_needed_recovers_nothing_and_is_told_how_many_are_missing() {
    let place = Place::new();
    let CreatedVault { session, kit } = create(&place, 4, 6);
    for given in 0..4 {
        let shares = || (1..=given).map(|number| share(&kit, number)).collect::<Vec<_>>();
        let told = |result: Result<_, SharesError>| match result {
            Err(SharesError::Join(JoinError::TooFew { missing })) => missing,
            other => panic!("{other:?}"),
        };
        if given > 0 {
            assert_eq!(told(join_shares(shares())), 4 - given);
            assert_eq!(told(session.join_shares(shares())), 4 - given);
            // The same one again does not help.
            let mut twice = shares();
            twice.push(share(&kit, 1));
            assert_eq!(told(join_shares(twice)), 4 - given);
        } else {
            assert!(join_shares(shares()).is_err());
        }
    }
    // Nor do more shares than there are: one that calls itself 3 of 6 is refused by the digest.
    let fewer = altered(&page(&kit, 1), 1, 3);
    let told = session.join_shares(vec![fewer, share(&kit, 2), share(&kit, 3)]);
    assert!(matches!(told, Err(SharesError::Forged { number: 1 })), "{told:?}");
}
