-- Statements of the review: what people see of the queue, and what they do.

-- name: entries
-- The entries of some patterns ($1) as people see them, best impact first.
SELECT
    e.pattern_id, e.tool_sequence, e.status, e.confidence_score, e.occurrence_count, e.estimated_savings_usd,
    e.impact_score, e.pattern_context, e.example_sessions, e.reviewed_by, e.reviewed_at, e.approval_notes,
    e.created_at, e.evidence, e.snooze, e.mark, e.likelihood, e.folded,
    e.from_pattern
FROM pattern_sync.shown_entries($1::text[]) AS e
ORDER BY e.impact_score DESC, e.pattern_id;

-- name: listed
-- A list of entries: those with a status ($1; NULL: any) that meet what is wanted ($2: an object as JSON; NULL:
-- anything), snoozed ones too, never or only ($3), changed since a time ($4; NULL: ever), in the order of a sort ($5),
-- backwards or not ($6), after a rank and name ($7, $8; NULL: the start) and $9 entries more, at most $10. Returns what
-- was found with its rank; an entry that no longer has the status is NULL.
WITH found AS MATERIALIZED (
    SELECT l.pattern_id, l.rank, l.place
    FROM pattern_sync.list(
        $1::text, $2::text::jsonb, $3::text, $4::timestamptz,
        $5::text, $6::boolean, $7::double precision, $8::text, $9::bigint, $10::bigint
    ) WITH ORDINALITY AS l (pattern_id, rank, place)
)
SELECT
    found.rank,
    pattern_sync.legible(found.pattern_id) AS found_id,
    e.pattern_id, e.tool_sequence, e.status, e.confidence_score, e.occurrence_count, e.estimated_savings_usd,
    e.impact_score, e.pattern_context, e.example_sessions, e.reviewed_by, e.reviewed_at, e.approval_notes,
    e.created_at, e.evidence, e.snooze, e.mark, e.likelihood, e.folded,
    e.from_pattern
FROM found
LEFT JOIN pattern_sync.shown_entries(ARRAY(SELECT f.pattern_id FROM found AS f ORDER BY f.place)) AS e
    ON e.place = found.place AND ($1::text IS NULL OR e.status = $1::text)
ORDER BY found.place;

-- name: prepare_to_find
-- Make what is found as new as can be had, by bringing the traits up to date: of a short queue, and of any if $1.
-- Returns whether every entry can be found by other means than its status and impact.
SELECT pattern_sync.prepare_to_find($1::boolean) AS can_find;

-- name: count_listed
-- How many entries a list has in all: $1 to $4 as for `listed`. NULL if that cannot be said yet.
SELECT CASE
    WHEN pattern_sync.can_find() THEN pattern_sync.count_found($1::text, $2::text::jsonb, $3::text, $4::timestamptz)
END AS total;

-- name: listed_ids
-- The names of what a list finds: the parameters of `listed`.
SELECT pattern_sync.legible(l.pattern_id) AS pattern_id
FROM pattern_sync.list(
    $1::text, $2::text::jsonb, $3::text, $4::timestamptz,
    $5::text, $6::boolean, $7::double precision, $8::text, $9::bigint, $10::bigint
) AS l;

-- name: sum_listed
-- How many entries a list has in all, and their savings, claimed and by evidence: $1 to $4 as for `listed`.
SELECT f.entries, f.savings, f.evidence
FROM pattern_sync.sum_found($1::text, $2::text::jsonb, $3::text, $4::timestamptz) AS f;

-- name: groups
-- The groups of a list ($1 to $4 as for `listed`) by kind, shape, target or flag ($5), at most $6.
SELECT
    pattern_sync.legible(g.key) AS key,
    g.entries, g.savings, g.evidence, g.min_savings, g.max_savings, g.min_confidence, g.max_confidence,
    g.flags, g.approved_before, g.decided_before, g.total
FROM pattern_sync.grouped($1::text, $2::text::jsonb, $3::text, $4::timestamptz, $5::text, $6::bigint) AS g;

-- name: of_the_same_kind
-- One entry ($1) and those of its kind with a status ($2), at most $3 in all, with the shapes of their tools.
SELECT pattern_sync.legible(k.pattern_id) AS pattern_id, pattern_sync.legible(k.shape) AS shape
FROM pattern_sync.of_the_same_kind($1::text, $2::text, $3::bigint) AS k;

-- name: keep_traits
-- Bring the traits of some entries ($1; NULL: all) up to date, at most $2. Returns how many were written or removed;
-- NULL if another daemon is at work on all of them.
SELECT pattern_sync.keep_traits($1::text[], $2::bigint) AS kept;

-- name: queue_counts
-- How many entries the queue has in each status, and the savings of the pending ones, in USD a month: as claimed, and
-- as far as they are shown. Each claim is added in whole cents, so that the sum does not depend on the order, and 0.85
-- stored as REAL counts as 0.85; a conversion through text would take longer than all the rest.
SELECT
    pg_catalog.count(*) FILTER (WHERE a.status::text = 'pending') AS pending,
    pg_catalog.count(*) FILTER (WHERE a.status::text = 'approved') AS approved,
    pg_catalog.count(*) FILTER (WHERE a.status::text = 'rejected') AS rejected,
    pg_catalog.count(*) FILTER (WHERE a.status::text = 'auto-approved') AS auto_approved,
    pg_catalog.count(*) FILTER (WHERE a.status::text = 'auto-rejected') AS auto_rejected,
    pg_catalog.count(*) AS total,
    coalesce(
        pg_catalog.sum(pg_catalog.round(a.estimated_savings_usd::double precision * 100::double precision)) FILTER (
            WHERE a.status::text = 'pending'
              AND a.estimated_savings_usd::double precision > '-1e30'::double precision
              AND a.estimated_savings_usd::double precision < '1e30'::double precision
        ) / 100::double precision,
        0::double precision
    ) AS claimed_usd,
    pattern_sync.shown_savings() AS shown_usd
FROM pattern_approvals AS a;

-- name: queue_fingerprint
-- A value that changes with every change of an entry or of the history; read while notifications do not arrive.
SELECT pg_catalog.concat_ws(
    '/',
    (SELECT pg_catalog.count(*) FROM pattern_approvals),
    (
        SELECT pg_catalog.sum(pg_catalog.hashtextextended(a.pattern_id::text, a.xmin::text::bigint)::numeric)
        FROM pattern_approvals AS a
    ),
    (SELECT pg_catalog.count(*) FROM pattern_review_history)
) AS fingerprint;

-- name: history
-- Decisions and comments on one pattern ($1), oldest first.
SELECT
    h.action::text AS action,
    pattern_sync.legible(h.reviewer::text) AS reviewer,
    pattern_sync.legible(h.notes::text) AS notes,
    pattern_sync.moment(h.created_at::timestamptz) AS created_at
FROM pattern_review_history AS h
WHERE h.pattern_id::text = $1::text
ORDER BY h.created_at, h.ctid;

-- name: comment
-- Write a reviewer's ($2) comment ($3) on one pattern ($1). Returns false if the queue has no such entry, NULL if a
-- trigger, rule or policy of the application kept the comment out.
SELECT pattern_sync.remark($1::text, $2::text, $3::text) AS noted;
