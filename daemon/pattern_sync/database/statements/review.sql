-- Statements of the review: what people see of the queue, and what they do.

-- name: entries
-- Entries as people see them, best impact first, at most $5: those with one status ($1, NULL: any) that follow a place
-- in that order ($2 impact, $3 pattern id; NULL: the start), or those with some pattern ids ($4, NULL: any).
--
-- Figures are converted through text: 0.85 stored as REAL is 0.85 to a person, not 0.8500000238418579. Times without a
-- zone are in the session's zone, as for the application that wrote them. Whether an entry comes from a pattern, and
-- the evidence of it, are looked up only for the entries that are returned.
WITH page AS MATERIALIZED (
    SELECT entry.*
    FROM (
        SELECT
            pattern_sync.legible(a.pattern_id::text) AS pattern_id,
            pattern_sync.legible(a.tool_sequence::text) AS tool_sequence,
            a.status::text AS status,
            figures.confidence AS confidence_score,
            a.occurrence_count::bigint AS occurrence_count,
            figures.savings AS estimated_savings_usd,
            pattern_sync.impact(
                figures.confidence, a.occurrence_count::bigint, figures.savings::numeric
            ) AS impact_score,
            pattern_sync.legible(a.pattern_context::text) AS pattern_context,
            pattern_sync.legible(a.example_sessions::text) AS example_sessions,
            pattern_sync.legible(a.reviewed_by::text) AS reviewed_by,
            pattern_sync.moment(a.reviewed_at::timestamptz) AS reviewed_at,
            pattern_sync.legible(a.approval_notes::text) AS approval_notes,
            pattern_sync.moment(a.created_at::timestamptz) AS created_at
        FROM pattern_approvals AS a
        CROSS JOIN LATERAL (
            SELECT
                pattern_sync.figure(a.confidence_score::text::numeric)::double precision AS confidence,
                pattern_sync.figure(a.estimated_savings_usd::text::numeric)::double precision AS savings
        ) AS figures
        WHERE ($1::text IS NULL OR a.status::text = $1::text)
          AND ($4::text[] IS NULL OR a.pattern_id::text = ANY ($4::text[]))
    ) AS entry
    WHERE $2::double precision IS NULL
       OR entry.impact_score < $2::double precision
       OR (entry.impact_score = $2::double precision AND entry.pattern_id > $3::text)
    ORDER BY entry.impact_score DESC, entry.pattern_id
    LIMIT $5::bigint
)
SELECT
    page.*,
    (shown.evidence -> page.pattern_id)::text AS evidence,
    pattern_sync.is_from_pattern(page.pattern_id) AS from_pattern
FROM page
CROSS JOIN pattern_sync.evidence_by_signature(ARRAY(SELECT p.pattern_id FROM page AS p)) AS shown (evidence)
ORDER BY page.impact_score DESC, page.pattern_id;

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
