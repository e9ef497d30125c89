-- Statements of the doctor, which only read.

-- name: host_state
-- How a server describes itself to this role.
SELECT
    pg_catalog.current_setting('server_version') AS server_version,
    pg_catalog.current_setting('server_version_num')::integer AS version_number,
    pg_catalog.pg_is_in_recovery() AS in_recovery,
    pg_catalog.current_setting('default_transaction_read_only') = 'on'::text AS read_only,
    current_user::text AS role,
    CASE WHEN NOT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE') THEN
        pg_catalog.format('GRANT pg_read_all_stats TO %I;', current_user)
    END AS grant_to_see_sessions,
    pg_catalog.clock_timestamp() AS server_time;

-- name: stored_settings
-- The settings of some names ($1) that a role, this database or both have, each with the statement that removes it.
SELECT
    stored.name,
    stored.value,
    CASE
        WHEN r.rolname IS NULL AND d.datname IS NULL THEN 'every role'
        WHEN r.rolname IS NULL THEN pg_catalog.format('database %I', d.datname)
        WHEN d.datname IS NULL THEN pg_catalog.format('role %I', r.rolname)
        ELSE pg_catalog.format('role %I in database %I', r.rolname, d.datname)
    END AS whose,
    CASE
        WHEN r.rolname IS NULL AND d.datname IS NULL THEN pg_catalog.format('ALTER ROLE ALL RESET %s;', stored.name)
        WHEN r.rolname IS NULL THEN pg_catalog.format('ALTER DATABASE %I RESET %s;', d.datname, stored.name)
        WHEN d.datname IS NULL THEN pg_catalog.format('ALTER ROLE %I RESET %s;', r.rolname, stored.name)
        ELSE pg_catalog.format('ALTER ROLE %I IN DATABASE %I RESET %s;', r.rolname, d.datname, stored.name)
    END AS remedy
FROM pg_catalog.pg_db_role_setting AS s
LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
CROSS JOIN LATERAL (
    SELECT
        pg_catalog.split_part(item.item, '='::text, 1) AS name,
        pg_catalog.substr(item.item, pg_catalog.strpos(item.item, '='::text) + 1) AS value
    FROM pg_catalog.unnest(s.setconfig) AS item (item)
) AS stored
WHERE (d.datname IS NULL OR d.datname::text = pg_catalog.current_database()::text) AND stored.name = ANY ($1::text[])
ORDER BY whose, stored.name;

-- name: listens
-- Whether the session listens to a channel ($1).
SELECT $1::text = ANY (ARRAY(SELECT pg_catalog.pg_listening_channels())) AS listening;

-- name: connection_limits
-- How many connections the server, this database and this role may have, and how many are used; with the statement that
-- lifts the limit, except for the server's, which takes a restart.
SELECT
    limits.scope,
    limits.used::integer AS used,
    limits.most::integer AS most,
    (limits.most - limits.used)::integer AS left_over,
    limits.remedy
FROM (
    SELECT
        'the server' AS scope,
        (SELECT pg_catalog.sum(s.numbackends) FROM pg_catalog.pg_stat_database AS s)::bigint AS used,
        (
            pg_catalog.current_setting('max_connections')::integer
            - pg_catalog.current_setting('superuser_reserved_connections')::integer
            - coalesce(pg_catalog.current_setting('reserved_connections', true)::integer, 0)
        )::bigint AS most,
        NULL AS remedy
    UNION ALL
    SELECT
        pg_catalog.format('database %I', d.datname),
        s.numbackends::bigint,
        d.datconnlimit::bigint,
        pg_catalog.format('ALTER DATABASE %I CONNECTION LIMIT -1;', d.datname)
    FROM pg_catalog.pg_database AS d
    JOIN pg_catalog.pg_stat_database AS s ON s.datid = d.oid
    WHERE d.datname::text = pg_catalog.current_database()::text AND d.datconnlimit >= 0
    UNION ALL
    SELECT
        pg_catalog.format('role %I', r.rolname),
        (SELECT pg_catalog.count(*) FROM pg_catalog.pg_stat_activity AS a WHERE a.usesysid = r.oid),
        r.rolconnlimit::bigint,
        pg_catalog.format('ALTER ROLE %I CONNECTION LIMIT -1;', r.rolname)
    FROM pg_catalog.pg_roles AS r
    WHERE r.rolname::text = current_user::text AND r.rolconnlimit >= 0 AND NOT r.rolsuper
) AS limits;

-- name: function_bodies
-- The bodies of functions in our schema by their names ($1).
SELECT p.oid::pg_catalog.regprocedure::text AS function, p.proname::text AS name, p.prosrc AS body
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname::text = 'pattern_sync'::text AND p.proname::text = ANY ($1::text[])
ORDER BY 1;

-- name: closed_schema
-- Whether somebody has revoked everybody's right to use our schema.
SELECT NOT pg_catalog.has_schema_privilege('public', n.oid, 'USAGE') AS closed
FROM pg_catalog.pg_namespace AS n
WHERE n.nspname::text = 'pattern_sync'::text;

-- name: subscribed
-- Whether a subscription writes the patterns.
SELECT EXISTS (
    SELECT
    FROM pg_catalog.pg_subscription_rel AS s
    WHERE s.srrelid = pg_catalog.to_regclass('operation_patterns')::pg_catalog.oid
) AS subscribed;

-- name: notification_queue
-- How full the server's notification queue is, as a share of 1.
SELECT pg_catalog.pg_notification_queue_usage() AS usage;

-- name: long_transactions
-- The transactions on this server that have been open for so many seconds ($1), the oldest first.
SELECT
    s.pid,
    s.usename::text AS role,
    s.application_name::text AS application,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - s.xact_start) AS seconds
FROM pg_catalog.pg_stat_activity AS s
WHERE s.backend_type::text = 'client backend'::text
  AND s.pid::integer <> pg_catalog.pg_backend_pid()
  AND pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - s.xact_start) >= $1::double precision
ORDER BY s.xact_start
LIMIT 5;

-- name: lock_holders
-- The sessions that hold locks on the application's tables or their children and keep others waiting, or that have kept
-- writers out for so many seconds ($1), with how many they block. VACUUM and ANALYZE keep no writer out.
WITH waiting AS MATERIALIZED (
    SELECT w.pid, blocker.pid AS blocker
    FROM (SELECT DISTINCT l.pid FROM pg_catalog.pg_locks AS l WHERE NOT l.granted) AS w
    CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(w.pid)) AS blocker (pid)
),
served AS MATERIALIZED (
    SELECT pg_catalog.to_regclass(named.table_name)::pg_catalog.oid AS relation
    FROM (VALUES ('operation_patterns'), ('pattern_approvals'), ('pattern_review_history')) AS named (table_name)
    UNION
    SELECT i.inhrelid
    FROM pg_catalog.pg_inherits AS i
    WHERE i.inhparent IN (
        pg_catalog.to_regclass('operation_patterns')::pg_catalog.oid,
        pg_catalog.to_regclass('pattern_approvals')::pg_catalog.oid
    )
)
SELECT
    s.pid,
    s.usename::text AS role,
    s.application_name::text AS application,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - s.xact_start) AS seconds,
    (SELECT pg_catalog.count(*) FROM waiting WHERE waiting.blocker = s.pid) AS blocked
FROM pg_catalog.pg_stat_activity AS s
WHERE s.pid::integer <> pg_catalog.pg_backend_pid()
  AND EXISTS (
      SELECT
      FROM pg_catalog.pg_locks AS l
      JOIN served ON served.relation = l.relation
      JOIN pg_catalog.pg_database AS d ON d.oid = l.database
      WHERE l.pid = s.pid
        AND l.granted
        AND d.datname::text = pg_catalog.current_database()::text
        AND (
            EXISTS (SELECT FROM waiting WHERE waiting.blocker = s.pid)
            OR (
                l.mode <> ALL (ARRAY['AccessShareLock', 'ShareUpdateExclusiveLock'])
                AND pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - s.xact_start) >= $1::double precision
            )
        )
  )
ORDER BY s.xact_start;

-- name: roles_part
-- Whether this role may insert patterns, and whether it may read any table of ours that is not everybody's.
SELECT
    coalesce(
        pg_catalog.has_any_column_privilege(
            pg_catalog.to_regclass('operation_patterns')::pg_catalog.oid, 'INSERT'
        ), false
    ) AS detects,
    EXISTS (
        SELECT
        FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname::text = 'pattern_sync'::text
          AND c.relkind::text = 'r'::text
          AND c.relname::text <> 'settings'::text
          AND pg_catalog.has_any_column_privilege(c.oid, 'SELECT')
    ) AS works;

-- name: announced
-- How many patterns this transaction has announced, as text: empty for none, 301 if the queue was locked. What a
-- session, a role or a database has set is no count.
SELECT
    CASE pg_catalog.current_setting('pattern_sync.announced_by', true)
        WHEN pg_catalog.pg_current_xact_id_if_assigned()::text
            THEN pg_catalog.current_setting('pattern_sync.announced', true)
        ELSE ''
    END AS announced;
