-- Read-only statements: what `status`, `explain` and the statistics show.

-- name: statistics
-- Rows in the source and in the queue, and how many patterns still lack an entry, by the filter in force.
--
-- The join is a full join, which is hashed or merged whatever the planner estimates, and never a nested loop. Rows that
-- only the queue has are not counted.
SELECT
    pg_catalog.count(*) FILTER (WHERE rated.is_pattern) AS patterns_in_source,
    (SELECT pg_catalog.count(*) FROM pattern_approvals) AS patterns_in_review,
    pg_catalog.count(*) FILTER (WHERE rated.eligible AND NOT rated.entered) AS pending_sync,
    pg_catalog.count(*) FILTER (WHERE rated.is_candidate) AS qualifying,
    pg_catalog.count(*) FILTER (WHERE rated.is_candidate AND NOT rated.entered) AS qualifying_missing
FROM (
    SELECT
        coalesce(pattern.is_pattern, false) AS is_pattern,
        pattern.eligible,
        pattern.is_candidate,
        a.pattern_id IS NOT NULL AS entered
    FROM (
        SELECT
            true AS is_pattern,
            p.pattern_signature::text AS signature,
            pattern_sync.eligible(p.automation_status::text) AS eligible,
            pattern_sync.is_candidate(
                p.*, s.min_confidence, s.min_occurrences, s.min_savings, s.only_types, s.exclude_types
            )
            AND (
                s.max_age_days IS NULL AND s.min_workflows IS NULL
                -- Read once for all patterns, and looked up by hashing.
                OR p.id::bigint IN (SELECT k.row_id FROM pattern_sync.all_seen_enough() AS k)
            ) AS is_candidate
        FROM operation_patterns AS p
        LEFT JOIN pattern_sync.settings AS s ON true
    ) AS pattern
    FULL JOIN pattern_approvals AS a ON a.pattern_id::text = pattern.signature
) AS rated;

-- name: server
-- The server's version, and how many prepared transactions it allows: a transaction that has notified cannot be
-- prepared.
SELECT
    pg_catalog.current_setting('server_version') AS server_version,
    pg_catalog.current_setting('max_prepared_transactions')::integer AS prepared_transactions;

-- name: tables_without_trigger
-- The tables with faults that the installer mends.
SELECT relation::text AS relation FROM pattern_sync.tables_without_trigger() AS relation;

-- name: trigger_faults
-- What keeps changes from being notified, with the SQL that mends it and the role that may run it.
SELECT
    f.relation::text AS relation,
    f.fault,
    f.silenced,
    f.mending IS NOT NULL AS mendable,
    f.mending,
    pg_catalog.pg_get_userbyid(c.relowner)::text AS owner
FROM pattern_sync.trigger_faults() AS f
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = f.relation::pg_catalog.oid;

-- name: connected_daemons
-- The daemons that hold a LISTEN session on this database. Older ones do not name their version. Of another role's
-- session, a role without pg_read_all_stats sees neither the address nor the start.
SELECT
    s.pid,
    coalesce(
        pg_catalog.host(s.client_addr), CASE WHEN s.backend_start IS NULL THEN 'not visible' ELSE 'local' END
    ) AS host,
    s.backend_start AS connected_at,
    pg_catalog.substring(s.application_name::text, '^pattern-sync (.+) listener$'::text) AS version
FROM pg_catalog.pg_stat_activity AS s
WHERE s.datname::text = pg_catalog.current_database()::text
  AND pg_catalog.textregexeq(s.application_name::text, '^pattern-sync (.+ )?listener$'::text)
ORDER BY s.backend_start;

-- name: last_runs
-- The last scan of each kind.
SELECT DISTINCT ON (r.kind)
    r.kind, r.finished_at, r.duration_ms, r.total_candidates, r.synced, r.refreshed, r.skipped, r.errors, r.remaining
FROM pattern_sync.runs AS r
WHERE r.kind::text <> 'recovered'::text
ORDER BY r.kind, r.id DESC;

-- name: recoveries
-- How many patterns sweeps queued that no notification had announced, and when the last time was.
SELECT coalesce(pg_catalog.sum(r.synced), 0)::bigint AS patterns, pg_catalog.max(r.finished_at) AS last_at
FROM pattern_sync.runs AS r
WHERE r.kind::text = 'recovered'::text;

-- name: refusals
-- The latest refused patterns with their reasons, and how many there are in all.
SELECT r.pattern_id, r.reason, pg_catalog.count(*) OVER () AS total
FROM pattern_sync.refusals AS r
ORDER BY r.refused_at DESC, r.pattern_id
LIMIT 5;

-- name: missing_indexes
-- The indexes that the application's large tables lack: the cost of the lack, and the statement that creates the index
-- without blocking writers. We never change these tables ourselves.
WITH large AS MATERIALIZED (
    SELECT
        named.name,
        c.oid AS id,
        -- CONCURRENTLY cannot follow a SET in one string, so the statement itself has to find the table.
        CASE WHEN n.nspname::text = 'public'::text THEN c.oid::regclass::text ELSE pg_catalog.format(
            '%I.%I', n.nspname, c.relname
        ) END AS relation,
        pg_catalog.pg_relation_size(c.oid::regclass) AS bytes
    FROM (
        VALUES ('operation_patterns'), ('pattern_occurrences'), ('pattern_approvals')
    ) AS named (name)
    JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(named.name)::oid
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind::text = 'r'::text AND pg_catalog.pg_relation_size(c.oid::regclass) >= 10000000::bigint
),
key AS MATERIALIZED (
    SELECT
        large.name,
        i.indisunique AND i.indnkeyatts = 1::smallint AS is_unique,
        i.indpred IS NOT NULL AS is_partial,
        coalesce(pg_catalog.pg_get_expr(i.indpred, i.indrelid), '') AS condition,
        coalesce(pg_catalog.pg_get_indexdef(i.indexrelid, 1, true), '') AS first
    FROM large
    JOIN pg_catalog.pg_index AS i ON i.indrelid = large.id
    WHERE i.indisvalid
),
wanted (name, from_bytes, cost, command, is_there) AS (
    VALUES
        (
            'pattern_occurrences', 10000000::bigint,
            'the entries show no example sessions and no evidence, as each search would read all of its %s',
            'CREATE INDEX CONCURRENTLY ON %s (pattern_id)',
            EXISTS (
                SELECT FROM key
                WHERE key.name = 'pattern_occurrences'::text AND key.first = 'pattern_id'::text AND NOT key.is_partial
            )
        ),
        (
            'operation_patterns', 10000000,
            'every announced pattern costs a read of all of its %s',
            'CREATE UNIQUE INDEX CONCURRENTLY ON %s (pattern_signature)',
            EXISTS (
                SELECT FROM key
                WHERE key.name = 'operation_patterns'::text AND key.first = 'pattern_signature'::text
                  AND key.is_unique AND NOT key.is_partial
            )
        ),
        (
            'operation_patterns', 100000000,
            'every scan, such as a sweep, reads all of its %s',
            'CREATE INDEX CONCURRENTLY ON %s'
            ' (coalesce(potential_monthly_savings::numeric, 0), coalesce(confidence_score::double precision, 0))',
            EXISTS (
                SELECT FROM key
                WHERE key.name = 'operation_patterns'::text
                  AND pg_catalog.strpos(key.first, 'COALESCE') > 0
                  AND pg_catalog.strpos(key.first, 'potential_monthly_savings') > 0
            )
        ),
        (
            'pattern_approvals', 20000000,
            'the search for stale entries reads all of its %s every few seconds',
            'CREATE INDEX CONCURRENTLY ON %s (pattern_id) WHERE status = ''pending''',
            EXISTS (
                SELECT FROM key
                WHERE key.name = 'pattern_approvals'::text
                  AND (key.first = 'status'::text OR pg_catalog.strpos(key.condition, 'pending') > 0)
            )
        )
)
SELECT
    large.relation,
    pg_catalog.format(wanted.cost, pg_catalog.pg_size_pretty(large.bytes)) AS cost,
    pg_catalog.format(wanted.command, large.relation) AS command
FROM large
JOIN wanted ON wanted.name = large.name
WHERE large.bytes >= wanted.from_bytes AND NOT wanted.is_there
ORDER BY wanted.name, wanted.command;

-- name: explain
-- All facts about one signature ($8): for each criterion ($1 to $7) whether the pattern meets it; whether we wrote the
-- entry; why the application refused the pattern; what is recorded of it; and how many daemons are connected to queue
-- it.
SELECT
    p.id IS NOT NULL AS pattern_exists,
    pattern_sync.legible(p.pattern_type::text) AS pattern_type,
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
    (SELECT r.reason FROM pattern_sync.refusals AS r WHERE r.pattern_id::text = asked.signature LIMIT 1) AS refusal,
    (
        SELECT pg_catalog.count(*)
        FROM pg_catalog.pg_stat_activity AS s
        WHERE s.datname::text = pg_catalog.current_database()::text
          AND pg_catalog.textregexeq(s.application_name::text, '^pattern-sync (.+ )?listener$'::text)
    ) AS daemons,
    (pattern_sync.evidence_by_signature(ARRAY[asked.signature]) -> asked.signature)::text AS evidence,
    pattern_sync.qualifies(
        p.confidence_score::double precision, 0, 0, '', $1::double precision, NULL, NULL, '{}', '{}'
    ) AS confidence_met,
    pattern_sync.qualifies(0, p.occurrence_count::bigint, 0, '', NULL, $2::bigint, NULL, '{}', '{}') AS occurrences_met,
    pattern_sync.qualifies(
        0, 0, p.potential_monthly_savings::numeric, '', NULL, NULL, $3::double precision::numeric, '{}', '{}'
    ) AS savings_met,
    pattern_sync.qualifies(0, 0, 0, p.pattern_type::text, NULL, NULL, NULL, $4::text[], $5::text[]) AS type_met,
    pg_catalog.date_part('epoch'::text, pg_catalog.now() - was.last_seen) / 86400::double precision AS age_days,
    was.workflows,
    pattern_sync.is_seen_enough(was.last_seen, NULL, $6::double precision, NULL) AS age_met,
    pattern_sync.is_seen_enough(NULL, was.workflows, NULL, $7::bigint) AS workflows_met
FROM (SELECT $8::text AS signature) AS asked
LEFT JOIN LATERAL (
    -- Without a unique key several rows may share the signature: the best one.
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
LEFT JOIN LATERAL pattern_sync.seen(
    -- Without such a criterion, nothing is read.
    CASE WHEN $6::double precision IS NULL AND $7::bigint IS NULL THEN '{}' ELSE ARRAY[p.id::bigint] END,
    true
) AS was ON true
LEFT JOIN pattern_approvals AS a ON a.pattern_id::text = asked.signature;
