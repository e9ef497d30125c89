-- Statements that only read: what `status`, `explain` and the statistics show.

-- name: statistics
-- Rows in the source and in the queue, and how many patterns still miss an entry, by the filter in force.
SELECT
    count(*) AS patterns_in_source,
    (SELECT count(*) FROM pattern_approvals) AS patterns_in_review,
    count(*) FILTER (WHERE rated.eligible AND NOT rated.entered) AS pending_sync,
    count(*) FILTER (WHERE rated.eligible AND rated.qualifies) AS qualifying,
    count(*) FILTER (WHERE rated.eligible AND rated.qualifies AND NOT rated.entered) AS qualifying_missing
FROM (
    SELECT
        pattern_sync.eligible(p.automation_status) AS eligible,
        pattern_sync.qualifies(
            p.confidence_score, p.occurrence_count, p.potential_monthly_savings::numeric, p.pattern_type,
            s.min_confidence, s.min_occurrences, s.min_savings, s.only_types, s.exclude_types
        ) AS qualifies,
        a.pattern_id IS NOT NULL AS entered
    FROM operation_patterns AS p
    CROSS JOIN pattern_sync.settings AS s
    LEFT JOIN pattern_approvals AS a ON a.pattern_id = p.pattern_signature
) AS rated;

-- name: server
-- Version of the server.
SELECT current_setting('server_version') AS server_version;

-- name: tables_without_trigger
-- The tables whose writes are not announced.
SELECT relation::text AS relation FROM pattern_sync.tables_without_trigger() AS relation;

-- name: connected_daemons
-- The daemons that hold a LISTEN session on this database.
SELECT s.pid, coalesce(host(s.client_addr), 'local') AS host, s.backend_start AS connected_at
FROM pg_stat_activity AS s
WHERE s.datname = current_database() AND s.application_name = 'pattern-sync listener'
ORDER BY s.backend_start;

-- name: last_runs
-- The last run of each kind.
SELECT DISTINCT ON (r.kind)
    r.kind, r.finished_at, r.duration_ms, r.total_candidates, r.synced, r.refreshed, r.skipped, r.errors, r.remaining
FROM pattern_sync.runs AS r
ORDER BY r.kind, r.id DESC;

-- name: explain
-- What is known of one signature ($6), and for each criterion ($1 to $5) whether the pattern meets it by itself.
SELECT
    p.id IS NOT NULL AS pattern_exists,
    p.pattern_type,
    p.confidence_score::double precision AS confidence,
    p.occurrence_count::bigint AS occurrences,
    p.potential_monthly_savings::double precision AS savings,
    p.automation_status,
    pattern_sync.eligible(p.automation_status) AS eligible,
    a.status AS entry_status,
    EXISTS (SELECT FROM pattern_sync.rejections AS r WHERE r.pattern_id = asked.signature) AS rejected,
    EXISTS (SELECT FROM pattern_sync.written AS w WHERE w.pattern_id = asked.signature) AS written_by_us,
    pattern_sync.qualifies(
        p.confidence_score, 0, 0, '', $1::double precision, NULL, NULL, '{}', '{}') AS confidence_met,
    pattern_sync.qualifies(
        0, p.occurrence_count, 0, '', NULL, $2::bigint, NULL, '{}', '{}') AS occurrences_met,
    pattern_sync.qualifies(
        0, 0, p.potential_monthly_savings::numeric, '', NULL, NULL, $3::double precision::numeric, '{}', '{}'
    ) AS savings_met,
    pattern_sync.qualifies(0, 0, 0, p.pattern_type, NULL, NULL, NULL, $4::text[], $5::text[]) AS type_met
FROM (SELECT $6::text AS signature) AS asked
LEFT JOIN operation_patterns AS p ON p.pattern_signature = asked.signature
LEFT JOIN pattern_approvals AS a ON a.pattern_id = asked.signature;
