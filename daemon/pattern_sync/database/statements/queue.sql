-- Statements of the reconcile. $1 to $7 are always the filter: min_confidence, min_occurrences, min_savings,
-- only_types, exclude_types, max_age_days, min_workflows. Their logic is in sql/reconcile.sql.

-- name: reconcile
-- Bring the entries of the given patterns ($8, row ids) up to date; returns one row a pattern with its outcome.
SELECT r.row_id, r.signature, r.outcome, r.reason
FROM pattern_sync.reconcile(
    $1::double precision, $2::bigint, $3::double precision::numeric, $4::text[], $5::text[],
    $6::double precision, $7::bigint,
    $8::text::bigint[]
) AS r;

-- name: notify_pages
-- Notify the review pages of what a reconcile has written: the patterns that it queued ($1) and refreshed ($2), or, if
-- $3, of everything.
SELECT
    pattern_sync.tell_changes('queued', $1::text[]),
    pattern_sync.tell_changes('refreshed', $2::text[]),
    CASE WHEN $3::boolean THEN pattern_sync.send('pattern_sync_queue', '*') END AS everything;

-- name: queue_missing
-- Queue what qualifies and has no entry, best impact first: at most $8 (NULL: all), including quarantined patterns if
-- $9, in lane $10 of $11, for about $12 seconds. If $13, it commits page by page; otherwise it writes only one page. It
-- continues the scan that began at $14 (NULL: now), and skips the row ids that were locked so far ($15).
CALL pattern_sync.queue_missing(
    $1::double precision, $2::bigint, $3::double precision::numeric, $4::text[], $5::text[],
    $6::double precision, $7::bigint,
    $8::bigint, $9::boolean, $10::integer, $11::integer, $12::double precision, $13::boolean,
    $14::timestamptz, $15::text[], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
);

-- name: preview_missing
-- What queue_missing would find: the counts, and of the patterns that it would queue, at most $8 (NULL: all) and
-- including quarantined ones if $9, how many there are and the first 200.
SELECT
    picked.candidates,
    picked.missing,
    pg_catalog.cardinality(picked.row_ids)::bigint AS listed,
    ARRAY(
        SELECT pattern_sync.legible(p.pattern_signature::text)
        FROM pg_catalog.unnest(picked.row_ids[1:200]) WITH ORDINALITY AS first (id, place)
        JOIN operation_patterns AS p ON p.id = first.id
        ORDER BY first.place
    ) AS signatures
FROM pattern_sync.pick_missing(
    $1::double precision, $2::bigint, $3::double precision::numeric, $4::text[], $5::text[],
    $6::double precision, $7::bigint,
    $8::bigint, $9::boolean, NULL, '{}', 0, 1
) AS picked;

-- name: refresh_stale
-- Refresh stale entries: the next $9 after the row id $8.
SELECT r.listed, r.refreshed, r.refreshed_signatures, r.last_id
FROM pattern_sync.refresh_stale(
    $1::double precision, $2::bigint, $3::double precision::numeric, $4::text[], $5::text[],
    $6::double precision, $7::bigint,
    $8::bigint, $9::bigint
) AS r;

-- name: count_stale
-- How many pending entries show outdated figures.
SELECT pg_catalog.count(*) AS stale
FROM pattern_sync.outdated(pattern_sync.pick_stale('-9223372036854775808'::bigint, NULL)) AS o
WHERE o.differs;

-- name: retry_refused
-- Try at most $8 quarantined patterns again.
SELECT r.tried, r.failed, r.refused, r.reasons, r.queued_signatures, r.refreshed_signatures
FROM pattern_sync.retry_refused(
    $1::double precision, $2::bigint, $3::double precision::numeric, $4::text[], $5::text[],
    $6::double precision, $7::bigint,
    $8::bigint
) AS r;

-- name: count_gone
-- How many pending entries of ours have lost their pattern: they are kept, as a person may still want them.
SELECT pattern_sync.count_gone() AS gone;

-- name: count_pending
-- How many entries are pending, and when the oldest was created, in seconds since 1970 (NULL: none has a time).
SELECT
    pg_catalog.count(*) AS pending,
    pg_catalog.date_part('epoch'::text, pg_catalog.min(a.created_at::timestamptz)) AS oldest_at
FROM pattern_approvals AS a
WHERE a.status::text = 'pending';
