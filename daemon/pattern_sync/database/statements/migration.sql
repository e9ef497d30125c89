-- Statements of the installer.

-- name: lock_installation
-- One installer at a time; the others wait here, where they are in nobody's way.
SELECT pg_advisory_xact_lock(hashtextextended('pattern_sync', 0));

-- name: set_lock_timeout
-- How long this transaction waits for any lock ($1, milliseconds).
SELECT set_config('lock_timeout', $1::text, true);

-- name: set_search_path
-- Look for the application's tables in one schema ($1) only; temporary tables last, as they are anybody's.
SELECT set_config('search_path', quote_ident($1::text) || ', pg_temp', true);

-- name: application_schemas
-- Where the application's tables are: every schema that has one of them, and whether this session sees them there;
-- the schema whose operation_patterns it sees comes first.
SELECT
    n.nspname::text AS schema_name,
    array_agg(c.relname::text ORDER BY c.relname) AS tables,
    bool_or(pg_table_is_visible(c.oid)) AS visible
FROM pg_class AS c
JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname IN (
    'operation_patterns', 'pattern_occurrences', 'pattern_approvals', 'pattern_review_history', 'cost_savings_log'
)
  AND c.relkind IN ('r', 'p')
  AND n.nspname NOT LIKE 'pg\_%'
GROUP BY n.nspname
ORDER BY bool_or(c.relname = 'operation_patterns' AND pg_table_is_visible(c.oid)) DESC, n.nspname;

-- name: current_schema
-- Where new tables would go, never into our own schema; NULL where the search_path leads nowhere.
SELECT (
    SELECT place::text FROM unnest(current_schemas(false)) WITH ORDINALITY AS path (place, position)
    WHERE path.place <> 'pattern_sync'
    ORDER BY path.position
    LIMIT 1
) AS schema_name;

-- name: unmet_needs
-- What we need of the application's tables and do not find: a column each.
SELECT needed.table_name, needed.column_name, to_regclass(needed.table_name) IS NULL AS table_missing
FROM (
    VALUES
        ('operation_patterns', 'id'),
        ('operation_patterns', 'pattern_signature'),
        ('operation_patterns', 'pattern_type'),
        ('operation_patterns', 'occurrence_count'),
        ('operation_patterns', 'typical_input_pattern'),
        ('operation_patterns', 'typical_operations'),
        ('operation_patterns', 'potential_monthly_savings'),
        ('operation_patterns', 'automation_status'),
        ('operation_patterns', 'confidence_score'),
        ('operation_patterns', 'reviewed_by'),
        ('operation_patterns', 'reviewed_at'),
        ('operation_patterns', 'review_notes'),
        ('pattern_occurrences', 'id'),
        ('pattern_occurrences', 'pattern_id'),
        ('pattern_occurrences', 'workflow_id'),
        ('pattern_occurrences', 'detected_at'),
        ('pattern_approvals', 'pattern_id'),
        ('pattern_approvals', 'status'),
        ('pattern_approvals', 'reviewed_by'),
        ('pattern_approvals', 'reviewed_at'),
        ('pattern_approvals', 'approval_notes'),
        ('pattern_approvals', 'confidence_score'),
        ('pattern_approvals', 'occurrence_count'),
        ('pattern_approvals', 'estimated_savings_usd'),
        ('pattern_approvals', 'tool_sequence'),
        ('pattern_approvals', 'pattern_context'),
        ('pattern_approvals', 'example_sessions'),
        ('pattern_approvals', 'created_at'),
        ('pattern_review_history', 'pattern_id'),
        ('pattern_review_history', 'action'),
        ('pattern_review_history', 'reviewer'),
        ('pattern_review_history', 'notes'),
        ('pattern_review_history', 'created_at')
) AS needed (table_name, column_name)
WHERE NOT EXISTS (
    SELECT
    FROM pg_attribute AS a
    WHERE a.attrelid = to_regclass(needed.table_name)
      AND a.attname = needed.column_name
      AND a.attnum > 0
      AND NOT a.attisdropped
);

-- name: queue_key_is_unique
-- Whether a pattern can have one entry only: what ON CONFLICT and "no duplicates" rest on.
SELECT EXISTS (
    SELECT
    FROM pg_index AS i
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[0]
    WHERE i.indrelid = to_regclass('pattern_approvals')
      AND i.indisunique AND i.indisvalid AND i.indpred IS NULL AND i.indnkeyatts = 1
      AND a.attname = 'pattern_id'
) AS is_unique;

-- name: is_installed
-- Whether our schema is there.
SELECT to_regclass('pattern_sync.migrations') IS NOT NULL AS installed;

-- name: installed_functions
-- The fingerprint of the functions that are installed.
SELECT m.functions_md5 FROM pattern_sync.migrations AS m ORDER BY m.version DESC LIMIT 1;

-- name: record_functions
-- Remember the fingerprint ($1) of the functions that were just created.
UPDATE pattern_sync.migrations AS m
SET functions_md5 = $1::text
WHERE m.version = (SELECT max(newest.version) FROM pattern_sync.migrations AS newest);

-- name: install_trigger
-- Give one table ($1) the trigger that it lacks.
SELECT pattern_sync.install_trigger($1::text::regclass);
