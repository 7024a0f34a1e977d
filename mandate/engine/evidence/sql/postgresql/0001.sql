CREATE TABLE migrations (
    number integer PRIMARY KEY CHECK (number > 0)
);

CREATE TABLE ledger (
    one integer PRIMARY KEY CHECK (one = 1),
    origin text NOT NULL,
    created_at text NOT NULL
);

-- What entries are found and verified by, apart from their content: rows stay small, and looking through a
-- million of them touches no envelope. Ids and times sort by their bytes, whatever the database's language.
CREATE TABLE entries (
    position bigint PRIMARY KEY CHECK (position >= 0),
    id text COLLATE "C" NOT NULL UNIQUE,
    kind text NOT NULL,
    recorded_at text COLLATE "C" NOT NULL,
    leaf bytea NOT NULL CHECK (length(leaf) = 32),
    subject text NOT NULL,
    model text,
    version text,
    sha256 text,
    outcome text,
    action text,
    environment text,
    revision text,
    request_key text UNIQUE
);

-- Each with the position: a page of what is looked for is read off the index, the newest first.
CREATE INDEX entries_kind ON entries (kind, position);
CREATE INDEX entries_model ON entries (model, position);
CREATE INDEX entries_sha256 ON entries (sha256, position);
CREATE INDEX entries_outcome ON entries (outcome, position);
CREATE INDEX entries_environment ON entries (environment, position);
CREATE INDEX entries_revision ON entries (revision, position);
CREATE INDEX entries_recorded_at ON entries (recorded_at, position);

CREATE TABLE envelopes (
    position bigint PRIMARY KEY REFERENCES entries (position),
    envelope bytea NOT NULL
);

-- Of what an entry names more than one: rules, controls, persons.
CREATE TABLE mentions (
    position bigint NOT NULL REFERENCES entries (position),
    kind text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    PRIMARY KEY (position, kind, name)
);

CREATE INDEX mentions_name ON mentions (kind, name, position);

-- The Merkle tree's complete nodes of level 1 and above, each by the entry that completed it.
CREATE TABLE nodes (
    position bigint NOT NULL REFERENCES entries (position),
    level integer NOT NULL CHECK (level > 0),
    hash bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (position, level)
);

CREATE TABLE heads (
    size bigint PRIMARY KEY CHECK (size > 0),
    checkpoint bytea NOT NULL
);

CREATE TABLE cosignatures (
    size bigint NOT NULL REFERENCES heads (size),
    number integer NOT NULL,
    line bytea NOT NULL,
    PRIMARY KEY (size, number),
    UNIQUE (size, line)
);

-- The functions of the guards look for tables in the ledger first. Left to the caller, the search begins with
-- its temporary tables, and a guard would look at an empty `heads` of the writer's own.
CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql
SET search_path = mandate, pg_catalog, pg_temp AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only' USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE FUNCTION entries_append() RETURNS trigger LANGUAGE plpgsql
SET search_path = mandate, pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.position IS DISTINCT FROM (SELECT coalesce(max(position) + 1, 0) FROM entries) THEN
        RAISE EXCEPTION 'entries are appended without gaps' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    IF EXISTS (SELECT 1 FROM entries WHERE id = NEW.id) THEN
        RAISE EXCEPTION 'the id is recorded already' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION parts_append() RETURNS trigger LANGUAGE plpgsql
SET search_path = mandate, pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.position < (SELECT max(size) FROM heads) THEN
        RAISE EXCEPTION 'the entry is under a signed head already'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE FUNCTION heads_append() RETURNS trigger LANGUAGE plpgsql
SET search_path = mandate, pg_catalog, pg_temp AS $$
BEGIN
    IF NEW.size IS DISTINCT FROM (SELECT max(position) + 1 FROM entries)
       OR NEW.size <= (SELECT coalesce(max(size), 0) FROM heads) THEN
        RAISE EXCEPTION 'a head covers all entries, and more than the one before it'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END
$$;

CREATE TRIGGER entries_append BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION entries_append();
CREATE TRIGGER envelopes_append BEFORE INSERT ON envelopes FOR EACH ROW EXECUTE FUNCTION parts_append();
CREATE TRIGGER mentions_append BEFORE INSERT ON mentions FOR EACH ROW EXECUTE FUNCTION parts_append();
CREATE TRIGGER nodes_append BEFORE INSERT ON nodes FOR EACH ROW EXECUTE FUNCTION parts_append();
CREATE TRIGGER heads_append BEFORE INSERT ON heads FOR EACH ROW EXECUTE FUNCTION heads_append();

CREATE TRIGGER migrations_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON migrations
    EXECUTE FUNCTION append_only();
CREATE TRIGGER ledger_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger
    EXECUTE FUNCTION append_only();
CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
    EXECUTE FUNCTION append_only();
CREATE TRIGGER envelopes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON envelopes
    EXECUTE FUNCTION append_only();
CREATE TRIGGER mentions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON mentions
    EXECUTE FUNCTION append_only();
CREATE TRIGGER nodes_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON nodes
    EXECUTE FUNCTION append_only();
CREATE TRIGGER heads_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON heads
    EXECUTE FUNCTION append_only();
CREATE TRIGGER cosignatures_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON cosignatures
    EXECUTE FUNCTION append_only();

INSERT INTO migrations (number) VALUES (1);
