-- Roles that may read all of the patterns and of the queue may read our tables, too. Otherwise a backup role could no
-- longer dump this database: pg_dump reads every table. Nobody else may, as the quarantine holds the server's messages
-- about rows.

DO $$
DECLARE
    reader record;
    granting record;
BEGIN
    FOR reader IN
        SELECT granted.grantee::pg_catalog.regrole AS role
        FROM pg_catalog.pg_class AS c
        CROSS JOIN LATERAL pg_catalog.aclexplode(c.relacl) AS granted
        WHERE c.oid = ANY (ARRAY['operation_patterns', 'pattern_approvals']::pg_catalog.regclass[]::pg_catalog.oid[])
          AND granted.privilege_type = 'SELECT'::text
          AND granted.grantee <> c.relowner
          AND granted.grantee <> 0::pg_catalog.oid
        GROUP BY granted.grantee
        HAVING pg_catalog.count(DISTINCT c.oid) = 2::bigint
    LOOP
        FOR granting IN
            SELECT pg_catalog.format(
                'GRANT SELECT ON %s TO %s', c.oid::pg_catalog.regclass, reader.role
            ) AS command
            FROM pg_catalog.pg_class AS c
            JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname::text = 'pattern_sync'::text
              AND c.relkind::text IN ('r', 'S') -- a dump reads the sequences, too
              AND c.relowner = n.nspowner
        LOOP
            EXECUTE granting.command;
        END LOOP;
    END LOOP;
END $$;
