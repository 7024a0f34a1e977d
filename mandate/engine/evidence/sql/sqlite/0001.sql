PRAGMA application_id = 0x4D414E44;

CREATE TABLE ledger (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    origin TEXT NOT NULL,
    created_at TEXT NOT NULL
) STRICT;

-- What entries are found and verified by, apart from their content: rows stay small, and looking through a
-- million of them touches no envelope.
CREATE TABLE entries (
    position INTEGER PRIMARY KEY CHECK (position >= 0),
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    recorded_at TEXT NOT NULL,
    leaf BLOB NOT NULL CHECK (length(leaf) = 32),
    subject TEXT NOT NULL,
    model TEXT,
    version TEXT,
    sha256 TEXT,
    outcome TEXT,
    action TEXT,
    environment TEXT,
    revision TEXT,
    request_key TEXT UNIQUE
) STRICT;

-- Each with the position: a page of what is looked for is read off the index, the newest first.
CREATE INDEX entries_kind ON entries (kind, position);
CREATE INDEX entries_model ON entries (model, position);
CREATE INDEX entries_sha256 ON entries (sha256, position);
CREATE INDEX entries_outcome ON entries (outcome, position);
CREATE INDEX entries_environment ON entries (environment, position);
CREATE INDEX entries_revision ON entries (revision, position);
CREATE INDEX entries_recorded_at ON entries (recorded_at, position);

CREATE TABLE envelopes (
    position INTEGER PRIMARY KEY REFERENCES entries (position),
    envelope BLOB NOT NULL
) STRICT;

-- Of what an entry names more than one: rules, controls, persons.
CREATE TABLE mentions (
    position INTEGER NOT NULL REFERENCES entries (position),
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (position, kind, name)
) STRICT, WITHOUT ROWID;

CREATE INDEX mentions_name ON mentions (kind, name, position);

-- The Merkle tree's complete nodes of level 1 and above, each by the entry that completed it.
CREATE TABLE nodes (
    position INTEGER NOT NULL REFERENCES entries (position),
    level INTEGER NOT NULL CHECK (level > 0),
    hash BLOB NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (position, level)
) STRICT, WITHOUT ROWID;

CREATE TABLE heads (
    size INTEGER PRIMARY KEY CHECK (size > 0),
    checkpoint BLOB NOT NULL
) STRICT;

CREATE TABLE cosignatures (
    size INTEGER NOT NULL REFERENCES heads (size),
    number INTEGER NOT NULL,
    line BLOB NOT NULL,
    PRIMARY KEY (size, number)
) STRICT, WITHOUT ROWID;

-- INSERT OR REPLACE deletes the row that stands in its way, and no delete trigger fires for it unless
-- recursive_triggers is on. So whatever is there already must be refused here.
CREATE TRIGGER ledger_once BEFORE INSERT ON ledger BEGIN
    SELECT RAISE(ABORT, 'the ledger has its name already') WHERE EXISTS (SELECT 1 FROM ledger);
END;

CREATE TRIGGER entries_append BEFORE INSERT ON entries BEGIN
    SELECT RAISE(ABORT, 'entries are appended without gaps')
    WHERE NEW.position IS NOT (SELECT coalesce(max(position) + 1, 0) FROM entries);
    SELECT RAISE(ABORT, 'the id is recorded already') WHERE EXISTS (SELECT 1 FROM entries WHERE id = NEW.id);
    SELECT RAISE(ABORT, 'the request is answered already')
    WHERE EXISTS (SELECT 1 FROM entries WHERE request_key = NEW.request_key);
END;

CREATE TRIGGER envelopes_append BEFORE INSERT ON envelopes BEGIN
    SELECT RAISE(ABORT, 'the entry has its envelope already')
    WHERE EXISTS (SELECT 1 FROM envelopes WHERE position = NEW.position);
END;

CREATE TRIGGER mentions_append BEFORE INSERT ON mentions BEGIN
    SELECT RAISE(ABORT, 'the entry is under a signed head already')
    WHERE NEW.position < (SELECT max(size) FROM heads);
    SELECT RAISE(ABORT, 'the entry mentions it already')
    WHERE EXISTS (
        SELECT 1 FROM mentions WHERE position = NEW.position AND kind = NEW.kind AND name = NEW.name
    );
END;

CREATE TRIGGER nodes_append BEFORE INSERT ON nodes BEGIN
    SELECT RAISE(ABORT, 'the entry is under a signed head already')
    WHERE NEW.position < (SELECT max(size) FROM heads);
    SELECT RAISE(ABORT, 'the node is there already')
    WHERE EXISTS (SELECT 1 FROM nodes WHERE position = NEW.position AND level = NEW.level);
END;

CREATE TRIGGER heads_append BEFORE INSERT ON heads BEGIN
    SELECT RAISE(ABORT, 'a head covers all entries, and more than the one before it')
    WHERE NEW.size IS NOT (SELECT max(position) + 1 FROM entries)
       OR NEW.size <= (SELECT coalesce(max(size), 0) FROM heads);
END;

CREATE TRIGGER cosignatures_append BEFORE INSERT ON cosignatures BEGIN
    SELECT RAISE(ABORT, 'the witness has signed this head already')
    WHERE EXISTS (
        SELECT 1 FROM cosignatures WHERE size = NEW.size AND (number = NEW.number OR line = NEW.line)
    );
END;

CREATE TRIGGER ledger_no_update BEFORE UPDATE ON ledger BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_no_delete BEFORE DELETE ON ledger BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER envelopes_no_update BEFORE UPDATE ON envelopes BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER envelopes_no_delete BEFORE DELETE ON envelopes BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER mentions_no_update BEFORE UPDATE ON mentions BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER mentions_no_delete BEFORE DELETE ON mentions BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER nodes_no_update BEFORE UPDATE ON nodes BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER nodes_no_delete BEFORE DELETE ON nodes BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER heads_no_update BEFORE UPDATE ON heads BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER heads_no_delete BEFORE DELETE ON heads BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER cosignatures_no_update BEFORE UPDATE ON cosignatures BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER cosignatures_no_delete BEFORE DELETE ON cosignatures BEGIN
    SELECT RAISE(ABORT, 'the ledger is append-only');
END;

PRAGMA user_version = 1;
