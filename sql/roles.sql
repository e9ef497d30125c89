-- Three roles with the least rights for their work: who installs, the daemon, and who writes patterns. For psql, as a
-- superuser or as the owner of the database and of the tables:
--
--   psql --single-transaction --file roles.sql URL
--
-- Run it before the first `pattern-sync migrate`, so that its role exists, and once more afterwards, so that the roles
-- get their rights on what was installed. It may be run at any time; it takes nothing away. Later versions of
-- `pattern-sync migrate` grant the runtime role what they add.
--
-- The roles are groups, which cannot log in: GRANT pattern_sync_runtime TO the_daemons_login. Other roles, existing ones
-- too, are named by --set installer=…, --set runtime=… and --set detector=…; the owner of the tables can be the
-- installer. Where the tables are not found on your search_path, name their schema: --set schema=….

\set ON_ERROR_STOP on
\if :{?installer}
\else
\set installer pattern_sync_installer
\endif
\if :{?runtime}
\else
\set runtime pattern_sync_runtime
\endif
\if :{?detector}
\else
\set detector pattern_sync_detector
\endif
\if :{?schema}
SELECT pg_catalog.set_config('search_path', pg_catalog.quote_ident(:'schema'), false) \g /dev/null
\endif

SELECT pg_catalog.format('CREATE ROLE %I NOLOGIN', named.role)
FROM (VALUES (:'installer'), (:'runtime'), (:'detector')) AS named (role)
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.rolname::text = named.role)
\gexec

-- The installer. CREATE on the database: for the schema pattern_sync.
SELECT pg_catalog.format('GRANT CONNECT, CREATE ON DATABASE %I TO %I', pg_catalog.current_database(), :'installer')
\gexec

-- Membership in the tables' owner: only an owner has a trigger fire ALWAYS, and the functions run with its rights. Where
-- a superuser owns the tables, only a superuser can install; nobody is made one here.
SELECT pg_catalog.format('GRANT %I TO %I', o.rolname, :'installer')
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_roles AS o ON o.oid = c.relowner
WHERE c.oid = pg_catalog.to_regclass('operation_patterns')::oid
  AND NOT o.rolsuper
  AND NOT pg_catalog.pg_has_role(:'installer'::name, o.oid, 'MEMBER')
\gexec

-- CREATE on the schema of the application, where there are no tables yet: `migrate` creates them.
SELECT pg_catalog.format('GRANT USAGE, CREATE ON SCHEMA %I TO %I', pg_catalog.current_schema(), :'installer')
WHERE pg_catalog.to_regclass('operation_patterns') IS NULL
\gexec

-- The runtime role and the detector: to connect, and to reach the schemas of the application and of Pattern Sync.
SELECT pg_catalog.format(
    'GRANT CONNECT ON DATABASE %I TO %I, %I', pg_catalog.current_database(), :'runtime', :'detector'
)
\gexec
SELECT pg_catalog.format('GRANT USAGE ON SCHEMA %I TO %I, %I', n.nspname, :'runtime', :'detector')
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname::text = 'pattern_sync'::text
   OR n.oid = (
       SELECT c.relnamespace FROM pg_catalog.pg_class AS c
       WHERE c.oid = pg_catalog.to_regclass('operation_patterns')::oid
   )
\gexec

SELECT pg_catalog.format('GRANT %s ON %s TO %I', granted.privileges, granted.relation::regclass, granted.role)
FROM (
    VALUES
        -- Read what may be queued, and the examples for its entry.
        (:'runtime', 'SELECT', pg_catalog.to_regclass('operation_patterns')::oid),
        (:'runtime', 'SELECT', pg_catalog.to_regclass('pattern_occurrences')::oid),
        -- Mark a pattern with the decision about it.
        (
            :'runtime',
            'UPDATE (automation_status, reviewed_by, reviewed_at, review_notes)',
            pg_catalog.to_regclass('operation_patterns')::oid
        ),
        -- Queue, refresh and decide entries; note decisions and comments. It deletes neither.
        (:'runtime', 'SELECT, INSERT, UPDATE', pg_catalog.to_regclass('pattern_approvals')::oid),
        (:'runtime', 'SELECT, INSERT', pg_catalog.to_regclass('pattern_review_history')::oid),
        -- Read and record what runs have saved; note which confidence was set from that.
        (:'runtime', 'SELECT, INSERT', pg_catalog.to_regclass('cost_savings_log')::oid),
        (:'runtime', 'SELECT, INSERT', pg_catalog.to_regclass('pattern_executions')::oid),
        (:'runtime', 'SELECT, INSERT', pg_catalog.to_regclass('pattern_confidence_history')::oid),
        -- What a detector does: its own work.
        (:'detector', 'SELECT, INSERT, UPDATE', pg_catalog.to_regclass('operation_patterns')::oid),
        (:'detector', 'SELECT, INSERT', pg_catalog.to_regclass('pattern_occurrences')::oid),
        -- What the reference detector does beside that: it reads events of hooks, keeps sessions, and takes back the
        -- occurrences of one that has changed.
        (:'detector', 'DELETE', pg_catalog.to_regclass('pattern_occurrences')::oid),
        (:'detector', 'SELECT', pg_catalog.to_regclass('hook_events')::oid),
        (:'detector', 'SELECT', pg_catalog.to_regclass('pattern_sync.migrations')::oid),
        (
            :'detector',
            'SELECT, INSERT, UPDATE, DELETE',
            pg_catalog.to_regclass('pattern_sync.detected_sessions')::oid
        ),
        (:'detector', 'SELECT, DELETE', pg_catalog.to_regclass('pattern_sync.reported_events')::oid),
        (:'detector', 'SELECT, INSERT', pg_catalog.to_regclass('pattern_sync.routines')::oid)
) AS granted (role, privileges, relation)
WHERE granted.relation IS NOT NULL
\gexec

-- The sequences behind SERIAL ids of what each of them inserts; those of identity columns need no right.
SELECT pg_catalog.format('GRANT USAGE ON SEQUENCE %s TO %I', s.oid::regclass, inserted.role)
FROM (
    VALUES
        (:'runtime', pg_catalog.to_regclass('pattern_approvals')::oid),
        (:'runtime', pg_catalog.to_regclass('pattern_review_history')::oid),
        (:'runtime', pg_catalog.to_regclass('cost_savings_log')::oid),
        (:'runtime', pg_catalog.to_regclass('pattern_executions')::oid),
        (:'runtime', pg_catalog.to_regclass('pattern_confidence_history')::oid),
        (:'detector', pg_catalog.to_regclass('operation_patterns')::oid),
        (:'detector', pg_catalog.to_regclass('pattern_occurrences')::oid)
) AS inserted (role, relation)
JOIN pg_catalog.pg_depend AS d ON d.refobjid = inserted.relation
JOIN pg_catalog.pg_class AS s ON s.oid = d.objid
WHERE d.classid = 'pg_catalog.pg_class'::regclass::oid
  AND d.refclassid = 'pg_catalog.pg_class'::regclass::oid
  AND d.deptype::text = 'a'::text
  AND s.relkind::text = 'S'::text
\gexec

-- Our own tables: the version is read, the filter published, a run recorded and forgotten; all others are the daemon's
-- memory.
SELECT pg_catalog.format(
    'GRANT %s ON pattern_sync.%I TO %I',
    CASE c.relname::text
        WHEN 'migrations' THEN 'SELECT'
        WHEN 'settings' THEN 'SELECT, UPDATE'
        WHEN 'runs' THEN 'SELECT, INSERT, DELETE'
        ELSE 'SELECT, INSERT, UPDATE, DELETE'
    END,
    c.relname,
    :'runtime'
)
FROM pg_catalog.pg_class AS c
JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname::text = 'pattern_sync'::text
  AND c.relkind::text = 'r'::text
  AND c.relowner = n.nspowner -- what somebody else has put there is not ours
\gexec

-- Our functions: the daemon's statements call them; the detector's trigger calls four with its rights, also after an
-- error, a detector may request another look, and the reference detector calls four of its own. Everybody may execute them, unless that was revoked.
SELECT pg_catalog.format('GRANT EXECUTE ON ROUTINE %s TO %I', p.oid::regprocedure, granted.role)
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
CROSS JOIN (VALUES (:'runtime', true), (:'detector', false)) AS granted (role, runs_daemons)
WHERE n.nspname::text = 'pattern_sync'::text
  AND p.proowner = n.nspowner
  AND CASE
      WHEN granted.runs_daemons THEN p.proname::text NOT IN ('install_trigger', 'create_announce')
      ELSE p.proname::text IN (
          'announce_pattern', 'notify', 'send', 'mark', 'request',
          'hook_sessions', 'hook_events', 'write_routine', 'write_runs'
      )
  END
\gexec
