-- The log of a vault. Every blob is ciphertext, a hash or a MAC; layouts are in docs/FORMAT.md §6.

-- Which vault's log this is.
CREATE TABLE log (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  vault BLOB NOT NULL CHECK (length(vault) = 16)
) STRICT;

-- A stretch of the log with a MAC chain of its own. A restored vault begins a new one.
CREATE TABLE segment (
  first      INTEGER PRIMARY KEY,                           -- index of its first entry
  root       BLOB NOT NULL CHECK (length(root) = 32),       -- root of the tree over all entries before it
  sealed_key BLOB NOT NULL                                  -- its first MAC key, sealed to the audit key
) STRICT;

-- A sealing session: at most 1,000 entries of one process.
CREATE TABLE context (
  first  INTEGER PRIMARY KEY,                               -- index of its first entry
  header BLOB NOT NULL                                      -- encapsulation and commitment
) STRICT;

CREATE TABLE entry (
  idx     INTEGER PRIMARY KEY,                              -- from 0, without holes
  leaf    BLOB NOT NULL CHECK (length(leaf) = 32),          -- SHA-256(label, blind, plaintext)
  nodes   BLOB NOT NULL CHECK (length(nodes) % 32 = 0),     -- tree nodes this entry completes, lowest first
  context INTEGER NOT NULL,                                 -- the context it is sealed in
  number  INTEGER NOT NULL,                                 -- its number in that context
  tag     BLOB CHECK (length(tag) = 16),                    -- of a write: matched with its effect
  mac     BLOB NOT NULL CHECK (length(mac) = 32),
  sealed  BLOB NOT NULL                                     -- blind and plaintext
) STRICT;

CREATE TABLE checkpoint (
  size INTEGER PRIMARY KEY,                                 -- how many entries it covers
  at   INTEGER NOT NULL,                                    -- when, milliseconds since 1970
  note TEXT NOT NULL                                        -- the signed note
) STRICT;

-- Failed unlocks: how many were logged one by one lately, and how many only counted.
CREATE TABLE failures (
  id           INTEGER PRIMARY KEY CHECK (id = 1),
  window_start INTEGER NOT NULL,                            -- when the window began, milliseconds since 1970
  logged       INTEGER NOT NULL,                            -- logged one by one in this window
  uncounted    INTEGER NOT NULL,                            -- since then, in no entry yet
  total        INTEGER NOT NULL                             -- since the log began
) STRICT;
