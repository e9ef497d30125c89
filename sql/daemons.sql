-- A role that may record runs works as a daemon. What it was granted names the tables of that day, so it gets its
-- rights on the tables that were added later.

DO $$
DECLARE
    granting record;
BEGIN
    FOR granting IN
        SELECT pg_catalog.format(
            'GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s',
            c.oid::pg_catalog.regclass,
            granted.grantee::pg_catalog.regrole
        ) AS command
        FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_class AS runs ON runs.relnamespace = n.oid AND runs.relname::text = 'runs'::text
        CROSS JOIN LATERAL pg_catalog.aclexplode(runs.relacl) AS granted
        WHERE n.nspname::text = 'pattern_sync'::text
          AND c.relkind::text = 'r'::text
          AND c.relowner = n.nspowner
          AND c.relname::text NOT IN ('migrations', 'settings', 'runs') -- a person granted the rights on these
          AND granted.privilege_type = 'INSERT'::text
          AND granted.grantee <> runs.relowner
          AND granted.grantee <> 0::pg_catalog.oid
          AND NOT pg_catalog.has_table_privilege(granted.grantee, c.oid, 'INSERT')
    LOOP
        EXECUTE granting.command;
    END LOOP;
END $$;
