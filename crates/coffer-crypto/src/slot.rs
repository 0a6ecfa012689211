//! A key slot: one way into an account, as the header stores it.
//! Layout: docs/FORMAT.md §4.5: a map of nine numbered fields in deterministic CBOR (RFC 8949 §4.2.1).
//! Pure: randomness is an argument.
//!
//! Reading is exact: fields are read in order and nothing may be missing, unknown, doubled or left over; then the slot
//! is encoded again and must give the same bytes, which leaves no second way to write the same slot.

use minicbor::{Decoder, Encoder};

use crate::Random;
use crate::derive::Id;
use crate::kdf::{self, FactorMask, Factors, KdfFloor, KdfParams, KdfParamsError, SALT_BYTES, SlotPlace};
use crate::label::{self, Context};
use crate::memory::{KdfMemory, OutOfMemory};
use crate::passphrase::Passphrase;
use crate::secret::{AccountMasterKey, SecretKey};
use crate::wrap;

/// Length of the wrapped account master key.
const WRAPPED_KEY_BYTES: usize = AccountMasterKey::BYTES + wrap::OVERHEAD_BYTES;

/// What opens a slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SlotKind {
    /// The person's passphrase.
    Passphrase,
    /// The person's own recovery code, of at least 128 random bits.
    PersonalRecovery,
}

impl SlotKind {
    const fn encode(self) -> u64 {
        match self {
            Self::Passphrase => 1,
            Self::PersonalRecovery => 2,
        }
    }

    const fn parse(kind: u64) -> Option<Self> {
        match kind {
            1 => Some(Self::Passphrase),
            2 => Some(Self::PersonalRecovery),
            _ => None,
        }
    }
}

/// Why bytes are no slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SlotFormatError {
    /// Not the one encoding of nine known fields.
    #[error("the key slot is malformed")]
    Malformed,
    /// A kind of slot, a key-derivation algorithm or a factor this program does not know.
    #[error("the key slot asks for something this program does not know")]
    Unknown,
    /// Cost parameters outside the bounds.
    #[error(transparent)]
    Params(#[from] KdfParamsError),
}

/// Why a slot does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenSlotError {
    /// Wrong passphrase, wrong or missing factor, or an altered slot: these cannot be told apart.
    #[error("the passphrase or a key factor is wrong")]
    Refused,
    /// The memory that the parameters ask for is not there.
    #[error(transparent)]
    Memory(#[from] OutOfMemory),
}

/// A way into an account. Public; what it wraps opens only with the passphrase and every factor of its mask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slot {
    id: Id,
    kind: SlotKind,
    params: KdfParams,
    salt: [u8; SALT_BYTES],
    factors: FactorMask,
    wrapped_key: [u8; WRAPPED_KEY_BYTES],
}

/// What a new slot is to take.
#[derive(Clone, Copy, Debug)]
pub struct NewSlot<'a> {
    /// What opens it.
    pub kind: SlotKind,
    /// The passphrase, or the recovery code's text.
    pub passphrase: &'a Passphrase,
    /// The key factors it will ask for as well.
    pub factors: Factors<'a>,
    /// What a guess will cost.
    pub params: KdfParams,
}

/// Where a slot belongs; bound into its key, so that a slot moved elsewhere does not open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AccountPlace {
    /// The vault.
    pub vault: Id,
    /// The account.
    pub account: Id,
}

impl Slot {
    /// Makes a slot that opens `master_key` with the passphrase and all factors of `new`, under a new identifier and
    /// salt.
    pub fn create(
        new: &NewSlot<'_>,
        place: &AccountPlace,
        master_key: &AccountMasterKey,
        memory: &mut KdfMemory,
        random: &mut dyn Random,
    ) -> Result<Self, OutOfMemory> {
        let NewSlot { kind, passphrase, factors, params } = *new;
        let mut id = [0; 16];
        random.fill(&mut id);
        let mut salt = [0; SALT_BYTES];
        random.fill(&mut salt);
        let slot_key = kdf::derive_slot_key(memory, passphrase, &salt, &params, &factors, &slot_place(place, id))?;
        let wrapped = wrap::wrap_key(&slot_key, master_key, &wrap_context(place, id, kind), random);
        let wrapped_key = wrapped.try_into().expect("a wrapped key has its fixed length");
        Ok(Self { id, kind, params, salt, factors: factors.mask(), wrapped_key })
    }

    /// Unwraps the account master key.
    ///
    /// Factors that the slot does not ask for are left out, so a person may always offer all they have.
    pub fn open(
        &self,
        passphrase: &Passphrase,
        factors: &Factors<'_>,
        place: &AccountPlace,
        memory: &mut KdfMemory,
    ) -> Result<AccountMasterKey, OpenSlotError> {
        let factors = Factors {
            device_secret: factors.device_secret.filter(|_| self.factors.device_secret),
            key_file: factors.key_file.filter(|_| self.factors.key_file),
        };
        let place_of_slot = slot_place(place, self.id);
        let slot_key = kdf::derive_slot_key(memory, passphrase, &self.salt, &self.params, &factors, &place_of_slot)?;
        wrap::unwrap_key(&slot_key, &self.wrapped_key, &wrap_context(place, self.id, self.kind))
            .map_err(|_| OpenSlotError::Refused)
    }

    /// Encodes the slot, in the only way there is.
    pub fn encode(&self) -> Vec<u8> {
        self.write().expect("writing to a vector cannot fail")
    }

    fn write(&self) -> Result<Vec<u8>, minicbor::encode::Error<core::convert::Infallible>> {
        let mut encoder = Encoder::new(Vec::new());
        encoder.map(FIELDS)?;
        encoder.u64(field::ID)?.bytes(&self.id)?;
        encoder.u64(field::KIND)?.u64(self.kind.encode())?;
        encoder.u64(field::ALGORITHM)?.u64(kdf::ARGON2ID_V13)?;
        encoder.u64(field::MEMORY_KIB)?.u32(self.params.memory_kib())?;
        encoder.u64(field::PASSES)?.u32(self.params.passes())?;
        encoder.u64(field::LANES)?.u32(self.params.lanes())?;
        encoder.u64(field::SALT)?.bytes(&self.salt)?;
        encoder.u64(field::FACTORS)?.u64(self.factors.encode())?;
        encoder.u64(field::WRAPPED_KEY)?.bytes(&self.wrapped_key)?;
        Ok(encoder.into_writer())
    }

    /// Reads a slot, holding its cost to `floor`. Nothing is allocated for the derivation here.
    pub fn parse(bytes: &[u8], floor: &KdfFloor) -> Result<Self, SlotFormatError> {
        let mut reader = Reader(Decoder::new(bytes));
        reader.map_head()?;
        let id = reader.bytes_at(field::ID)?;
        let kind = SlotKind::parse(reader.number_at(field::KIND)?).ok_or(SlotFormatError::Unknown)?;
        if reader.number_at(field::ALGORITHM)? != kdf::ARGON2ID_V13 {
            return Err(SlotFormatError::Unknown);
        }
        let memory_kib = reader.number_at(field::MEMORY_KIB)?;
        let passes = reader.number_at(field::PASSES)?;
        let lanes = reader.number_at(field::LANES)?;
        let params = KdfParams::new(memory_kib, passes, lanes, floor)?;
        let salt = reader.bytes_at(field::SALT)?;
        let factors = FactorMask::parse(reader.number_at(field::FACTORS)?).ok_or(SlotFormatError::Unknown)?;
        let wrapped_key = reader.bytes_at(field::WRAPPED_KEY)?;
        let slot = Self { id, kind, params, salt, factors, wrapped_key };
        if slot.encode() == bytes { Ok(slot) } else { Err(SlotFormatError::Malformed) }
    }

    /// Its identifier: random, new for each slot.
    pub const fn id(&self) -> &Id {
        &self.id
    }

    /// What opens it.
    pub const fn kind(&self) -> SlotKind {
        self.kind
    }

    /// What a guess at it costs.
    pub const fn params(&self) -> &KdfParams {
        &self.params
    }

    /// Which key factors it takes besides the passphrase.
    pub const fn factors(&self) -> FactorMask {
        self.factors
    }
}

/// Spends what opening a slot would, for a login that has none: the same derivation, over a decoy.
pub fn spend_on_unknown_login(
    passphrase: &Passphrase,
    salt: &[u8; SALT_BYTES],
    decoy: Id,
    params: &KdfParams,
    vault: Id,
    memory: &mut KdfMemory,
) -> Result<(), OutOfMemory> {
    let place = SlotPlace { vault, account: decoy, slot: decoy };
    kdf::derive_slot_key(memory, passphrase, salt, params, &Factors::default(), &place).map(drop)
}

const FIELDS: u64 = 9;

/// Numbers of the fields, in the order RFC 8949 §4.2.1 puts them.
mod field {
    pub const ID: u64 = 0;
    pub const KIND: u64 = 1;
    pub const ALGORITHM: u64 = 2;
    pub const MEMORY_KIB: u64 = 3;
    pub const PASSES: u64 = 4;
    pub const LANES: u64 = 5;
    pub const SALT: u64 = 6;
    pub const FACTORS: u64 = 7;
    pub const WRAPPED_KEY: u64 = 8;
}

/// Reads fields that must come in their order.
struct Reader<'b>(Decoder<'b>);

impl Reader<'_> {
    fn map_head(&mut self) -> Result<(), SlotFormatError> {
        match self.0.map() {
            Ok(Some(FIELDS)) => Ok(()),
            _ => Err(SlotFormatError::Malformed),
        }
    }

    fn field(&mut self, number: u64) -> Result<(), SlotFormatError> {
        match self.0.u64() {
            Ok(found) if found == number => Ok(()),
            _ => Err(SlotFormatError::Malformed),
        }
    }

    fn number_at(&mut self, number: u64) -> Result<u64, SlotFormatError> {
        self.field(number)?;
        self.0.u64().map_err(|_| SlotFormatError::Malformed)
    }

    fn bytes_at<const N: usize>(&mut self, number: u64) -> Result<[u8; N], SlotFormatError> {
        self.field(number)?;
        let bytes = self.0.bytes().map_err(|_| SlotFormatError::Malformed)?;
        bytes.try_into().map_err(|_| SlotFormatError::Malformed)
    }
}

fn slot_place(place: &AccountPlace, slot: Id) -> SlotPlace {
    SlotPlace { vault: place.vault, account: place.account, slot }
}

fn wrap_context(place: &AccountPlace, slot: Id, kind: SlotKind) -> Context {
    Context::new(label::WRAP_ACCOUNT_MASTER_KEY).bytes(place.vault).bytes(place.account).bytes(slot).u64(kind.encode())
}
