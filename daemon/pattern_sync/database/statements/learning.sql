-- Learning: what decisions teach, and what is foretold of entries.

-- name: newest_model
-- How many lessons there are, how many of them are approvals, and the newest model; its id is NULL if there is none.
SELECT
    counted.lessons, counted.approved, m.id, m.trained_at, m.lessons AS learned, m.model, m.digest,
    m.gate::text AS gate, m.shown
FROM (
    SELECT
        pg_catalog.count(DISTINCT l.lesson) AS lessons,
        pg_catalog.count(DISTINCT l.lesson) FILTER (WHERE l.approved) AS approved
    FROM pattern_sync.people_decided() AS l
) AS counted
LEFT JOIN pattern_sync.newest_model() AS m ON true;

-- name: shows_likelihoods
-- Whether entries have likelihoods.
SELECT pattern_sync.shows_likelihoods() AS shown;

-- name: lessons
-- What people's last $1 decisions teach.
SELECT
    each.approved, each.confidence, each.occurrences, each.savings, each.evidence,
    each.workflows, each.days_seen, each.kind, each.target, each.shape
FROM (
    SELECT DISTINCT ON (l.lesson)
        l.lesson, l.approved, l.decided_at, l.confidence / 100::double precision AS confidence,
        coalesce(l.occurrences, 0::bigint) AS occurrences, l.savings, l.evidence,
        l.workflows::double precision AS workflows, l.days_seen,
        pattern_sync.legible(l.kind) AS kind, pattern_sync.legible(l.target) AS target,
        coalesce(pattern_sync.legible(l.shape), '') AS shape
    FROM pattern_sync.people_decided() AS l
    WHERE l.confidence IS NOT NULL AND l.savings IS NOT NULL
    ORDER BY l.lesson, l.pattern_id
) AS each
ORDER BY each.decided_at DESC NULLS LAST, each.lesson
LIMIT $1::bigint;

-- name: foretold
-- What was foretold of people's last $1 decisions, oldest first; of a lesson the mean.
SELECT last.likelihood, last.approved, pattern_sync.legible(last.reviewer) AS reviewer, last.folded
FROM (
    SELECT
        pg_catalog.round(pg_catalog.avg(f.likelihood::numeric), 6)::double precision AS likelihood,
        pg_catalog.bool_or(f.approved) AS approved,
        pg_catalog.min(f.reviewer) AS reviewer,
        coalesce(pg_catalog.bool_or(f.folded), false) AS folded,
        pg_catalog.min(f.number) AS number
    FROM pattern_sync.foretold() AS f
    GROUP BY f.lesson
    ORDER BY pg_catalog.min(f.number) DESC
    LIMIT $1::bigint
) AS last
ORDER BY last.number;

-- name: keep_model
-- Keep a model ($3 with the digest $4), learned from $2 lessons, in place of another ($1; NULL: none). Returns its id;
-- NULL if another daemon was faster.
SELECT pattern_sync.keep_model($1::bigint, $2::bigint, $3::text, $4::text) AS id;

-- name: settle_gate
-- Keep how the gate of a model ($1) stands ($2: JSON), and whether entries have likelihoods ($3).
UPDATE pattern_sync.models AS m
SET gate = $2::text::jsonb, shown = $3::boolean
WHERE m.id = $1::bigint
  AND (m.gate IS DISTINCT FROM $2::text::jsonb OR m.shown IS DISTINCT FROM $3::boolean);

-- name: hide_likelihoods
-- Have entries no likelihoods: the daemon's settings do not want any. Returns whether they had some.
WITH hidden AS (
    UPDATE pattern_sync.models AS m SET shown = false WHERE m.shown RETURNING m.id
)
SELECT EXISTS (SELECT FROM hidden) AS hidden;

-- name: unforetold
-- The traits of pending entries of which a model ($1) has foretold nothing yet, or that have changed since: at most $3
-- after a name ($2).
SELECT
    u.pattern_id, u.confidence, u.occurrences, u.savings, u.evidence, u.workflows, u.days_seen, u.kind, u.target,
    u.shape, u.version
FROM pattern_sync.unforetold($1::bigint, $2::text, $3::bigint) AS u
ORDER BY u.pattern_id;

-- name: keep_predictions
-- Keep what a model ($1) foretells of some entries ($2): the likelihoods ($3), whether they fold away ($4), and which
-- version of their traits that was told by ($5). Returns false if another daemon is just doing so.
SELECT pattern_sync.keep_predictions(
    $1::bigint, $2::text[], $3::text[]::double precision[], $4::text[]::boolean[], $5::text[]::bigint[]
) AS kept;

-- name: forget_predictions
-- Forget what was foretold of entries that are not pending any more.
DELETE FROM pattern_sync.predictions AS p
WHERE p.pattern_id IN (
    SELECT f.pattern_id
    FROM pattern_sync.predictions AS f
    LEFT JOIN pattern_sync.traits AS t ON t.pattern_id = f.pattern_id AND t.status = 'pending'::text
    WHERE t.pattern_id IS NULL
);

-- name: folded
-- How many pending entries fold away, what they save as claimed, and how many likely rejects (below $1) do not, as they
-- were drawn.
SELECT
    pg_catalog.count(*) FILTER (WHERE p.folds) AS entries,
    coalesce(
        pg_catalog.sum(pg_catalog.round(t.savings * 100::double precision)) FILTER (WHERE p.folds),
        0::double precision
    ) / 100::double precision AS savings_usd,
    pg_catalog.count(*) FILTER (WHERE NOT p.folds) AS drawn
FROM pattern_sync.predictions AS p
JOIN pattern_sync.traits AS t ON t.pattern_id = p.pattern_id
WHERE t.status = 'pending'::text AND p.likelihood < $1::double precision;

-- name: traits_of
-- The traits of one entry ($1), and what was foretold of it.
SELECT
    t.confidence, t.occurrences, t.savings, t.evidence,
    coalesce(t.workflows, 0::bigint)::double precision AS workflows,
    pattern_sync.days_between(t.first_seen, t.last_seen) AS days_seen,
    pattern_sync.legible(t.kind) AS kind, pattern_sync.legible(t.target) AS target,
    pattern_sync.legible(t.shape) AS shape
FROM pattern_sync.traits AS t
WHERE t.pattern_id = $1::text;
