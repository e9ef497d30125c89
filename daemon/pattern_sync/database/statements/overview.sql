-- Statements that only read: what `status`, `explain` and the statistics show.

-- name: statistics
-- Rows in the source and in the queue, and how many patterns still miss an entry, by the filter in force.
--
-- A full join, as that is hashed or merged whatever the planner believes of the tables, never a loop over both. What it
-- has of the queue alone is not counted.
SELECT
    pg_catalog.count(*) FILTER (WHERE rated.is_pattern) AS patterns_in_source,
    (SELECT pg_catalog.count(*) FROM pattern_approvals) AS patterns_in_review,
    pg_catalog.count(*) FILTER (WHERE rated.eligible AND NOT rated.entered) AS pending_sync,
    pg_catalog.count(*) FILTER (WHERE rated.eligible AND rated.qualifies) AS qualifying,
    pg_catalog.count(*) FILTER (WHERE rated.eligible AND rated.qualifies AND NOT rated.entered) AS qualifying_missing
FROM (
    SELECT
        coalesce(pattern.is_pattern, false) AS is_pattern,
        pattern.eligible,
        pattern.qualifies,
        a.pattern_id IS NOT NULL AS entered
    FROM (
        SELECT
            true AS is_pattern,
            p.pattern_signature::text AS signature,
            pattern_sync.eligible(p.automation_status::text) AS eligible,
            pattern_sync.qualifies(
                p.confidence_score::double precision, p.occurrence_count::bigint,
                p.potential_monthly_savings::numeric, p.pattern_type::text,
                s.min_confidence, s.min_occurrences, s.min_savings, s.only_types, s.exclude_types
            ) AS qualifies
        FROM operation_patterns AS p
        LEFT JOIN pattern_sync.settings AS s ON true
    ) AS pattern
    FULL JOIN pattern_approvals AS a ON a.pattern_id::text = pattern.signature
) AS rated;

-- name: server
-- Version of the server.
SELECT pg_catalog.current_setting('server_version') AS server_version;

-- name: tables_without_trigger
-- The tables with something that the installer mends.
SELECT relation::text AS relation FROM pattern_sync.tables_without_trigger() AS relation;

-- name: trigger_faults
-- What keeps changes from being told.
SELECT f.relation::text AS relation, f.fault, f.silenced, f.mending IS NOT NULL AS mendable
FROM pattern_sync.trigger_faults() AS f;

-- name: connected_daemons
-- The daemons that hold a LISTEN session on this database.
SELECT s.pid, coalesce(pg_catalog.host(s.client_addr), 'local') AS host, s.backend_start AS connected_at
FROM pg_catalog.pg_stat_activity AS s
WHERE s.datname::text = pg_catalog.current_database()::text
  AND s.application_name::text = 'pattern-sync listener'::text
ORDER BY s.backend_start;

-- name: last_runs
-- The last run of each kind.
SELECT DISTINCT ON (r.kind)
    r.kind, r.finished_at, r.duration_ms, r.total_candidates, r.synced, r.refreshed, r.skipped, r.errors, r.remaining
FROM pattern_sync.runs AS r
WHERE r.kind::text <> 'recovered'::text
ORDER BY r.kind, r.id DESC;

-- name: recoveries
-- How many patterns sweeps found that no notification had announced, and when last.
SELECT coalesce(pg_catalog.sum(r.synced), 0)::bigint AS patterns, pg_catalog.max(r.finished_at) AS last_at
FROM pattern_sync.runs AS r
WHERE r.kind::text = 'recovered'::text;

-- name: refusals
-- Some of the patterns that qualify and are refused by the application, the latest first, and how many there are.
SELECT r.pattern_id, r.reason, pg_catalog.count(*) OVER () AS total
FROM pattern_sync.refusals AS r
ORDER BY r.refused_at DESC, r.pattern_id
LIMIT 5;

-- name: explain
-- What is known of one signature ($6), and for each criterion ($1 to $5) whether the pattern meets it by itself; of an
-- entry whose pattern is not there, whether it is one that we have written; of a pattern that the application's own
-- tables refuse, why.
SELECT
    p.id IS NOT NULL AS pattern_exists,
    p.pattern_type::text AS pattern_type,
    p.confidence_score::double precision AS confidence,
    p.occurrence_count::bigint AS occurrences,
    p.potential_monthly_savings::double precision AS savings,
    p.automation_status::text AS automation_status,
    pattern_sync.eligible(p.automation_status::text) AS eligible,
    EXISTS (
        SELECT FROM pattern_sync.rejections AS r WHERE r.pattern_id::text = asked.signature
    ) AS rejected,
    a.status::text AS entry_status,
    EXISTS (
        SELECT FROM pattern_sync.written AS w WHERE w.pattern_id::text = asked.signature
    ) AS written_by_us,
    (SELECT f.reason FROM pattern_sync.refusals AS f WHERE f.row_id = p.id::bigint) AS refusal,
    pattern_sync.qualifies(
        p.confidence_score::double precision, 0, 0, '', $1::double precision, NULL, NULL, '{}', '{}'
    ) AS confidence_met,
    pattern_sync.qualifies(0, p.occurrence_count::bigint, 0, '', NULL, $2::bigint, NULL, '{}', '{}') AS occurrences_met,
    pattern_sync.qualifies(
        0, 0, p.potential_monthly_savings::numeric, '', NULL, NULL, $3::double precision::numeric, '{}', '{}'
    ) AS savings_met,
    pattern_sync.qualifies(0, 0, 0, p.pattern_type::text, NULL, NULL, NULL, $4::text[], $5::text[]) AS type_met
FROM (SELECT $6::text AS signature) AS asked
LEFT JOIN LATERAL (
    -- Where nothing keeps a signature from being given twice: the best.
    SELECT p.*
    FROM operation_patterns AS p
    WHERE p.pattern_signature::text = asked.signature
    ORDER BY
        pattern_sync.eligible(p.automation_status::text) DESC,
        pattern_sync.impact(
            p.confidence_score::double precision / 100::double precision,
            p.occurrence_count::bigint,
            p.potential_monthly_savings::numeric
        ) DESC,
        p.id
    LIMIT 1
) AS p ON true
LEFT JOIN pattern_approvals AS a ON a.pattern_id::text = asked.signature;
