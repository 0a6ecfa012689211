//! A tenant's key in the hands of several custodians, of whom any two open it together: what breaking the glass rests on.
//! Shamir's secret sharing over GF(2⁸), as for recovery's shares ([`crate::recovery::shares`]).
//!
//! Each share goes to one person, sealed; it tells nothing of the key by itself. Whether two of them came to the right key
//! the key's name says (docs/FORMAT.md §4.6).

use vsss_rs::Gf256;
use zeroize::{Zeroize, Zeroizing};

use crate::Random;
use crate::recovery::shares::Lent;
use crate::secret::{SecretBytes, SecretKey, TenantKey};

/// How many shares open.
pub const NEEDED: usize = 2;
/// Most custodians of a tenant.
pub const CUSTODIANS_MAX: usize = 16;
/// Bytes of a share: its number, then its value.
const SHARE_BYTES: usize = 1 + TenantKey::BYTES;

/// Two shares do not come to a key: one is damaged, or both are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the shares do not come to a key")]
pub struct SharesDoNotFit;

/// Splits a tenant's key among `custodians`, two at least and [`CUSTODIANS_MAX`] at most, in their order.
pub fn split(key: &TenantKey, custodians: usize, random: &mut dyn Random) -> Vec<SecretBytes> {
    assert!((NEEDED..=CUSTODIANS_MAX).contains(&custodians), "the caller holds itself to the bounds");
    let shares = Gf256::split_bytes(NEEDED, custodians, key.expose_bytes(), Lent(random))
        .expect("the bounds are within those of the field");
    shares.into_iter().map(SecretBytes::new).collect()
}

/// Joins two shares to the key they are of; whether it is that one its name has to say.
pub fn join(one: &[u8], other: &[u8]) -> Result<TenantKey, SharesDoNotFit> {
    let fits = one.len() == SHARE_BYTES && other.len() == SHARE_BYTES && one[0] != other[0];
    if !fits || one[0] == 0 || other[0] == 0 {
        return Err(SharesDoNotFit);
    }
    let mut points = vec![one.to_vec(), other.to_vec()];
    let joined = Gf256::combine_bytes(&points).map(Zeroizing::new);
    points.zeroize();
    TenantKey::parse(&joined.map_err(|_| SharesDoNotFit)?).map_err(|_| SharesDoNotFit)
}

#[cfg(test)]
mod tests {
    use subtle::ConstantTimeEq;

    use super::*;

    fn random(seed: u8) -> impl FnMut(&mut [u8]) {
        let mut next = seed;
        move |buffer: &mut [u8]| {
            for byte in buffer {
                next = next.wrapping_mul(167).wrapping_add(41);
                *byte = next;
            }
        }
    }

    #[test]
    fn any_two_come_to_the_key_and_one_to_nothing() {
        let key = TenantKey::parse(&[0x5c; 32]).unwrap();
        let shares = split(&key, 4, &mut random(7));
        for one in 0..shares.len() {
            for other in 0..shares.len() {
                let joined = join(shares[one].expose(), shares[other].expose());
                if one == other {
                    assert!(joined.is_err());
                } else {
                    assert!(bool::from(joined.unwrap().ct_eq(&key)));
                }
            }
            assert_ne!(&shares[one].expose()[1..], key.expose());
        }
    }

    #[test]
    fn damaged_shares_do_not_come_to_the_key() {
        let key = TenantKey::parse(&[0x5c; 32]).unwrap();
        let shares = split(&key, 2, &mut random(9));
        let mut altered = shares[0].expose().to_vec();
        altered[5] ^= 1;
        let joined = join(&altered, shares[1].expose()).unwrap();
        assert!(!bool::from(joined.ct_eq(&key)));
        assert_eq!(join(&altered[..32], shares[1].expose()).unwrap_err(), SharesDoNotFit);
        altered[0] = 0;
        assert_eq!(join(&altered, shares[1].expose()).unwrap_err(), SharesDoNotFit);
    }
}
