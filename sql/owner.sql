-- Give our schema and its objects to the owner of the patterns: whoever may change and drop that table may then upgrade
-- and remove us. Objects that somebody else has created there keep their owner.

DO $$
DECLARE
    holder pg_catalog.pg_roles.rolname%TYPE;
    former pg_catalog.pg_namespace.nspowner%TYPE;
    handing record;
BEGIN
    SELECT r.rolname INTO STRICT holder
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_roles AS r ON r.oid = c.relowner
    WHERE c.oid = 'operation_patterns'::pg_catalog.regclass::pg_catalog.oid;
    SELECT n.nspowner INTO STRICT former FROM pg_catalog.pg_namespace AS n WHERE n.nspname::text = 'pattern_sync'::text;
    EXECUTE pg_catalog.format('ALTER SCHEMA pattern_sync OWNER TO %I', holder);
    FOR handing IN
        SELECT pg_catalog.format('ALTER TABLE %s OWNER TO %I', c.oid::pg_catalog.regclass, holder) AS command
        FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        JOIN pg_catalog.pg_roles AS r ON r.oid = c.relowner
        WHERE n.nspname::text = 'pattern_sync'::text
          AND c.relkind::text = 'r'::text
          AND (c.relowner = former OR r.rolname::text = current_user::text)
        UNION ALL
        SELECT pg_catalog.format('ALTER ROUTINE %s OWNER TO %I', p.oid::pg_catalog.regprocedure, holder)
        FROM pg_catalog.pg_proc AS p
        JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
        JOIN pg_catalog.pg_roles AS r ON r.oid = p.proowner
        WHERE n.nspname::text = 'pattern_sync'::text
          AND (p.proowner = former OR r.rolname::text = current_user::text)
    LOOP
        EXECUTE handing.command;
    END LOOP;
END $$;
