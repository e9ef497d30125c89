-- Statements about our own schema: the installed version, the rights, the filter in force, the record of scans.

-- name: schema_version
-- The newest installed migration, and the version since which all of them are additive; an error if Pattern Sync is not
-- installed. Each row is read as JSON, as older schemas have no column for additive migrations.
SELECT
    coalesce(
        GREATEST(
            pg_catalog.max(m.version),
            pg_catalog.max(
                pg_catalog.jsonb_extract_path_text(pg_catalog.to_jsonb(m), 'extended_to')::integer
            )
        ),
        0
    ) AS newest,
    coalesce(pg_catalog.max(m.version), 0) AS compatible_from
FROM pattern_sync.migrations AS m;

-- name: missing_rights
-- The rights that the daemon needs and this role lacks, each with the statement that grants it. Tables that do not
-- exist are left out.
--
-- A plan may evaluate conditions in any order. So a call that raises an error for the wrong kind of relation stands in
-- a CASE, and the other calls take an oid and a column number, for which they return NULL if the object has gone. Our
-- own tables are looked up in the catalog, as to_regclass raises an error without USAGE on the schema.
WITH application AS (
    SELECT named.table_name, pg_catalog.to_regclass(named.table_name)::pg_catalog.oid AS relation
    FROM (
        VALUES ('operation_patterns'), ('pattern_occurrences'), ('pattern_approvals'), ('pattern_review_history')
    ) AS named (table_name)
),
routine AS (
    SELECT p.oid AS id, p.proname::text AS name, p.proowner = n.nspowner AS is_ours
    FROM pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    WHERE n.nspname::text = 'pattern_sync'::text
),
needed AS (
    SELECT application.relation, wanted.privilege
    FROM (
        VALUES
            ('operation_patterns', 'SELECT'),
            ('pattern_occurrences', 'SELECT'),
            ('pattern_approvals', 'SELECT'),
            ('pattern_approvals', 'INSERT'),
            ('pattern_approvals', 'UPDATE'),
            ('pattern_review_history', 'SELECT'),
            ('pattern_review_history', 'INSERT')
    ) AS wanted (table_name, privilege)
    JOIN application ON application.table_name = wanted.table_name
    UNION ALL
    SELECT c.oid, wanted.privilege
    FROM (
        VALUES
            ('migrations', ARRAY['SELECT']),
            ('settings', ARRAY['SELECT', 'UPDATE']),
            ('runs', ARRAY['SELECT', 'INSERT', 'DELETE']),
            ('written', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('refusals', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('rejections', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('marks', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('traits', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('batches', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('batch_items', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('decisions', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('snoozes', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('answers', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('messages', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('told', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('channels', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('detected_sessions', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('reported_events', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('routines', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('recorded_savings', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('savings_by_day', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('savings_kept', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('adjustments', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('rules', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('rule_log', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('models', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']),
            ('predictions', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'])
    ) AS ours (table_name, privileges)
    CROSS JOIN LATERAL pg_catalog.unnest(ours.privileges) AS wanted (privilege)
    JOIN pg_catalog.pg_class AS c ON c.relname::text = ours.table_name
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname::text = 'pattern_sync'::text
)
SELECT pg_catalog.format(
    'GRANT %s ON %s TO %I;', needed.privilege, needed.relation::pg_catalog.regclass, current_user
) AS remedy
FROM needed
WHERE NOT CASE needed.privilege -- DELETE is not a privilege of columns
    WHEN 'DELETE'::text THEN pg_catalog.has_table_privilege(needed.relation, needed.privilege)
    ELSE pg_catalog.has_any_column_privilege(needed.relation, needed.privilege)
END
UNION ALL
SELECT pg_catalog.format('GRANT UPDATE (%I) ON %s TO %I;', a.attname, a.attrelid::pg_catalog.regclass, current_user)
FROM application
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = application.relation
WHERE application.table_name = 'operation_patterns'::text
  AND a.attname::text IN ('automation_status', 'reviewed_by', 'reviewed_at', 'review_notes')
  AND NOT pg_catalog.has_column_privilege(a.attrelid, a.attnum, 'UPDATE')
UNION ALL
-- The sequences behind SERIAL ids; those of identity columns need no right.
SELECT pg_catalog.format('GRANT USAGE ON SEQUENCE %s TO %I;', s.oid::pg_catalog.regclass, current_user)
FROM application
JOIN pg_catalog.pg_depend AS d ON d.refobjid = application.relation
JOIN pg_catalog.pg_class AS s ON s.oid = d.objid
WHERE application.table_name IN ('pattern_approvals', 'pattern_review_history')
  AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
  AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid
  AND d.deptype = 'a'::"char"
  AND NOT CASE s.relkind WHEN 'S'::"char" THEN pg_catalog.has_sequence_privilege(s.oid, 'USAGE') ELSE true END
UNION ALL
-- Our functions, which everybody may execute until somebody revokes it. Two of them are the owner's alone. Where
-- somebody else has put a function beside ours, our owner may not grant it.
SELECT pg_catalog.format(
    'GRANT EXECUTE ON %s TO %I;',
    CASE WHEN EXISTS (SELECT FROM routine AS other WHERE NOT other.is_ours) THEN 'ROUTINE ' || pg_catalog.string_agg(
        routine.id::pg_catalog.regprocedure::text, ', ' ORDER BY routine.id
    ) ELSE 'ALL ROUTINES IN SCHEMA pattern_sync' END,
    current_user
)
FROM routine
WHERE routine.is_ours
  AND routine.name NOT IN ('install_trigger', 'create_announce')
  AND NOT pg_catalog.has_function_privilege(routine.id, 'EXECUTE')
HAVING pg_catalog.count(*) > 0::bigint
UNION ALL
-- Our own schema and that of the patterns, which is found by our trigger: without USAGE this role cannot find the table
-- by its name.
SELECT DISTINCT pg_catalog.format('GRANT USAGE ON SCHEMA %I TO %I;', n.nspname, current_user)
FROM pg_catalog.pg_namespace AS n
WHERE (
    n.nspname::text = 'pattern_sync'::text
    OR n.oid IN (
        SELECT c.relnamespace
        FROM pg_catalog.pg_trigger AS t
        JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
        JOIN pg_catalog.pg_namespace AS own ON own.nspname::text = 'pattern_sync'::text
        -- Anybody may give a trigger this name, on a temporary table for instance.
        WHERE t.tgname::text = 'pattern_sync_announce'::text
          AND c.relpersistence <> 't'::"char"
          AND c.relowner = own.nspowner
    )
)
  AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
UNION ALL
-- Row-level security silently hides rows from this role.
SELECT pg_catalog.format('ALTER ROLE %I BYPASSRLS;', current_user)
WHERE EXISTS (SELECT FROM application WHERE pg_catalog.row_security_active(application.relation));

-- name: read_filter
-- The filter in force, which the triggers and all daemons use.
SELECT
    s.min_confidence,
    s.min_occurrences,
    s.min_savings::double precision AS min_savings,
    s.only_types,
    s.exclude_types,
    s.max_age_days,
    s.min_workflows
FROM pattern_sync.settings AS s;

-- name: publication
-- Who put the filter in force, as the trigger on the settings noted it (NULL: nobody since the functions were created),
-- and when.
SELECT
    s.changed_at AS published_at,
    (
        SELECT pg_catalog.substring(d.description, 'published by (.*)\.$')
        FROM pg_catalog.pg_proc AS p
        JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
        JOIN pg_catalog.pg_description AS d ON d.objoid = p.oid
        WHERE n.nspname::text = 'pattern_sync'::text
          AND p.proname::text = 'announce'::text
          AND d.classoid = 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
        LIMIT 1
    ) AS published_by
FROM pattern_sync.settings AS s;

-- name: publish_filter
-- Put this filter ($1 to $7) in force; returns a row only if another one was in force. The table's trigger notifies the
-- daemons.
UPDATE pattern_sync.settings AS s
SET
    min_confidence = $1::double precision,
    min_occurrences = $2::bigint,
    min_savings = $3::double precision::numeric,
    only_types = $4::text[],
    exclude_types = $5::text[],
    max_age_days = $6::double precision,
    min_workflows = $7::bigint,
    changed_at = pg_catalog.now()
WHERE s.min_confidence IS DISTINCT FROM $1::double precision
   OR s.min_occurrences IS DISTINCT FROM $2::bigint
   OR s.min_savings IS DISTINCT FROM $3::double precision::numeric
   OR s.only_types::text IS DISTINCT FROM $4::text[]::text
   OR s.exclude_types::text IS DISTINCT FROM $5::text[]::text
   OR s.max_age_days IS DISTINCT FROM $6::double precision
   OR s.min_workflows IS DISTINCT FROM $7::bigint
RETURNING s.changed_at;

-- name: record_run
-- Record a scan ($1, JSON by the columns of the table without the number and the time), and delete all but the last
-- 200.
WITH recorded AS (
    INSERT INTO pattern_sync.runs OVERRIDING USER VALUE
    SELECT run.*
    FROM pg_catalog.jsonb_populate_record(
        NULL::pattern_sync.runs,
        $1::text::jsonb || pg_catalog.jsonb_build_object('finished_at', pg_catalog.now())
    ) AS run
    RETURNING id
)
DELETE FROM pattern_sync.runs AS r WHERE r.id <= (SELECT recorded.id FROM recorded) - 200;
