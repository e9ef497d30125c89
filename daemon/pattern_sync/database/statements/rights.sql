-- Statements about the rights of other roles than the session's: those who write, and those of daemons.

-- name: writers_without_rights
-- The roles that lack a right that our triggers need, one row for each: its part in the matter, whom the lack silences
-- ('patterns': the daemons, 'pages': the review pages only), what it lacks, and the statements that grant it.
--
-- A trigger's body runs with the writer's rights. Writers are the roles that may write one of the tables, a child or a
-- partition of it, or a view over it; whoever inherits from such a role inherits these rights, too. What announces a
-- pattern runs with the rights of the functions' owner. A superuser lacks nothing. USAGE on a schema, like EXECUTE on a
-- function, is everybody's until somebody revokes it; while it is, no role is looked at.
--
-- It reads only catalogs, so that it works without our schema, without any right on it, and with an older version of
-- it. A plan may evaluate conditions in any order: a call that raises an error for the wrong kind of object stands in a
-- CASE.
WITH RECURSIVE family (root, relation) AS (
    SELECT named.root, pg_catalog.to_regclass(named.root)::oid
    FROM (
        VALUES ('operation_patterns'), ('pattern_approvals'), ('pattern_review_history')
    ) AS named (root)
    WHERE pg_catalog.to_regclass(named.root) IS NOT NULL
    UNION
    SELECT family.root, reached.relation
    FROM family
    CROSS JOIN LATERAL (
        SELECT i.inhrelid AS relation FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = family.relation
        UNION ALL
        SELECT r.ev_class
        FROM pg_catalog.pg_depend AS d
        JOIN pg_catalog.pg_rewrite AS r ON r.oid = d.objid
        WHERE d.refclassid = 'pg_catalog.pg_class'::regclass::oid
          AND d.refobjid = family.relation
          AND d.classid = 'pg_catalog.pg_rewrite'::regclass::oid
    ) AS reached
),
written AS MATERIALIZED (
    SELECT family.root, c.*
    FROM family
    CROSS JOIN LATERAL (
        SELECT
            r.oid AS relation,
            r.relnamespace AS schema_id,
            coalesce(r.relacl, pg_catalog.acldefault('r', r.relowner)) AS rights,
            CASE r.relkind::text -- the bits of UPDATE and INSERT
                WHEN 'v' THEN pg_catalog.pg_relation_is_updatable(r.oid, false) & 12 > 0
                ELSE r.relkind::text IN ('r', 'p')
            END AS writable
        FROM pg_catalog.pg_class AS r
        WHERE r.oid = family.relation
        LIMIT 1
    ) AS c
    WHERE c.writable
),
writer AS MATERIALIZED (
    SELECT held.root, granted.grantee AS role, pg_catalog.array_agg(DISTINCT granted.privilege_type) AS writes
    FROM (
        SELECT written.root, written.rights FROM written
        UNION ALL
        SELECT written.root, a.attacl
        FROM written
        JOIN pg_catalog.pg_attribute AS a ON a.attrelid = written.relation
        WHERE a.attacl IS NOT NULL
    ) AS held
    CROSS JOIN LATERAL pg_catalog.aclexplode(held.rights) AS granted
    GROUP BY held.root, granted.grantee
    UNION ALL
    -- Members of a role that may write every table, and use every schema, without a grant.
    SELECT written.root, m.member, ARRAY['INSERT', 'UPDATE', 'DELETE']
    FROM (SELECT DISTINCT w.root FROM written AS w) AS written
    CROSS JOIN pg_catalog.pg_roles AS r
    JOIN pg_catalog.pg_auth_members AS m ON m.roleid = r.oid
    WHERE r.rolname::text = 'pg_write_all_data'::text
),
-- What a statement on a table calls with the writer's rights, directly or after an error.
call (root, writes, silenced, functions) AS (
    VALUES
        (
            'operation_patterns',
            ARRAY['INSERT', 'UPDATE'],
            'patterns',
            ARRAY['announce_pattern', 'notify', 'send', 'mark']
        ),
        (
            'pattern_approvals',
            ARRAY['DELETE', 'TRUNCATE'],
            'patterns',
            ARRAY['announce_deletion', 'remember_rejections', 'notify', 'send', 'mark']
        ),
        (
            'pattern_approvals',
            ARRAY['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE'],
            'pages',
            ARRAY['tell_changes', 'most_named', 'legible', 'escaped_where_illegible', 'send', 'mark']
        ),
        (
            'pattern_review_history',
            ARRAY['INSERT'],
            'pages',
            ARRAY['tell_changes', 'most_named', 'legible', 'escaped_where_illegible', 'send', 'mark']
        )
),
our_schema AS MATERIALIZED (
    SELECT n.oid AS id, pg_catalog.has_schema_privilege('public', n.oid, 'USAGE') AS everybodys
    FROM pg_catalog.pg_namespace AS n
    WHERE n.nspname::text = 'pattern_sync'::text
),
our_function AS MATERIALIZED (
    SELECT
        p.oid AS id,
        p.proname::text AS name,
        p.proowner AS owner,
        p.prosecdef AS as_owner,
        pg_catalog.has_function_privilege('public', p.oid, 'EXECUTE') AS everybodys
    FROM our_schema
    JOIN pg_catalog.pg_proc AS p ON p.pronamespace = our_schema.id
),
owner AS (
    SELECT DISTINCT our_function.owner AS role FROM our_function WHERE our_function.as_owner
),
-- What announces a pattern and what remembers a rejection do, with their owner's rights.
owners_need AS (
    SELECT 'USAGE' AS privilege, 'SCHEMA' AS kind, our_schema.id
    FROM our_schema
    WHERE NOT our_schema.everybodys
    UNION ALL
    SELECT 'EXECUTE', 'FUNCTION', our_function.id
    FROM our_function
    WHERE our_function.name IN ('notify', 'send', 'mark', 'eligible') AND NOT our_function.everybodys
    UNION ALL
    SELECT 'INSERT', 'TABLE', c.oid
    FROM our_schema
    JOIN pg_catalog.pg_class AS c ON c.relnamespace = our_schema.id
    WHERE c.relname::text IN ('marks', 'rejections') AND c.relkind::text = 'r'::text
    UNION ALL
    SELECT each.privilege, each.kind, CASE each.kind WHEN 'SCHEMA' THEN written.schema_id ELSE written.relation END
    FROM written
    CROSS JOIN (VALUES ('USAGE', 'SCHEMA'), ('SELECT', 'TABLE')) AS each (privilege, kind)
    WHERE written.root IN ('operation_patterns', 'pattern_approvals')
      AND written.relation = pg_catalog.to_regclass(written.root)::oid
),
needed AS MATERIALIZED (
    SELECT writer.role, pg_catalog.format('may write %s', writer.root) AS part, call.silenced, need.*
    FROM writer
    JOIN call ON call.root = writer.root AND call.writes OPERATOR(pg_catalog.&&) writer.writes -- noqa: LT01
    CROSS JOIN LATERAL (
        SELECT 'USAGE' AS privilege, 'SCHEMA' AS kind, our_schema.id
        FROM our_schema
        WHERE NOT our_schema.everybodys
        UNION ALL
        SELECT 'EXECUTE', 'FUNCTION', our_function.id
        FROM our_function
        WHERE our_function.name = ANY (call.functions) AND NOT our_function.everybodys
    ) AS need
    UNION ALL
    SELECT owner.role, 'owns functions of Pattern Sync', 'patterns', need.*
    FROM owner
    CROSS JOIN owners_need AS need
),
lacked AS MATERIALIZED (
    SELECT
        CASE needed.role WHEN 0::oid THEN 'PUBLIC' ELSE pg_catalog.quote_ident(
            pg_catalog.pg_get_userbyid(needed.role)::text
        ) END AS role,
        needed.part,
        needed.silenced,
        needed.privilege,
        needed.kind,
        CASE needed.kind
            WHEN 'SCHEMA' THEN (
                SELECT pg_catalog.quote_ident(n.nspname::text)
                FROM pg_catalog.pg_namespace AS n
                WHERE n.oid = needed.id
            )
            WHEN 'FUNCTION' THEN needed.id::regprocedure::text
            ELSE needed.id::regclass::text
        END AS object
    FROM needed
    WHERE NOT CASE
        WHEN needed.role = 0::oid THEN false
        WHEN needed.kind = 'SCHEMA' THEN pg_catalog.has_schema_privilege(needed.role, needed.id, needed.privilege)
        WHEN needed.kind = 'FUNCTION' THEN pg_catalog.has_function_privilege(needed.role, needed.id, needed.privilege)
        ELSE pg_catalog.has_table_privilege(needed.role, needed.id, needed.privilege)
    END
),
described AS (
    SELECT lacked.role, pg_catalog.string_agg(DISTINCT lacked.part, ' and ') AS part FROM lacked GROUP BY lacked.role
)
SELECT
    described.role,
    described.part,
    pg_catalog.max(granting.silenced) AS silenced, -- 'patterns' comes after 'pages'
    pg_catalog.string_agg(
        pg_catalog.format('%s on %s %s', granting.privilege, pg_catalog.lower(granting.kind), granting.objects),
        ', ' ORDER BY granting.privilege DESC, granting.kind
    ) AS lacks,
    pg_catalog.string_agg(
        pg_catalog.format(
            'GRANT %s ON %s %s TO %s;', granting.privilege, granting.kind, granting.objects, granting.role
        ),
        ' ' ORDER BY granting.privilege DESC, granting.kind
    ) AS remedy
FROM (
    SELECT
        lacked.role,
        lacked.privilege,
        lacked.kind,
        pg_catalog.max(lacked.silenced) AS silenced,
        pg_catalog.string_agg(DISTINCT lacked.object, ', ') AS objects
    FROM lacked
    GROUP BY lacked.role, lacked.privilege, lacked.kind
) AS granting
JOIN described ON described.role = granting.role
GROUP BY described.role, described.part
ORDER BY described.role;

-- name: daemons_without_rights
-- The roles that may record a run, and so are daemons', and lack a right on a table or a function of ours, as a later
-- version may have added one: one row for each, with the statements that grant it. What somebody else has put into our
-- schema is not ours.
WITH daemon AS (
    SELECT DISTINCT granted.grantee AS role
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS granted
    WHERE n.nspname::text = 'pattern_sync'::text
      AND c.relname::text = 'runs'::text
      AND granted.privilege_type = 'INSERT'::text
      AND granted.grantee NOT IN (0::oid, c.relowner)
),
remedy AS (
    SELECT daemon.role, pg_catalog.format(
        'GRANT %s ON %s TO %s;', needed.privilege, c.oid::regclass, daemon.role::regrole
    ) AS command
    FROM daemon
    CROSS JOIN pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL pg_catalog.unnest(CASE c.relname::text
        WHEN 'migrations' THEN ARRAY['SELECT']
        WHEN 'settings' THEN ARRAY['SELECT', 'UPDATE']
        WHEN 'runs' THEN ARRAY['SELECT', 'INSERT', 'DELETE']
        ELSE ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']
    END) AS needed (privilege)
    WHERE n.nspname::text = 'pattern_sync'::text
      AND c.relkind::text = 'r'::text
      AND c.relowner = n.nspowner
      AND NOT pg_catalog.has_table_privilege(daemon.role, c.oid, needed.privilege)
    UNION ALL
    SELECT DISTINCT daemon.role, pg_catalog.format(
        'GRANT EXECUTE ON ROUTINE %s TO %s;', p.oid::regprocedure, daemon.role::regrole
    )
    FROM daemon
    CROSS JOIN pg_catalog.pg_proc AS p
    JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
    WHERE n.nspname::text = 'pattern_sync'::text
      AND p.proowner = n.nspowner
      AND p.proname::text NOT IN ('install_trigger', 'create_announce')
      AND NOT pg_catalog.has_function_privilege(daemon.role, p.oid, 'EXECUTE')
)
SELECT
    remedy.role::regrole::text AS role,
    pg_catalog.string_agg(remedy.command, ' ' ORDER BY remedy.command) AS remedy
FROM remedy
GROUP BY remedy.role
ORDER BY 1;
