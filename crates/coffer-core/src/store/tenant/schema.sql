-- One tenant's records, at one epoch of its key. Schema 1 (PRAGMA user_version).
-- Described in docs/FORMAT.md, chapter "A tenant's database". Times are milliseconds since 1970-01-01T00:00:00Z.
-- An older program may open a file of this schema if it knows schema 1; there is none before it.

-- Whose database this is. One row, checked at every opening: a file under another tenant's name does not open by its
-- key alone, and this says so even to somebody who holds both keys.
CREATE TABLE meta (
    only    INTEGER PRIMARY KEY CHECK (only = 1),
    vault   BLOB NOT NULL CHECK (length(vault) = 16),
    tenant  BLOB NOT NULL CHECK (length(tenant) = 16),
    epoch   INTEGER NOT NULL,
    records INTEGER NOT NULL,                   -- rows in `record` that are not in the trash: no list has to count them
    trashed INTEGER NOT NULL                    -- rows in `record` that are
) STRICT;

-- One committed write: who, when, and the log entry that came before it. A write is either here with everything it
-- did, or nowhere; the log is compared with it at opening.
CREATE TABLE change (
    id      INTEGER PRIMARY KEY,                -- ascending in the order of commits
    entry   INTEGER NOT NULL,                   -- index in the log
    at_ms   INTEGER NOT NULL,
    account BLOB NOT NULL CHECK (length(account) = 16)
) STRICT;

-- Writes the log announced that never happened, because the program ended in between: found at an opening, told to the
-- log, and settled here, so that the next opening does not find them again.
CREATE TABLE settled (
    entry  INTEGER PRIMARY KEY,                 -- index in the log of the write that never happened
    change INTEGER NOT NULL                     -- the newest `change` then; 0 if there was none
) STRICT;

-- What lists and searches show of each record, taken from its newest version.
CREATE TABLE record (
    id         INTEGER PRIMARY KEY,             -- ascending in the order of adding; the row in `search`
    key        BLOB NOT NULL UNIQUE CHECK (length(key) = 16),
    title_key  TEXT NOT NULL,                   -- the title, folded: what lists are ordered by
    title      TEXT NOT NULL,
    kind       TEXT NOT NULL,
    version    INTEGER NOT NULL,                -- the newest; the first is 1
    created_ms INTEGER NOT NULL,
    changed_ms INTEGER NOT NULL,
    trashed_ms INTEGER                          -- when it was put into the trash; NULL if it is not there
) STRICT;

-- The orders of lists, without what is in the trash. Each holds every column a list shows, so that a page is read from
-- here alone; `trashed_ms`, always NULL, is among them for that reason only.
CREATE UNIQUE INDEX record_by_title ON record (title_key, key, title, kind, changed_ms, trashed_ms)
    WHERE trashed_ms IS NULL;
CREATE INDEX record_by_kind ON record (kind, title_key, key, title, changed_ms, trashed_ms) WHERE trashed_ms IS NULL;
CREATE INDEX record_by_changed ON record (changed_ms, key, title, kind, trashed_ms) WHERE trashed_ms IS NULL;

-- The trash by time; and, under NULL, all others in the order of adding. Rows are read from the table, where those added
-- one after the other stand together.
CREATE INDEX record_by_trash ON record (trashed_ms);

-- Which records a write put into the trash, took out of it, or purged. The log names the first of them and how many; with
-- this it can be told for ever which they were. A purged record leaves nothing but its key here.
CREATE TABLE moved (
    change INTEGER NOT NULL,                    -- the `change` that did it, and whose log entry says what it did
    key    BLOB NOT NULL CHECK (length(key) = 16),
    PRIMARY KEY (change, key)
) STRICT, WITHOUT ROWID;

-- Every version of every record, whole; the newest, too. None is ever changed, and none goes but with its record.
CREATE TABLE version (
    id      INTEGER PRIMARY KEY,
    record  INTEGER NOT NULL REFERENCES record (id),
    version INTEGER NOT NULL,
    change  INTEGER NOT NULL,                   -- the `change` that made it; that row comes last in a transaction
    body    BLOB NOT NULL,                      -- deterministic CBOR
    made_ms INTEGER,                            -- when another program made it, from which it was imported; else NULL
    UNIQUE (record, version)
) STRICT;

-- Files of attachments: each content once, however often it is attached. The bytes are in the vault's folder `files`, and
-- there before the row is.
CREATE TABLE file (
    id     INTEGER PRIMARY KEY,
    name   BLOB NOT NULL UNIQUE CHECK (length(name) = 16),   -- random; its name on the disk, in hexadecimal
    header BLOB NOT NULL CHECK (length(header) = 32),        -- SHA-256 of what it begins with
    bytes  INTEGER NOT NULL,                                 -- of its content, which is shorter than the file
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32)  -- HMAC of its content under a key of this tenant
) STRICT;

-- What is attached to records. A version has those that were attached by then and not yet detached.
CREATE TABLE attachment (
    id       INTEGER PRIMARY KEY,
    record   INTEGER NOT NULL REFERENCES record (id),
    number   INTEGER NOT NULL,                  -- inside the record, from 1; never given again
    name     TEXT NOT NULL,
    media    INTEGER NOT NULL CHECK (media BETWEEN 1 AND 4), -- 1 text, 2 PNG, 3 JPEG, 4 anything else
    file     INTEGER NOT NULL REFERENCES file (id),
    attached INTEGER NOT NULL,                  -- the first version that has it
    UNIQUE (record, number)
) STRICT;

-- By which a file is known to be needed no longer. Databases made before it was here get it when something is first purged or
-- erased from them.
CREATE INDEX attachment_by_file ON attachment (file);

-- Attachments that were taken off their record.
CREATE TABLE detachment (
    attachment INTEGER PRIMARY KEY REFERENCES attachment (id),
    version    INTEGER NOT NULL                 -- the first version without it
) STRICT;

-- Who saw which version of which secret outside its mask. Kept under the tenant's own key, for its stewards.
CREATE TABLE exposure (
    id      INTEGER PRIMARY KEY,
    record  INTEGER NOT NULL REFERENCES record (id),
    field   INTEGER NOT NULL,
    version INTEGER NOT NULL,
    how     INTEGER NOT NULL CHECK (how IN (1, 2, 3)), -- 1 revealed, 2 copied, 3 handed over
    change  INTEGER NOT NULL                    -- the `change` that says who, when, and under which log entry
) STRICT;

CREATE INDEX exposure_by_field ON exposure (record, field);

-- Exposures that were deleted with their record or version: who saw something and when, and which write took it away. What
-- it was is nowhere; the log still says that it was, and must not be thought to say more than the tenant.
CREATE TABLE exposure_gone (
    change INTEGER NOT NULL,                    -- the `change` of the exposure
    gone   INTEGER NOT NULL,                    -- the `change` that deleted it
    PRIMARY KEY (change, gone)
) STRICT, WITHOUT ROWID;

-- Exports, each of which took every secret it could see from behind its mask at once: those of the versions of `version`
-- with a `change` up to `until`. Kept as exposures are.
CREATE TABLE export (
    change INTEGER PRIMARY KEY,                 -- the `change` that says who, when, and under which log entry
    until  INTEGER NOT NULL,                    -- the newest `change` it saw; 0 if there was none
    scope  INTEGER NOT NULL CHECK (scope IN (1, 2, 3)) -- 1 the newest versions, 2 all versions, both without the trash;
                                                       -- 3 all versions, the trash among them
) STRICT;

-- The days by which something of a record's newest version ends (fields of type expiry), so that reminders read no record.
CREATE TABLE expiry (
    day    TEXT NOT NULL,                       -- YYYY-MM-DD, the last on which it holds
    record INTEGER NOT NULL REFERENCES record (id),
    field  INTEGER NOT NULL,
    name   TEXT NOT NULL,                       -- what the person calls the field
    PRIMARY KEY (day, record, field)
) STRICT, WITHOUT ROWID;

CREATE INDEX expiry_by_record ON expiry (record);

-- Which records an account has marked for itself. No version of the record, and nobody else's business.
CREATE TABLE favourite (
    account BLOB NOT NULL CHECK (length(account) = 16),
    record  INTEGER NOT NULL REFERENCES record (id),
    PRIMARY KEY (account, record)
) STRICT, WITHOUT ROWID;

CREATE INDEX favourite_by_record ON favourite (record);

-- What an account was writing when it had to stop: one for each record, and one for a record not added yet. Not checked as
-- a version is, since it may be half written.
CREATE TABLE draft (
    id      INTEGER PRIMARY KEY,
    account BLOB NOT NULL CHECK (length(account) = 16),
    record  INTEGER REFERENCES record (id),     -- NULL: not added yet
    version INTEGER NOT NULL,                   -- the version it began from; 0 if the record is not added yet
    change  INTEGER NOT NULL,                   -- the `change` that kept it
    body    BLOB NOT NULL,                      -- deterministic CBOR
    UNIQUE (record, account)
) STRICT;

-- Tags of the newest versions; not of what is in the trash.
CREATE TABLE tag (
    record INTEGER NOT NULL REFERENCES record (id),
    folded TEXT NOT NULL,                       -- the tag, folded: by which tags are the same
    tag    TEXT NOT NULL,                       -- as written
    PRIMARY KEY (record, folded)
) STRICT, WITHOUT ROWID;

CREATE INDEX tag_by_name ON tag (folded);

-- Words of the newest versions, for searching; not of what is in the trash. No masked field's value goes in. The text
-- itself is not kept, only where each word occurs; rows are removed by their number alone. `marks` has a word for the
-- kind, for each field's name and for each tag, which no word of a text can be.
CREATE VIRTUAL TABLE search USING fts5 (
    title, fields, tags, notes, marks,
    tokenize = 'unicode61 remove_diacritics 2',
    prefix = '2 3',
    content = '',
    contentless_delete = 1
);

-- Leaves as large as a page of SQLCipher holds beside its HMAC; else each would take two pages.
INSERT INTO search (search, rank) VALUES ('pgsz', 3950);

-- Serial, telephone and other numbers of the newest versions, letters and digits only, one a line: any three characters
-- of them and more are found. Nothing of a masked field, nor of what is in the trash.
CREATE VIRTUAL TABLE number USING fts5 (
    value,
    tokenize = 'trigram case_sensitive 1',
    content = '',
    contentless_delete = 1
);

INSERT INTO number (number, rank) VALUES ('pgsz', 3950);
