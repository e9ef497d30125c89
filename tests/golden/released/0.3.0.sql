-- name: schema_version
-- takes: nothing
-- gives: version int4
SELECT coalesce(pg_catalog.max(m.version), 0) AS version FROM pattern_sync.migrations AS m;

-- name: missing_rights
-- takes: nothing
-- gives: remedy text
WITH application AS (
    SELECT named.table_name, pg_catalog.to_regclass(named.table_name)::pg_catalog.oid AS relation
    FROM (
        VALUES ('operation_patterns'), ('pattern_occurrences'), ('pattern_approvals'), ('pattern_review_history')
    ) AS named (table_name)
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
            ('marks', ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE'])
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
        WHERE t.tgname::text = 'pattern_sync_announce'::text
    )
)
  AND NOT pg_catalog.has_schema_privilege(n.oid, 'USAGE')
UNION ALL
-- Row-level security silently hides rows from this role.
SELECT pg_catalog.format('ALTER ROLE %I BYPASSRLS;', current_user)
WHERE EXISTS (SELECT FROM application WHERE pg_catalog.row_security_active(application.relation));

-- name: read_filter
-- takes: nothing
-- gives: min_confidence float8, min_occurrences int8, min_savings float8, only_types text[], exclude_types text[]
SELECT
    s.min_confidence,
    s.min_occurrences,
    s.min_savings::double precision AS min_savings,
    s.only_types,
    s.exclude_types
FROM pattern_sync.settings AS s;

-- name: publish_filter
-- takes: float8, int8, float8, text[], text[]
-- gives: changed_at timestamptz
UPDATE pattern_sync.settings AS s
SET
    min_confidence = $1::double precision,
    min_occurrences = $2::bigint,
    min_savings = $3::double precision::numeric,
    only_types = $4::text[],
    exclude_types = $5::text[],
    changed_at = pg_catalog.now()
WHERE s.min_confidence IS DISTINCT FROM $1::double precision
   OR s.min_occurrences IS DISTINCT FROM $2::bigint
   OR s.min_savings IS DISTINCT FROM $3::double precision::numeric
   OR s.only_types::text IS DISTINCT FROM $4::text[]::text
   OR s.exclude_types::text IS DISTINCT FROM $5::text[]::text
RETURNING s.changed_at;

-- name: record_run
-- takes: text
-- gives: nothing
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

-- name: lock_installation
-- takes: nothing
-- gives: pg_advisory_xact_lock void
SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('pattern_sync', 0));

-- name: set_lock_timeout
-- takes: text
-- gives: set_config text
SELECT pg_catalog.set_config('lock_timeout', $1::text, true);

-- name: set_search_path
-- takes: text
-- gives: set_config text
SELECT pg_catalog.set_config(
    'search_path', pg_catalog.concat(pg_catalog.quote_ident($1::text), ', pg_temp'), true
);

-- name: application_schemas
-- takes: nothing
-- gives: schema_name text, visible bool, announced bool, looked_into bool
SELECT
    n.nspname::text AS schema_name,
    pg_catalog.bool_or(pg_catalog.pg_table_is_visible(c.oid)) AS visible,
    pg_catalog.bool_or(c.relname::text = 'operation_patterns'::text AND EXISTS (
        SELECT
        FROM pg_catalog.pg_trigger AS t
        JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid
        JOIN pg_catalog.pg_namespace AS ours ON ours.oid = p.pronamespace
        WHERE t.tgrelid = c.oid AND ours.nspname::text = 'pattern_sync'::text
    )) AS announced,
    pg_catalog.bool_or(c.relname::text = 'operation_patterns'::text AND EXISTS (
        SELECT
        FROM pg_catalog.pg_proc AS p
        JOIN pg_catalog.pg_namespace AS ours ON ours.oid = p.pronamespace
        WHERE ours.nspname::text = 'pattern_sync'::text
          AND pg_catalog.concat('search_path=', pg_catalog.quote_ident(n.nspname::text), ', pg_temp')
              = ANY (p.proconfig)
    )) AS looked_into
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relname::text IN (
    'operation_patterns', 'pattern_occurrences', 'pattern_approvals', 'pattern_review_history', 'cost_savings_log'
)
  AND c.relkind::text IN ('r', 'p', 'v', 'm', 'f')
  AND NOT pg_catalog.starts_with(n.nspname::text, 'pg_')
GROUP BY n.nspname
ORDER BY
    pg_catalog.bool_or(c.relname::text = 'operation_patterns'::text AND pg_catalog.pg_table_is_visible(c.oid)) DESC,
    n.nspname::text;

-- name: current_schema
-- takes: nothing
-- gives: schema_name text
SELECT (
    SELECT path.place::text
    FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS path (place, position)
    WHERE path.place::text <> 'pattern_sync'::text
    ORDER BY path.position
    LIMIT 1
) AS schema_name;

-- name: application_relations
-- takes: text
-- gives: table_name text, kind text, owner text, owned bool
SELECT
    c.relname::text AS table_name,
    c.relkind::text AS kind,
    pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
    pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname::text = $1::text
  AND c.relname::text IN ('operation_patterns', 'pattern_occurrences', 'pattern_approvals', 'pattern_review_history')
  AND c.relkind::text IN ('r', 'p', 'v', 'm', 'f')
ORDER BY c.relname::text;

-- name: column_faults
-- takes: text
-- gives: table_name text, column_name text, fault text
WITH RECURSIVE base (type_id, kind, base_id, category, over) AS (
    SELECT t.oid, t.typtype::text, t.oid, t.typcategory::text, t.typbasetype FROM pg_catalog.pg_type AS t
    UNION ALL
    SELECT base.type_id, t.typtype::text, t.oid, t.typcategory::text, t.typbasetype
    FROM base
    JOIN pg_catalog.pg_type AS t ON t.oid = base.over
    WHERE base.kind = 'd'::text
),
needed (table_name, column_name, family, written, labels) AS (
    VALUES
        ('operation_patterns', 'id', 'an integer', false, '{}'::text[]),
        ('operation_patterns', 'pattern_signature', 'text', false, '{}'),
        ('operation_patterns', 'pattern_type', 'text or an enumeration', false, '{}'),
        ('operation_patterns', 'occurrence_count', 'an integer', false, '{}'),
        ('operation_patterns', 'typical_input_pattern', 'any', false, '{}'),
        ('operation_patterns', 'typical_operations', 'any', false, '{}'),
        ('operation_patterns', 'potential_monthly_savings', 'a number', false, '{}'),
        ('operation_patterns', 'automation_status', 'text or an enumeration', true, '{}'),
        ('operation_patterns', 'confidence_score', 'a number', false, '{}'),
        ('operation_patterns', 'reviewed_by', 'text', true, '{}'),
        ('operation_patterns', 'reviewed_at', 'a timestamp', true, '{}'),
        ('operation_patterns', 'review_notes', 'text', true, '{}'),
        ('pattern_occurrences', 'id', 'any', false, '{}'),
        ('pattern_occurrences', 'pattern_id', 'an integer', false, '{}'),
        ('pattern_occurrences', 'workflow_id', 'any', false, '{}'),
        ('pattern_occurrences', 'detected_at', 'a timestamp', false, '{}'),
        ('pattern_approvals', 'pattern_id', 'text', true, '{}'),
        ('pattern_approvals', 'status', 'text or an enumeration', true, '{pending,approved,rejected}'),
        ('pattern_approvals', 'reviewed_by', 'text', true, '{}'),
        ('pattern_approvals', 'reviewed_at', 'a timestamp', true, '{}'),
        ('pattern_approvals', 'approval_notes', 'text', true, '{}'),
        ('pattern_approvals', 'confidence_score', 'a number', true, '{}'),
        ('pattern_approvals', 'occurrence_count', 'a number', true, '{}'),
        ('pattern_approvals', 'estimated_savings_usd', 'a number', true, '{}'),
        ('pattern_approvals', 'tool_sequence', 'text', true, '{}'),
        ('pattern_approvals', 'pattern_context', 'text', true, '{}'),
        ('pattern_approvals', 'example_sessions', 'text', true, '{}'),
        ('pattern_approvals', 'created_at', 'a timestamp', false, '{}'),
        ('pattern_review_history', 'pattern_id', 'text', true, '{}'),
        ('pattern_review_history', 'action', 'text or an enumeration', true, '{approved,rejected,commented}'),
        ('pattern_review_history', 'reviewer', 'text', true, '{}'),
        ('pattern_review_history', 'notes', 'text', true, '{}'),
        ('pattern_review_history', 'created_at', 'a timestamp', false, '{}')
),
found AS (
    SELECT
        needed.*,
        a.attnum IS NOT NULL AS present,
        pg_catalog.format_type(a.atttypid, a.atttypmod) AS type_name,
        a.attgenerated::text <> ''::text OR a.attidentity::text = 'a'::text AS computed,
        CASE needed.family
            WHEN 'an integer'::text THEN base.base_id = ANY (
                ARRAY['pg_catalog.int2', 'pg_catalog.int4', 'pg_catalog.int8']::pg_catalog.regtype[]::pg_catalog.oid[]
            )
            WHEN 'a number'::text THEN base.base_id = ANY (
                ARRAY[
                    'pg_catalog.int2', 'pg_catalog.int4', 'pg_catalog.int8',
                    'pg_catalog.float4', 'pg_catalog.float8', 'pg_catalog.numeric'
                ]::pg_catalog.regtype[]::pg_catalog.oid[]
            )
            WHEN 'a timestamp'::text THEN base.base_id = ANY (
                ARRAY[
                    'pg_catalog.timestamp', 'pg_catalog.timestamptz', 'pg_catalog.date'
                ]::pg_catalog.regtype[]::pg_catalog.oid[]
            )
            WHEN 'text'::text THEN base.category = 'S'::text
            WHEN 'text or an enumeration'::text THEN base.category IN ('S', 'E')
            ELSE true
        END AS fits,
        ARRAY(
            SELECT wanted.label
            FROM pg_catalog.unnest(needed.labels) AS wanted (label)
            WHERE base.category = 'E'::text AND NOT EXISTS (
                SELECT
                FROM pg_catalog.pg_enum AS e
                WHERE e.enumtypid = base.base_id AND e.enumlabel::text = wanted.label
            )
        ) AS lacking
    FROM needed
    JOIN pg_catalog.pg_namespace AS n ON n.nspname::text = $1::text
    JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname::text = needed.table_name
    LEFT JOIN pg_catalog.pg_attribute AS a
        ON a.attrelid = c.oid AND a.attname::text = needed.column_name AND a.attnum > 0::smallint AND NOT a.attisdropped
    LEFT JOIN base ON base.type_id = a.atttypid AND base.kind <> 'd'::text
    WHERE c.relkind::text IN ('r', 'p', 'v', 'm', 'f')
)
SELECT
    found.table_name,
    found.column_name,
    CASE
        WHEN NOT found.present THEN 'is missing'
        WHEN NOT found.fits THEN pg_catalog.format('has type %s, where %s is needed', found.type_name, found.family)
        WHEN found.written AND found.computed THEN 'is generated, and cannot be written'
        ELSE pg_catalog.format(
            'has type %s, which lacks %s', found.type_name, pg_catalog.array_to_string(found.lacking, ', ')
        )
    END AS fault
FROM found
WHERE NOT found.present
   OR NOT found.fits
   OR (found.written AND found.computed)
   OR pg_catalog.cardinality(found.lacking) > 0;

-- name: unfilled_columns
-- takes: text
-- gives: table_name text, column_name text
SELECT c.relname::text AS table_name, a.attname::text AS column_name
FROM (
    VALUES
        ('pattern_approvals', ARRAY[
            'pattern_id', 'status', 'confidence_score', 'occurrence_count', 'estimated_savings_usd', 'tool_sequence',
            'pattern_context', 'example_sessions'
        ]),
        -- A decision may come without notes.
        ('pattern_review_history', ARRAY['pattern_id', 'action', 'reviewer'])
) AS filled (table_name, columns)
JOIN pg_catalog.pg_class AS c ON c.relname::text = filled.table_name
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid
WHERE n.nspname::text = $1::text
  AND c.relkind::text IN ('r', 'p')
  AND a.attnum > 0::smallint
  AND NOT a.attisdropped
  AND (a.attnotnull OR t.typnotnull)
  AND NOT a.atthasdef
  AND t.typdefault IS NULL
  AND a.attidentity::text = ''::text
  AND NOT a.attname::text = ANY (filled.columns)
ORDER BY 1, 2;

-- name: queue_keys
-- takes: text
-- gives: key_name text, fault text
SELECT
    k.relname::text AS key_name,
    CASE
        WHEN NOT i.indisvalid THEN 'invalid'
        WHEN NOT i.indimmediate THEN 'deferrable'
        WHEN i.indpred IS NOT NULL THEN 'partial'
        WHEN i.indexprs IS NOT NULL THEN 'on an expression'
    END AS fault
FROM pg_catalog.pg_index AS i
JOIN pg_catalog.pg_class AS k ON k.oid = i.indexrelid
JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname::text = $1::text
  AND c.relname::text = 'pattern_approvals'::text
  AND i.indisunique
  AND i.indnkeyatts = 1::smallint
  AND (
      i.indexprs IS NOT NULL -- whatever the expression is, such a key cannot serve
      OR EXISTS (
          SELECT
          FROM pg_catalog.pg_attribute AS a
          WHERE a.attrelid = c.oid AND a.attnum = i.indkey[0] AND a.attname::text = 'pattern_id'::text
      )
  )
ORDER BY k.relname::text;

-- name: catch_all_publications
-- takes: nothing
-- gives: publication text
SELECT p.pubname::text AS publication
FROM pg_catalog.pg_publication AS p
WHERE p.puballtables OR EXISTS (
    SELECT
    FROM pg_catalog.pg_publication_tables AS t
    WHERE t.pubname::text = p.pubname::text AND t.schemaname::text = 'pattern_sync'::text
)
ORDER BY p.pubname::text;

-- name: own_schema
-- takes: nothing
-- gives: owner text, owned bool, ours bool, vacant bool, may_create bool, role text, database text
SELECT
    pg_catalog.pg_get_userbyid(n.nspowner)::text AS owner,
    n.oid IS NULL OR pg_catalog.pg_has_role(n.nspowner, 'USAGE') AS owned,
    n.oid IS NOT NULL AND (
        pg_catalog.starts_with(coalesce(pg_catalog.obj_description(n.oid, 'pg_namespace'), ''), 'Pattern Sync: ')
        OR EXISTS (
            SELECT
            FROM pg_catalog.pg_class AS c
            JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid
            WHERE c.relnamespace = n.oid
              AND c.relname::text = 'migrations'::text
              AND a.attname::text = 'functions_md5'::text
        )
        OR (
            SELECT pg_catalog.count(*) = 3::bigint -- only the record of versions was lost
            FROM pg_catalog.pg_attribute AS a
            JOIN pg_catalog.pg_class AS c ON c.oid = a.attrelid
            WHERE c.relnamespace = n.oid
              AND c.relname::text = 'settings'::text
              AND a.attname::text IN ('only_row', 'min_confidence', 'exclude_types')
        )
    ) AS ours,
    n.oid IS NOT NULL
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.relnamespace = n.oid)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = n.oid)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_type AS t WHERE t.typnamespace = n.oid) AS vacant,
    pg_catalog.has_database_privilege(d.oid, 'CREATE') AS may_create,
    current_user::text AS role,
    d.datname::text AS database
FROM pg_catalog.pg_database AS d
LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname::text = 'pattern_sync'::text
WHERE d.datname::text = pg_catalog.current_database()::text;

-- name: own_tables
-- takes: nothing
-- gives: table_name text, readable bool
SELECT c.relname::text AS table_name, pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname::text = 'pattern_sync'::text AND c.relkind::text = 'r'::text;

-- name: filter_is_there
-- takes: nothing
-- gives: present bool
SELECT EXISTS (SELECT FROM pattern_sync.settings) AS present;

-- name: installed_functions
-- takes: nothing
-- gives: functions_md5 text
SELECT m.functions_md5 FROM pattern_sync.migrations AS m ORDER BY m.version DESC LIMIT 1;

-- name: record_functions
-- takes: text
-- gives: nothing
UPDATE pattern_sync.migrations AS m
SET functions_md5 = $1::text
WHERE m.version = (SELECT pg_catalog.max(newest.version) FROM pattern_sync.migrations AS newest);

-- name: inventory
-- takes: text[]
-- gives: thing text, digest text
SELECT
    pg_catalog.concat('function ', p.oid::pg_catalog.regprocedure::text) AS thing,
    pg_catalog.md5(pg_catalog.concat_ws(
        '/',
        CASE WHEN p.proname::text <> 'announce'::text THEN p.prosrc END,
        pg_catalog.array_to_string(p.proconfig, ','),
        p.prosecdef,
        p.provolatile,
        EXISTS (
            SELECT
            FROM pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) AS granted
            WHERE granted.grantee = 0::pg_catalog.oid
        )
    )) AS digest
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname::text = 'pattern_sync'::text AND p.proname::text = ANY ($1::text[])
UNION ALL
SELECT
    pg_catalog.format('trigger %I on pattern_sync.%I', t.tgname, c.relname),
    pg_catalog.md5(pg_catalog.concat_ws('/', t.tgenabled, t.tgtype, t.tgfoid::pg_catalog.regproc))
FROM pg_catalog.pg_trigger AS t
JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname::text = 'pattern_sync'::text AND NOT t.tgisinternal
UNION ALL
SELECT
    pg_catalog.format('what everybody may do with pattern_sync.%I', c.relname),
    pg_catalog.string_agg(granted.privilege_type, ',' ORDER BY granted.privilege_type)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS granted
WHERE n.nspname::text = 'pattern_sync'::text AND granted.grantee = 0::pg_catalog.oid
GROUP BY c.relname
UNION ALL
SELECT
    'what everybody may do with the schema pattern_sync',
    pg_catalog.string_agg(granted.privilege_type, ',' ORDER BY granted.privilege_type)
FROM pg_catalog.pg_namespace AS n
CROSS JOIN LATERAL pg_catalog.aclexplode(n.nspacl) AS granted
WHERE n.nspname::text = 'pattern_sync'::text AND granted.grantee = 0::pg_catalog.oid
GROUP BY n.oid
ORDER BY 1;

-- name: wrongly_owned
-- takes: text[], text[], text
-- gives: found bool
SELECT EXISTS (
    SELECT
    FROM pg_catalog.pg_class AS patterns
    JOIN pg_catalog.pg_namespace AS place ON place.oid = patterns.relnamespace
    CROSS JOIN pg_catalog.pg_namespace AS n
    WHERE place.nspname::text = $3::text
      AND patterns.relname::text = 'operation_patterns'::text
      AND n.nspname::text = 'pattern_sync'::text
      AND (
          n.nspowner <> patterns.relowner
          OR EXISTS (
              SELECT
              FROM pg_catalog.pg_class AS c
              WHERE c.relnamespace = n.oid AND c.relname::text = ANY ($1::text[]) AND c.relowner <> patterns.relowner
          )
          OR EXISTS (
              SELECT
              FROM pg_catalog.pg_proc AS p
              WHERE p.pronamespace = n.oid AND p.proname::text = ANY ($2::text[]) AND p.proowner <> patterns.relowner
          )
      )
) AS found;

-- name: readers_without_grants
-- takes: text, text[]
-- gives: role text
SELECT readers.grantee::pg_catalog.regrole::text AS role
FROM (
    SELECT granted.grantee
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS granted
    WHERE n.nspname::text = $1::text
      AND c.relname::text IN ('operation_patterns', 'pattern_approvals')
      AND granted.privilege_type = 'SELECT'::text
      AND granted.grantee <> c.relowner
      AND granted.grantee <> 0::pg_catalog.oid
    GROUP BY granted.grantee
    HAVING pg_catalog.count(DISTINCT c.oid) = 2::bigint
) AS readers
WHERE EXISTS (
    SELECT
    FROM pg_catalog.unnest($2::text[]) AS own (table_name)
    LEFT JOIN (
        pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname::text = 'pattern_sync'::text
    ) ON c.relname::text = own.table_name
    WHERE c.oid IS NULL OR NOT pg_catalog.has_table_privilege(readers.grantee, c.oid, 'SELECT')
)
ORDER BY 1;

-- name: install_trigger
-- takes: text
-- gives: install_trigger void
SELECT pattern_sync.install_trigger($1::text::pg_catalog.regclass);

-- name: foreign_objects
-- takes: text[], text[]
-- gives: described text
WITH RECURSIVE doomed (class_id, object_id) AS (
    SELECT 'pg_catalog.pg_namespace'::pg_catalog.regclass::pg_catalog.oid, n.oid
    FROM pg_catalog.pg_namespace AS n
    WHERE n.nspname::text = 'pattern_sync'::text
    UNION
    SELECT next.class_id, next.object_id
    FROM doomed
    CROSS JOIN LATERAL (
        SELECT d.classid AS class_id, d.objid AS object_id
        FROM pg_catalog.pg_depend AS d
        WHERE d.refclassid = doomed.class_id AND d.refobjid = doomed.object_id
        UNION ALL
        SELECT d.refclassid, d.refobjid -- dropping a part drops the whole: a view goes with its rule
        FROM pg_catalog.pg_depend AS d
        WHERE d.classid = doomed.class_id AND d.objid = doomed.object_id AND d.deptype::text = 'i'::text
    ) AS next
)
SELECT pg_catalog.pg_describe_object(doomed.class_id, doomed.object_id, 0) AS described
FROM doomed
LEFT JOIN pg_catalog.pg_namespace AS ours ON ours.nspname::text = 'pattern_sync'::text
WHERE CASE doomed.class_id::pg_catalog.regclass::text
    WHEN 'pg_namespace'::text THEN false
    WHEN 'pg_default_acl'::text THEN false
    WHEN 'pg_class'::text THEN EXISTS (
        SELECT
        FROM pg_catalog.pg_class AS c
        WHERE c.oid = doomed.object_id
          AND c.relkind::text IN ('r', 'p', 'v', 'm', 'f', 'S', 'c')
          AND NOT (c.relnamespace = ours.oid AND c.relname::text = ANY ($1::text[]))
          AND NOT (c.relkind::text = 'S'::text AND EXISTS ( -- a SERIAL or identity column's: dropped with its table
              SELECT
              FROM pg_catalog.pg_depend AS d
              WHERE d.classid = doomed.class_id AND d.objid = c.oid AND d.deptype::text IN ('a', 'i')
          ))
    )
    WHEN 'pg_proc'::text THEN EXISTS (
        SELECT
        FROM pg_catalog.pg_proc AS p
        WHERE p.oid = doomed.object_id
          AND NOT (p.pronamespace = ours.oid AND p.proname::text = ANY ($2::text[]))
    )
    WHEN 'pg_type'::text THEN EXISTS (
        SELECT
        FROM pg_catalog.pg_type AS t
        WHERE t.oid = doomed.object_id AND t.typtype::text NOT IN ('c', 'm', 'p') AND t.typcategory::text <> 'A'::text
    )
    WHEN 'pg_trigger'::text THEN EXISTS (
        SELECT
        FROM pg_catalog.pg_trigger AS t
        JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid
        WHERE t.oid = doomed.object_id
          AND NOT t.tgisinternal
          AND c.relnamespace <> ours.oid
          AND NOT pg_catalog.starts_with(t.tgname::text, 'pattern_sync_')
    )
    WHEN 'pg_constraint'::text THEN EXISTS (
        SELECT
        FROM pg_catalog.pg_constraint AS k
        LEFT JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid
        WHERE k.oid = doomed.object_id AND c.relnamespace IS DISTINCT FROM ours.oid AND k.contypid = 0::pg_catalog.oid
    )
    WHEN 'pg_rewrite'::text THEN EXISTS (
        SELECT
        FROM pg_catalog.pg_rewrite AS r
        JOIN pg_catalog.pg_class AS c ON c.oid = r.ev_class
        WHERE r.oid = doomed.object_id AND c.relkind::text NOT IN ('v', 'm')
    )
    WHEN 'pg_attrdef'::text THEN EXISTS (
        SELECT
        FROM pg_catalog.pg_attrdef AS f
        JOIN pg_catalog.pg_class AS c ON c.oid = f.adrelid
        WHERE f.oid = doomed.object_id AND c.relnamespace <> ours.oid AND c.relkind::text NOT IN ('v', 'm')
    )
    WHEN 'pg_statistic_ext'::text THEN EXISTS (
        SELECT
        FROM pg_catalog.pg_statistic_ext AS s
        WHERE s.oid = doomed.object_id AND s.stxnamespace <> ours.oid
    )
    ELSE true
END
ORDER BY 1;

-- name: statistics
-- takes: nothing
-- gives: patterns_in_source int8, patterns_in_review int8, pending_sync int8, qualifying int8, qualifying_missing int8
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
            ) AS is_candidate
        FROM operation_patterns AS p
        LEFT JOIN pattern_sync.settings AS s ON true
    ) AS pattern
    FULL JOIN pattern_approvals AS a ON a.pattern_id::text = pattern.signature
) AS rated;

-- name: server
-- takes: nothing
-- gives: server_version text, prepared_transactions int4
SELECT
    pg_catalog.current_setting('server_version') AS server_version,
    pg_catalog.current_setting('max_prepared_transactions')::integer AS prepared_transactions;

-- name: tables_without_trigger
-- takes: nothing
-- gives: relation text
SELECT relation::text AS relation FROM pattern_sync.tables_without_trigger() AS relation;

-- name: trigger_faults
-- takes: nothing
-- gives: relation text, fault text, silenced text, mendable bool
SELECT f.relation::text AS relation, f.fault, f.silenced, f.mending IS NOT NULL AS mendable
FROM pattern_sync.trigger_faults() AS f;

-- name: connected_daemons
-- takes: nothing
-- gives: pid int4, host text, connected_at timestamptz
SELECT s.pid, coalesce(pg_catalog.host(s.client_addr), 'local') AS host, s.backend_start AS connected_at
FROM pg_catalog.pg_stat_activity AS s
WHERE s.datname::text = pg_catalog.current_database()::text
  AND s.application_name::text = 'pattern-sync listener'::text
ORDER BY s.backend_start;

-- name: last_runs
-- takes: nothing
-- gives: kind text, finished_at timestamptz, duration_ms float8, total_candidates int8, synced int8, refreshed int8, skipped int8, errors int8, remaining int8
SELECT DISTINCT ON (r.kind)
    r.kind, r.finished_at, r.duration_ms, r.total_candidates, r.synced, r.refreshed, r.skipped, r.errors, r.remaining
FROM pattern_sync.runs AS r
WHERE r.kind::text <> 'recovered'::text
ORDER BY r.kind, r.id DESC;

-- name: recoveries
-- takes: nothing
-- gives: patterns int8, last_at timestamptz
SELECT coalesce(pg_catalog.sum(r.synced), 0)::bigint AS patterns, pg_catalog.max(r.finished_at) AS last_at
FROM pattern_sync.runs AS r
WHERE r.kind::text = 'recovered'::text;

-- name: refusals
-- takes: nothing
-- gives: pattern_id text, reason text, total int8
SELECT r.pattern_id, r.reason, pg_catalog.count(*) OVER () AS total
FROM pattern_sync.refusals AS r
ORDER BY r.refused_at DESC, r.pattern_id
LIMIT 5;

-- name: missing_indexes
-- takes: nothing
-- gives: relation text, cost text, command text
WITH large AS MATERIALIZED (
    SELECT
        named.name,
        c.oid AS id,
        c.oid::regclass::text AS relation,
        pg_catalog.pg_relation_size(c.oid::regclass) AS bytes
    FROM (
        VALUES ('operation_patterns'), ('pattern_occurrences'), ('pattern_approvals')
    ) AS named (name)
    JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass(named.name)::oid
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
            'the entries show no example sessions, as each search for them would read all of its %s',
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
-- takes: float8, int8, float8, text[], text[], text
-- gives: pattern_exists bool, pattern_type text, confidence float8, occurrences int8, savings float8, automation_status text, eligible bool, rejected bool, entry_status text, written_by_us bool, refusal text, daemons int8, confidence_met bool, occurrences_met bool, savings_met bool, type_met bool
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
          AND s.application_name::text = 'pattern-sync listener'::text
    ) AS daemons,
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
LEFT JOIN pattern_approvals AS a ON a.pattern_id::text = asked.signature;

-- name: reconcile
-- takes: float8, int8, float8, text[], text[], text
-- gives: row_id int8, signature text, outcome text, reason text
SELECT r.row_id, r.signature, r.outcome, r.reason
FROM pattern_sync.reconcile(
    $1::double precision, $2::bigint, $3::double precision::numeric, $4::text[], $5::text[],
    $6::text::bigint[]
) AS r;

-- name: notify_pages
-- takes: text[], text[], bool
-- gives: tell_changes void, tell_changes void, everything void
SELECT
    pattern_sync.tell_changes('queued', $1::text[]),
    pattern_sync.tell_changes('refreshed', $2::text[]),
    CASE WHEN $3::boolean THEN pattern_sync.send('pattern_sync_queue', '*') END AS everything;

-- name: queue_missing
-- takes: float8, int8, float8, text[], text[], int8, bool, int4, int4, float8, bool, timestamptz, text[]
-- gives: begun timestamptz, held text[], candidates int8, missing int8, refused int8, handled int8, queued int8, failed int8, queued_signatures text[], failed_signatures text[], failed_reasons text[], finished bool
CALL pattern_sync.queue_missing(
    $1::double precision, $2::bigint, $3::double precision::numeric, $4::text[], $5::text[],
    $6::bigint, $7::boolean, $8::integer, $9::integer, $10::double precision, $11::boolean,
    $12::timestamptz, $13::text[], NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
);

-- name: preview_missing
-- takes: float8, int8, float8, text[], text[], int8
-- gives: candidates int8, missing int8, listed int8, signatures text[]
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
    $6::bigint, true, NULL, '{}', 0, 1
) AS picked;

-- name: refresh_stale
-- takes: float8, int8, float8, text[], text[], int8, int8
-- gives: listed int8, refreshed int8, refreshed_signatures text[], last_id int8
SELECT r.listed, r.refreshed, r.refreshed_signatures, r.last_id
FROM pattern_sync.refresh_stale(
    $1::double precision, $2::bigint, $3::double precision::numeric, $4::text[], $5::text[],
    $6::bigint, $7::bigint
) AS r;

-- name: count_stale
-- takes: nothing
-- gives: stale int8
SELECT pg_catalog.count(*) AS stale
FROM pattern_sync.outdated(pattern_sync.pick_stale('-9223372036854775808'::bigint, NULL)) AS o
WHERE o.differs;

-- name: retry_refused
-- takes: float8, int8, float8, text[], text[], int8
-- gives: tried int8, failed int8, refused int8, reasons text[], queued_signatures text[], refreshed_signatures text[]
SELECT r.tried, r.failed, r.refused, r.reasons, r.queued_signatures, r.refreshed_signatures
FROM pattern_sync.retry_refused(
    $1::double precision, $2::bigint, $3::double precision::numeric, $4::text[], $5::text[],
    $6::bigint
) AS r;

-- name: count_gone
-- takes: nothing
-- gives: gone int8
SELECT pattern_sync.count_gone() AS gone;

-- name: entries
-- takes: text, float8, text, text[], int8
-- gives: pattern_id text, tool_sequence text, status text, confidence_score float8, occurrence_count int8, estimated_savings_usd float8, impact_score float8, pattern_context text, example_sessions text, reviewed_by text, reviewed_at timestamptz, approval_notes text, created_at timestamptz, from_pattern bool
SELECT
    shown.*,
    pattern_sync.is_from_pattern(shown.pattern_id) AS from_pattern
FROM (
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
) AS shown
ORDER BY shown.impact_score DESC, shown.pattern_id;

-- name: queue_counts
-- takes: nothing
-- gives: pending int8, approved int8, rejected int8, auto_approved int8, auto_rejected int8, total int8
SELECT
    pg_catalog.count(*) FILTER (WHERE a.status::text = 'pending') AS pending,
    pg_catalog.count(*) FILTER (WHERE a.status::text = 'approved') AS approved,
    pg_catalog.count(*) FILTER (WHERE a.status::text = 'rejected') AS rejected,
    pg_catalog.count(*) FILTER (WHERE a.status::text = 'auto-approved') AS auto_approved,
    pg_catalog.count(*) FILTER (WHERE a.status::text = 'auto-rejected') AS auto_rejected,
    pg_catalog.count(*) AS total
FROM pattern_approvals AS a;

-- name: queue_fingerprint
-- takes: nothing
-- gives: fingerprint text
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
-- takes: text
-- gives: action text, reviewer text, notes text, created_at timestamptz
SELECT
    h.action::text AS action,
    pattern_sync.legible(h.reviewer::text) AS reviewer,
    pattern_sync.legible(h.notes::text) AS notes,
    pattern_sync.moment(h.created_at::timestamptz) AS created_at
FROM pattern_review_history AS h
WHERE h.pattern_id::text = $1::text
ORDER BY h.created_at, h.ctid;

-- name: decide
-- takes: text, text, text, text, text
-- gives: decided bool
SELECT pattern_sync.decide($1::text, $2::text, $3::text, $4::text, $5::text) AS decided;

-- name: comment
-- takes: text, text, text
-- gives: noted bool
SELECT pattern_sync.remark($1::text, $2::text, $3::text) AS noted;

-- name: server_state
-- takes: text[], text[]
-- gives: in_recovery bool, read_only bool, lacking text[]
SELECT
    pg_catalog.pg_is_in_recovery() AS in_recovery,
    pg_catalog.current_setting('transaction_read_only'::text) = 'on'::text AS read_only,
    ARRAY(
        SELECT wanted.name
        FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) -- noqa: PRS
            AS wanted (name, value)
        -- DateStyle has two parts, of which we set only the first.
        WHERE pg_catalog.split_part(pg_catalog.current_setting(wanted.name), ','::text, 1) <> wanted.value
    ) AS lacking;

-- name: settle
-- takes: text[], text[], bool
-- gives: value text
SELECT pg_catalog.set_config(wanted.name, wanted.value, $3::boolean) AS value
FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) -- noqa: PRS
    AS wanted (name, value);

-- name: heartbeat
-- takes: nothing
-- gives: listening bool, in_recovery bool
SELECT
    ARRAY['pattern_sync', 'pattern_sync_queue'] OPERATOR(pg_catalog.<@) ARRAY(SELECT pg_catalog.pg_listening_channels())
        AS listening,
    pg_catalog.pg_is_in_recovery() AS in_recovery;

-- name: ping
-- takes: text, text
-- gives: pg_notify void
SELECT pg_catalog.pg_notify($1::text, $2::text);

-- name: observe_again
-- takes: text
-- gives: id int8, occurrence_count int4
UPDATE operation_patterns AS p
SET occurrence_count = p.occurrence_count OPERATOR(pg_catalog.+) 1, last_seen = pg_catalog.now()
WHERE p.pattern_signature::text = $1::text
RETURNING p.id, p.occurrence_count;

-- name: observe_first
-- takes: text, text, text, text
-- gives: id int8, occurrence_count int4
INSERT INTO operation_patterns (
    pattern_signature, pattern_type, typical_input_pattern, typical_operations, confidence_score, occurrence_count
)
VALUES ($1::text, $2::text, $3::text, $4::text::jsonb, 10, 1)
RETURNING id, occurrence_count;

-- name: note_occurrence
-- takes: int8, text
-- gives: nothing
INSERT INTO pattern_occurrences (pattern_id, workflow_id)
VALUES ($1::bigint, $2::text)
ON CONFLICT DO NOTHING;

-- name: rate_pattern
-- takes: int8, float8, float8
-- gives: nothing
UPDATE operation_patterns
SET confidence_score = $2::double precision, potential_monthly_savings = $3::double precision
WHERE id = $1::bigint;

-- name: watch
-- takes: nothing
-- gives: faults text, patterns text[], entries text[], storage text, body text, writers text[], queue_usage float8, blocker_pid int4
WITH taken AS (
    DELETE FROM pattern_sync.marks AS m RETURNING m.channel, m.payload
),
mark AS MATERIALIZED (
    SELECT DISTINCT taken.channel, taken.payload FROM taken
),
queue AS MATERIALIZED (
    SELECT pg_catalog.pg_notification_queue_usage() AS usage
)
SELECT
    (
        SELECT pg_catalog.jsonb_agg(
            pg_catalog.jsonb_build_object(
                'relation', f.relation::text,
                'fault', f.fault,
                'silenced', f.silenced,
                'mendable', f.mending IS NOT NULL
            )
        )::text
        FROM pattern_sync.trigger_faults() AS f
    ) AS faults,
    -- More marks than the daemon keeps mean a scan of all patterns.
    ARRAY(SELECT mark.payload FROM mark WHERE mark.channel::text = 'pattern_sync'::text LIMIT 10001) AS patterns,
    ARRAY(SELECT mark.payload FROM mark WHERE mark.channel::text = 'pattern_sync_queue'::text LIMIT 10001) AS entries,
    pattern_sync.storage() AS storage,
    (
        SELECT p.xmin::text
        FROM pg_catalog.pg_proc AS p
        JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
        WHERE n.nspname::text = 'pattern_sync'::text AND p.proname::text = 'announce'::text
        LIMIT 1
    ) AS body,
    ARRAY(SELECT w.id::text FROM pg_catalog.pg_snapshot_xip(pg_catalog.pg_current_snapshot()) AS w (id)) AS writers,
    queue.usage AS queue_usage,
    CASE WHEN queue.usage >= 0.5::double precision THEN (
        SELECT s.pid
        FROM pg_catalog.pg_stat_activity AS s
        WHERE s.pid::integer <> pg_catalog.pg_backend_pid()
          AND s.backend_type::text = 'client backend'::text
          AND (s.xact_start IS NOT NULL OR s.wait_event::text = 'ClientWrite'::text)
        ORDER BY coalesce(s.xact_start, s.state_change)
        LIMIT 1
    ) END AS blocker_pid
FROM queue;

-- name: mend
-- takes: text
-- gives: install_trigger void
WITH patience AS MATERIALIZED (
    SELECT pg_catalog.set_config('lock_timeout', '200', true)
)
SELECT pattern_sync.install_trigger($1::text::regclass) FROM patience;
