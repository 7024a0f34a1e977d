-- What only PostgreSQL is asked.

-- name: begin()!
BEGIN ISOLATION LEVEL READ COMMITTED;

-- name: begin_snapshot()!
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;

-- name: commit()!
COMMIT;

-- name: rollback()!
ROLLBACK;

-- name: take_turn()^
-- Writers take turns, until the transaction ends. Who does not ask is kept from forking the tree by its keys.
SELECT pg_advisory_xact_lock(hashtext('mandate.ledger'), hashtext(current_schema()::text));

-- name: version()$
SELECT coalesce(max(number), 0) FROM migrations;

-- name: has_ledger()$
SELECT to_regclass('migrations') IS NOT NULL;

-- name: has_schema(name)$
SELECT EXISTS (SELECT 1 FROM pg_namespace WHERE nspname = :name);

-- name: durability()^
SELECT current_setting('fsync'), current_setting('full_page_writes'), current_setting('synchronous_commit');

-- name: in_recovery()$
SELECT pg_is_in_recovery();

-- name: objects()
-- The guards and what they guard: triggers with their functions, constraints, columns, rules, policies. A table
-- that is not logged is empty after a crash, and one that others inherit from shows their rows as its own.
SELECT 'trigger ' || t.tgname,
       pg_get_triggerdef(t.oid) || ' ' || t.tgenabled::text || ' ' || coalesce(array_to_string(p.proconfig, ' '), '')
       || ' ' || p.prosrc
FROM pg_trigger AS t
JOIN pg_class AS c ON c.oid = t.tgrelid
JOIN pg_proc AS p ON p.oid = t.tgfoid
WHERE c.relnamespace = current_schema()::regnamespace AND NOT t.tgisinternal
UNION ALL
SELECT 'constraint ' || o.conname, pg_get_constraintdef(o.oid) || ' ' || o.convalidated::text
FROM pg_constraint AS o
WHERE o.connamespace = current_schema()::regnamespace AND o.contype <> 'n'
UNION ALL
SELECT 'relation ' || c.relname,
       c.relkind::text || c.relpersistence::text || ' ' || c.relrowsecurity::text || ' ' ||
       (SELECT count(*) FROM pg_inherits AS i WHERE i.inhparent = c.oid OR i.inhrelid = c.oid)::text
FROM pg_class AS c
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind NOT IN ('i', 'I', 't')
UNION ALL
SELECT 'column ' || c.relname || '.' || a.attname,
       format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
       || CASE WHEN a.atthasdef THEN ' WITH A DEFAULT' ELSE '' END
FROM pg_attribute AS a
JOIN pg_class AS c ON c.oid = a.attrelid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND a.attnum > 0
      AND NOT a.attisdropped
UNION ALL
SELECT 'rule ' || r.rulename, pg_get_ruledef(r.oid)
FROM pg_rewrite AS r
JOIN pg_class AS c ON c.oid = r.ev_class
WHERE c.relnamespace = current_schema()::regnamespace
UNION ALL
SELECT 'policy ' || y.polname, c.relname
FROM pg_policy AS y
JOIN pg_class AS c ON c.oid = y.polrelid
WHERE c.relnamespace = current_schema()::regnamespace
ORDER BY 1;
