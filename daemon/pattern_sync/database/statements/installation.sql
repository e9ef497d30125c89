-- Statements about our own schema: which version is there, the filter in force, the record of runs.

-- name: schema_version
-- The newest migration that is installed; an error where there is none.
SELECT coalesce(max(m.version), 0) AS version FROM pattern_sync.migrations AS m;

-- name: missing_rights
-- What the daemon does and this role may not, each with the statement that helps.
SELECT format('GRANT %s ON %s TO %I;', needed.privilege, needed.relation, current_user) AS remedy
FROM (
    VALUES
        ('operation_patterns', 'SELECT'),
        ('pattern_occurrences', 'SELECT'),
        ('pattern_approvals', 'SELECT'),
        ('pattern_approvals', 'INSERT'),
        ('pattern_approvals', 'UPDATE'),
        ('pattern_review_history', 'SELECT'),
        ('pattern_review_history', 'INSERT'),
        ('pattern_sync.settings', 'UPDATE'),
        ('pattern_sync.runs', 'INSERT')
) AS needed (relation, privilege)
WHERE NOT has_any_column_privilege(needed.relation, needed.privilege)
UNION ALL
SELECT format('GRANT UPDATE (%s) ON operation_patterns TO %I;', marked.column_name, current_user)
FROM unnest(ARRAY['automation_status', 'reviewed_by', 'reviewed_at', 'review_notes']) AS marked (column_name)
WHERE NOT has_column_privilege('operation_patterns', marked.column_name, 'UPDATE')
UNION ALL
SELECT format('GRANT DELETE ON pattern_sync.runs TO %I;', current_user)
WHERE NOT has_table_privilege('pattern_sync.runs', 'DELETE')
UNION ALL
-- The sequences behind SERIAL ids; those of identity columns need no right.
SELECT format('GRANT USAGE ON SEQUENCE %s TO %I;', d.objid::regclass, current_user)
FROM pg_depend AS d
JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
WHERE d.classid = 'pg_class'::regclass
  AND d.refclassid = 'pg_class'::regclass
  AND d.refobjid IN ('pattern_approvals'::regclass, 'pattern_review_history'::regclass)
  AND d.deptype = 'a'
  AND NOT has_sequence_privilege(d.objid, 'USAGE');

-- name: read_filter
-- The filter that the trigger and every daemon use.
SELECT s.min_confidence, s.min_occurrences, s.min_savings::double precision AS min_savings, s.only_types, s.exclude_types
FROM pattern_sync.settings AS s;

-- name: publish_filter
-- Make this filter ($1 to $5) the one in force; a row only where it was another. The table's trigger tells the daemons.
UPDATE pattern_sync.settings AS s
SET
    min_confidence = $1::double precision,
    min_occurrences = $2::bigint,
    min_savings = $3::double precision::numeric,
    only_types = $4::text[],
    exclude_types = $5::text[],
    changed_at = now()
WHERE (s.min_confidence, s.min_occurrences, s.min_savings, s.only_types, s.exclude_types) IS DISTINCT FROM
      ($1::double precision, $2::bigint, $3::double precision::numeric, $4::text[], $5::text[])
RETURNING s.changed_at;

-- name: record_run
-- Remember what a run did ($1 to $8); the last 200 are kept.
WITH recorded AS (
    INSERT INTO pattern_sync.runs (
        kind, duration_ms, total_candidates, synced, refreshed, skipped, errors, remaining
    )
    VALUES ($1::text, $2::double precision, $3::bigint, $4::bigint, $5::bigint, $6::bigint, $7::bigint, $8::bigint)
    RETURNING id
)
DELETE FROM pattern_sync.runs AS r USING recorded WHERE r.id <= recorded.id - 200;
