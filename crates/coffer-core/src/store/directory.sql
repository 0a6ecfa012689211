-- The directory of a vault: its membership chain, and the ciphertexts the chain vouches for.
-- Nothing here is believed because it stands here: every ciphertext's SHA-256 is in a statement, or says itself whose it is.
-- Tables of sealings have a rowid: in one without, a row of over a kilobyte takes an overflow page of its own, and the whole
-- file is read at every unlock.

-- The membership chain, in order from 0 without gaps (docs/FORMAT.md §5).
CREATE TABLE statement (
    position  INTEGER PRIMARY KEY,
    bytes     BLOB NOT NULL,            -- deterministic CBOR
    signature BLOB NOT NULL             -- Ed25519, 64 bytes
) STRICT;

-- The seeds of the audit and office pairs, sealed to each account or invitation that may use them and to recovery. Whether
-- one is the right one its public key in the chain says.
CREATE TABLE pair_seed (
    pair   TEXT NOT NULL CHECK (pair IN ('audit', 'office')),
    number INTEGER NOT NULL,            -- from 1, the founding statement's; each that replaces it has the next
    holder BLOB NOT NULL,               -- account; 16 zero bytes for recovery
    sealed BLOB NOT NULL,
    PRIMARY KEY (pair, number, holder)
) STRICT;

-- What comes with a tenant's epoch.
CREATE TABLE tenant_epoch (
    tenant           BLOB NOT NULL,
    epoch            INTEGER NOT NULL,
    for_recovery     BLOB NOT NULL,     -- tenant key sealed to recovery
    name_for_office  BLOB NOT NULL,     -- name sealed to the office
    name_for_holders BLOB NOT NULL,     -- name under the tenant key
    PRIMARY KEY (tenant, epoch)
) STRICT;

-- The tenant key, sealed to each account it is granted to.
CREATE TABLE tenant_key (
    tenant  BLOB NOT NULL,
    epoch   INTEGER NOT NULL,
    account BLOB NOT NULL,
    sealed  BLOB NOT NULL,
    PRIMARY KEY (tenant, epoch, account)
) STRICT;

-- Searches that an account has saved, under its own master key: the one ciphertext here that no statement names, since it
-- is nobody else's business. An older one put back is noticed by the directory's root alone.
CREATE TABLE saved_searches (
    account BLOB PRIMARY KEY,
    sealed  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Names of tenants that an account has opened, under its own master key, by the digest of the ciphertext of each: the chain
-- has those digests. To open one takes a decapsulation, and there may be hundreds.
CREATE TABLE tenant_names (
    account BLOB PRIMARY KEY,
    sealed  BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Shares of tenants' keys, each sealed to one custodian.
CREATE TABLE glass_share (
    tenant  BLOB NOT NULL,
    epoch   INTEGER NOT NULL,
    account BLOB NOT NULL,
    sealed  BLOB NOT NULL,
    PRIMARY KEY (tenant, epoch, account)
) STRICT;

-- What stewards reported of the secrets that somebody saw who has no grant on their tenant any more, sealed to the office.
CREATE TABLE exposure_report (
    tenant  BLOB NOT NULL,
    account BLOB NOT NULL,
    sealed  BLOB NOT NULL,
    PRIMARY KEY (tenant, account)
) STRICT;

-- Backups made of this vault, as their receipts in the chain say; the signed manifest of each.
CREATE TABLE backup (
    counter  INTEGER PRIMARY KEY,
    manifest BLOB NOT NULL
) STRICT;

-- Templates of the vault's own kinds of records.
CREATE TABLE kind (
    kind     TEXT PRIMARY KEY,
    template BLOB NOT NULL              -- deterministic CBOR
) STRICT, WITHOUT ROWID;

-- What comes with the identity provider that is pinned, if one is: as the chain's newest statement of it says.
CREATE TABLE provider (
    number     INTEGER PRIMARY KEY CHECK (number = 1),
    key_set    BLOB NOT NULL,           -- JWKS, as it was given
    decryption BLOB NOT NULL            -- P-256 scalar, 32 bytes: tokens may be encrypted to its public key
) STRICT;

-- Length and hash-tree root of a tenant's file as it was locked. Taken away before the first change of a session, so that
-- after a kill there is none rather than a wrong one.
CREATE TABLE file_root (
    tenant BLOB NOT NULL,
    epoch  INTEGER NOT NULL,
    bytes  INTEGER NOT NULL,
    root   BLOB NOT NULL,
    PRIMARY KEY (tenant, epoch)
) STRICT, WITHOUT ROWID;
