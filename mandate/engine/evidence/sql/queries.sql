-- What both databases are asked, in the same words.

-- name: origin()$
SELECT origin FROM ledger;

-- name: found(origin, created_at)!
INSERT INTO ledger (one, origin, created_at) VALUES (1, :origin, :created_at);

-- name: created_at()$
SELECT created_at FROM ledger;

-- name: latest()$
-- Not that of the last entry, if a clock was set back. Ids begin with the time, and have an index.
SELECT recorded_at FROM entries ORDER BY id DESC LIMIT 1;

-- name: count()$
SELECT coalesce(max(position) + 1, 0) FROM entries;

-- name: newest()^
SELECT position, leaf FROM entries ORDER BY position DESC LIMIT 1;

-- name: at(position)^
SELECT e.position, e.id, e.kind, e.recorded_at, e.leaf, v.envelope,
       e.subject, e.model, e.version, e.sha256, e.outcome, e.action, e.environment, e.revision, e.request_key
FROM entries AS e LEFT JOIN envelopes AS v ON v.position = e.position
WHERE e.position = :position;

-- name: requested(request_key)^
SELECT e.position, e.id, e.kind, e.recorded_at, e.leaf, v.envelope,
       e.subject, e.model, e.version, e.sha256, e.outcome, e.action, e.environment, e.revision, e.request_key
FROM entries AS e LEFT JOIN envelopes AS v ON v.position = e.position
WHERE e.request_key = :request_key;

-- name: between(first, end, most)
SELECT e.position, e.id, e.kind, e.recorded_at, e.leaf, v.envelope,
       e.subject, e.model, e.version, e.sha256, e.outcome, e.action, e.environment, e.revision, e.request_key
FROM entries AS e LEFT JOIN envelopes AS v ON v.position = e.position
WHERE e.id >= :first AND e.id < :end ORDER BY e.id LIMIT :most;

-- name: page(start, most)
SELECT e.position, e.id, e.kind, e.recorded_at, e.leaf, v.envelope,
       e.subject, e.model, e.version, e.sha256, e.outcome, e.action, e.environment, e.revision, e.request_key
FROM entries AS e LEFT JOIN envelopes AS v ON v.position = e.position
WHERE e.position >= :start ORDER BY e.position LIMIT :most;

-- name: of_kind(kind, start, most)
SELECT e.position, e.id, e.kind, e.recorded_at, e.leaf, v.envelope,
       e.subject, e.model, e.version, e.sha256, e.outcome, e.action, e.environment, e.revision, e.request_key
FROM entries AS e LEFT JOIN envelopes AS v ON v.position = e.position
WHERE e.kind = :kind AND e.position >= :start ORDER BY e.position LIMIT :most;

-- name: latest_of_kind(kind)$
SELECT coalesce(max(position), -1) FROM entries WHERE kind = :kind;

-- name: span(since, until)^
-- Clocks go back, so that the entries of a time are not all that stand between its first and its last one.
SELECT min(position), max(position) FROM entries WHERE recorded_at >= :since AND recorded_at < :until;

-- name: mentions(first, last)
SELECT position, kind, name FROM mentions
WHERE position BETWEEN :first AND :last ORDER BY position, kind, name;

-- name: place_of(id)^
SELECT position, leaf FROM entries WHERE id = :id;

-- name: place_of_request(request_key)^
SELECT position, id FROM entries WHERE request_key = :request_key;

-- name: leaf(position)$
SELECT leaf FROM entries WHERE position = :position;

-- name: node(position, level)$
SELECT hash FROM nodes WHERE position = :position AND level = :level;

-- name: nodes(start, level, most)
-- The next ones after a node.
SELECT position, level, hash FROM nodes
WHERE (position, level) > (:start, :level) ORDER BY position, level LIMIT :most;

-- name: head()^
SELECT size, checkpoint FROM heads ORDER BY size DESC LIMIT 1;

-- name: head_over(position)^
SELECT size, checkpoint FROM heads WHERE size > :position ORDER BY size LIMIT 1;

-- name: heads(start, most)
SELECT size, checkpoint FROM heads WHERE size >= :start ORDER BY size LIMIT :most;

-- name: cosignatures(size)
SELECT line FROM cosignatures WHERE size = :size ORDER BY number;

-- name: cosigned(size, number, most)
SELECT size, number, line FROM cosignatures WHERE (size, number) > (:size, :number)
ORDER BY size, number LIMIT :most;

-- name: append_entry(position, id, kind, recorded_at, leaf, subject, model, version, sha256, outcome, action, environment, revision, request_key)!
INSERT INTO entries (position, id, kind, recorded_at, leaf, subject, model, version, sha256, outcome, action,
                     environment, revision, request_key)
VALUES (:position, :id, :kind, :recorded_at, :leaf, :subject, :model, :version, :sha256, :outcome, :action,
        :environment, :revision, :request_key);

-- name: append_envelope(position, envelope)!
INSERT INTO envelopes (position, envelope) VALUES (:position, :envelope);

-- name: append_mentions(position, kind, name)*!
INSERT INTO mentions (position, kind, name) VALUES (:position, :kind, :name);

-- name: append_nodes(position, level, hash)*!
INSERT INTO nodes (position, level, hash) VALUES (:position, :level, :hash);

-- name: append_head(size, checkpoint)!
INSERT INTO heads (size, checkpoint) VALUES (:size, :checkpoint);

-- name: append_cosignature(size, line)!
INSERT INTO cosignatures (size, number, line)
SELECT :size, coalesce(max(number) + 1, 0), :line FROM cosignatures WHERE size = :size;

-- name: ids_twice()
SELECT id FROM entries GROUP BY id HAVING count(*) > 1 ORDER BY id LIMIT 20;

-- name: before_the_first()
SELECT position FROM entries WHERE position < 0 ORDER BY position LIMIT 20;

-- name: strays()
SELECT 'envelope', position FROM envelopes WHERE position NOT IN (SELECT position FROM entries)
UNION ALL SELECT 'mention', position FROM mentions WHERE position NOT IN (SELECT position FROM entries)
UNION ALL SELECT 'node', position FROM nodes WHERE position NOT IN (SELECT position FROM entries)
UNION ALL SELECT 'cosignature', size FROM cosignatures WHERE size NOT IN (SELECT size FROM heads)
ORDER BY 2, 1 LIMIT 20;
