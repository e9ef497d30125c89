-- Statements of decisions: made together or alone, taken back, and remembered.

-- name: decide_many
-- Decide some patterns ($1): status ($2), action in the history ($3), mark on the patterns ($4), reviewer ($5), notes
-- ($6), the status to be replaced ($7), what the reviewer saw ($8, JSON). It waits for locks ($9), or writes nothing
-- ($10). Each has an outcome.
SELECT d.batch_id, d.pattern_id, d.outcome, d.status, d.reviewed_by, d.reviewed_at, d.savings, d.detail
FROM pattern_sync.decide_many(
    $1::text[], $2::text, $3::text, $4::text, $5::text, $6::text, $7::text, $8::text::jsonb, $9::boolean, $10::boolean
) AS d
ORDER BY d.place;

-- name: undo_batch
-- Undo a batch ($1) in somebody's name ($2). Each of its decisions that is not undone yet has an outcome.
SELECT u.pattern_id, u.outcome, u.detail
FROM pattern_sync.undo_batch($1::bigint, $2::text) AS u
ORDER BY u.pattern_id;

-- name: batches
-- The last batches, newest first, at most $3: those of one reviewer ($1, NULL: all), or the one with an id ($2).
SELECT
    b.id,
    b.decision,
    pattern_sync.legible(b.reviewer) AS reviewer,
    pattern_sync.legible(b.reason) AS reason,
    b.decided_at,
    counted.items,
    b.undone_at,
    pattern_sync.legible(b.undone_by) AS undone_by,
    counted.left_over > 0::bigint AND b.decided_at > pg_catalog.now() - '7 days'::interval AS undoable
FROM (
    SELECT f.*
    FROM pattern_sync.batches AS f
    WHERE ($1::text IS NULL OR f.reviewer = $1::text) AND ($2::bigint IS NULL OR f.id = $2::bigint)
    ORDER BY f.id DESC
    LIMIT $3::bigint
) AS b
CROSS JOIN LATERAL (
    SELECT pg_catalog.count(*) AS items, pg_catalog.count(*) FILTER (WHERE i.undone_at IS NULL) AS left_over
    FROM pattern_sync.batch_items AS i
    WHERE i.batch_id = b.id
) AS counted
ORDER BY b.id DESC;

-- name: decision_log
-- The last decisions of the record, newest first, at most $3 after the first $4: those of one reviewer ($1, NULL: all)
-- since a moment ($2, NULL: ever).
SELECT
    pattern_sync.legible(d.pattern_id) AS pattern_id,
    d.decision,
    pattern_sync.legible(d.reviewer) AS reviewer,
    d.decided_at,
    d.replaced,
    pattern_sync.legible(b.reason) AS reason,
    d.batch_id,
    d.undone_at,
    (d.shown -> 'figures'::text ->> 'savings'::text)::double precision AS savings_usd
FROM (
    SELECT f.*
    FROM pattern_sync.decisions AS f
    WHERE ($1::text IS NULL OR f.reviewer = $1::text) AND ($2::timestamptz IS NULL OR f.decided_at >= $2::timestamptz)
    ORDER BY f.decided_at DESC, f.id DESC
    LIMIT $3::bigint OFFSET $4::bigint
) AS d
LEFT JOIN LATERAL (SELECT f.reason FROM pattern_sync.batches AS f WHERE f.id = d.batch_id LIMIT 1) AS b ON true
ORDER BY d.decided_at DESC, d.id DESC;

-- name: decided_since
-- How many decisions each person has made since a moment ($1; NULL: since midnight in the session's zone) that were not
-- undone. Those of rules are no person's.
SELECT pattern_sync.legible(d.reviewer) AS reviewer, pg_catalog.count(*) AS decided
FROM pattern_sync.decisions AS d
WHERE d.decided_at >= coalesce($1::timestamptz, pg_catalog.date_trunc('day', pg_catalog.now()))
  AND d.undone_at IS NULL
  AND d.decision IN ('approved', 'rejected')
GROUP BY d.reviewer
ORDER BY decided DESC, reviewer;

-- name: snooze
-- Put a pending entry ($1) off until a time ($2; NULL: no time), or until its savings have doubled ($3), in somebody's
-- name ($4) and for a reason ($5).
SELECT pattern_sync.snooze($1::text, $2::timestamptz, $3::boolean, $4::text, $5::text) AS outcome;

-- name: wake
-- End the snooze of an entry ($1).
SELECT pattern_sync.wake($1::text) AS woken;
