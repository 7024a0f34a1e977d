-- What only SQLite is asked.

-- name: application_id()$
PRAGMA application_id;

-- name: version()$
PRAGMA user_version;

-- name: schema()
SELECT name, sql FROM sqlite_schema WHERE type <> 'index' AND name NOT GLOB 'sqlite_*';
