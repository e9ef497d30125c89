-- Statements of the installer. They find objects in the catalogs by the name of their schema, and call nothing that
-- raises an error for an object of another kind or one that has gone.

-- name: lock_installation
-- Let one installer work at a time; the others wait here, where they block nobody.
SELECT pg_catalog.pg_advisory_xact_lock(pg_catalog.hashtextextended('pattern_sync', 0));

-- name: set_lock_timeout
-- Limit how long this transaction waits for any lock ($1, milliseconds).
SELECT pg_catalog.set_config('lock_timeout', $1::text, true);

-- name: set_search_path
-- Find the application's tables in one schema ($1) only. Temporary tables come last, as anybody can create them.
SELECT pg_catalog.set_config(
    'search_path', pg_catalog.concat(pg_catalog.quote_ident($1::text), ', pg_temp'), true
);

-- name: application_schemas
-- Every schema that holds one of the application's tables, whether this session sees it there, and whether we serve it.
-- The schema whose operation_patterns the session sees comes first. A schema is served if our triggers are on its
-- tables (announced) or, where there are no triggers, if our functions search it (looked_into).
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
-- The schema in which new tables would be created, never our own; NULL if the search_path names none.
SELECT (
    SELECT path.place::text
    FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS path (place, position)
    WHERE path.place::text <> 'pattern_sync'::text
    ORDER BY path.position
    LIMIT 1
) AS schema_name;

-- name: application_relations
-- The relations in one schema ($1) under the names that we need: the kind, the owner, and whether this role has the
-- owner's rights.
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
-- The columns of the tables in one schema ($1) that we cannot work with: the column is missing, its type does not fit,
-- it is generated although we write it, or it is an enumeration that lacks a value that we write.
--
-- A domain counts as its base type. A column of the family "any" is only read, as text or as JSON.
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
-- Columns of the tables in one schema ($1) that require a value, have no default and are not filled by us.
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
-- The unique keys on pattern_id of the queue in one schema ($1), each with the reason why it cannot serve ON CONFLICT
-- (NULL: it can). A key on more columns does not count: it would allow two entries for a pattern.
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
-- Publications that include or would include our tables: those for all tables, and those for our schema.
SELECT p.pubname::text AS publication
FROM pg_catalog.pg_publication AS p
WHERE p.puballtables OR EXISTS (
    SELECT
    FROM pg_catalog.pg_publication_tables AS t
    WHERE t.pubname::text = p.pubname::text AND t.schemaname::text = 'pattern_sync'::text
)
ORDER BY p.pubname::text;

-- name: own_schema
-- The schema of our name: its owner (NULL: there is no such schema), whether this role has the owner's rights, whether
-- it is ours or only empty, and whether this role may create it.
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
-- The tables in our schema, and whether this role may read them.
SELECT c.relname::text AS table_name, pg_catalog.has_table_privilege(c.oid, 'SELECT') AS readable
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname::text = 'pattern_sync'::text AND c.relkind::text = 'r'::text;

-- name: filter_is_there
-- Whether the table of the filter has its row.
SELECT EXISTS (SELECT FROM pattern_sync.settings) AS present;

-- name: installed_functions
-- The recorded fingerprint of the installed functions.
SELECT m.functions_md5 FROM pattern_sync.migrations AS m ORDER BY m.version DESC LIMIT 1;

-- name: record_functions
-- Record the fingerprint ($1) of the functions that were just created.
UPDATE pattern_sync.migrations AS m
SET functions_md5 = $1::text
WHERE m.version = (SELECT pg_catalog.max(newest.version) FROM pattern_sync.migrations AS newest);

-- name: inventory
-- The objects that functions.sql has created, each with a digest of its definition and of PUBLIC's rights. It reveals a
-- function that was lost or changed, and a right that a restore has left out. The body of announce() is not compared,
-- as it contains the filter in force.
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
-- Whether any of our objects ($1 tables, $2 functions) has another owner than the patterns in one schema ($3).
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
-- Roles that may read the patterns and the queue in one schema ($1) by a grant, and may not read all of our tables
-- ($2).
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
-- Mend the triggers of one table ($1).
SELECT pattern_sync.install_trigger($1::text::pg_catalog.regclass);

-- name: foreign_objects
-- Foreign objects that would be dropped with our schema: those that others put into it, and those outside that depend
-- on it. Ours are some tables ($1) and functions ($2), the objects that belong to them, and the triggers on the
-- application's tables.
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
