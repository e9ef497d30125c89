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
    -- The search_path that statements about the application's tables need; NULL where everybody's default is enough.
    (
        SELECT pg_catalog.current_setting('search_path')
        FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        WHERE c.oid = pg_catalog.to_regclass('operation_patterns')::oid AND n.nspname::text <> 'public'::text
    ) AS needed_path,
    pg_catalog.clock_timestamp() AS server_time;

-- name: stored_settings
-- The settings of some names ($1) that a role, this database or both have, each with whether it is meant for sessions
-- like this one, and with the statement that removes it.
SELECT
    stored.name,
    stored.value,
    s.setrole = 0::oid OR coalesce(r.rolname::text = session_user::text, false) AS ours,
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

-- name: unstored_settings
-- The settings of some names ($1) that this session has and that neither its role nor its database gave it, each with
-- the statement that sets it for the server as we need it. A setting with a dot in its name is not in pg_settings.
SELECT
    named.name,
    pg_catalog.current_setting(named.name, true) AS value,
    pg_catalog.format(
        'ALTER SYSTEM SET %s = %s;', named.name,
        CASE named.name WHEN 'session_replication_role' THEN 'origin' ELSE 'off' END
    ) AS remedy
FROM pg_catalog.unnest($1::text[]) AS named (name)
WHERE pg_catalog.current_setting(named.name, true) IS NOT NULL
  AND NOT EXISTS (
      SELECT
      FROM pg_catalog.pg_db_role_setting AS s
      LEFT JOIN pg_catalog.pg_roles AS r ON r.oid = s.setrole
      LEFT JOIN pg_catalog.pg_database AS d ON d.oid = s.setdatabase
      CROSS JOIN LATERAL pg_catalog.unnest(s.setconfig) AS item (item)
      WHERE (s.setrole = 0::oid OR r.rolname::text = session_user::text)
        AND (s.setdatabase = 0::oid OR d.datname::text = pg_catalog.current_database()::text)
        AND pg_catalog.split_part(item.item, '='::text, 1) = named.name
  );

-- name: setting_source
-- Where this session has a setting ($1) from: the client, a role or a database, the server's configuration.
SELECT s.source FROM pg_catalog.pg_settings AS s WHERE s.name = $1::text;

-- name: path_through
-- The statement that puts a schema ($1) in front of the search_path, in this database and for this session's role only:
-- whoever else has this path relies on it. None where the client sets the path, or the role may not use the schema.
SELECT pg_catalog.format(
    'ALTER ROLE %I IN DATABASE %I SET search_path = %s;',
    session_user,
    pg_catalog.current_database(),
    pg_catalog.concat_ws(', ', pg_catalog.quote_ident($1::text), nullif(nullif(s.reset_val, ''), '""'))
) AS remedy
FROM pg_catalog.pg_settings AS s
WHERE s.name = 'search_path'::text
  AND s.source <> 'client'::text
  AND EXISTS (
      SELECT
      FROM pg_catalog.pg_namespace AS n
      WHERE n.nspname::text = $1::text AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')
  );

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

-- name: built_bodies
-- The bodies of the functions that our functions build from a text, as they would be built now.
SELECT
    p.oid::pg_catalog.regprocedure::text AS function,
    CASE p.proname::text
        WHEN 'announce' THEN pattern_sync.announce_body()
        WHEN 'eligible' THEN pg_catalog.concat('SELECT ', pattern_sync.eligibility(p.proargnames[1]))
        WHEN 'is_candidate' THEN pg_catalog.concat(
            'SELECT ', pattern_sync.candidacy(p.proargnames[1], p.proargnames[2:6])
        )
        ELSE pg_catalog.concat('SELECT ', pattern_sync.predicate(
            p.proargnames[1], p.proargnames[2], p.proargnames[3], p.proargnames[4], p.proargnames[5],
            p.proargnames[6], p.proargnames[7], p.proargnames[8], p.proargnames[9]
        ))
    END AS body
FROM pg_catalog.pg_proc AS p
JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname::text = 'pattern_sync'::text
  AND p.proname::text IN ('announce', 'eligible', 'is_candidate', 'qualifies');

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

-- name: queue_suspect
-- The session that most likely keeps the notification queue from being emptied, by the rule of the watch: its
-- transaction does not end, or its client does not read.
SELECT
    s.pid,
    NULL AS prepared,
    s.usename::text AS role,
    s.application_name::text AS application,
    pg_catalog.format('SELECT pg_terminate_backend(%s);', s.pid) AS remedy
FROM pg_catalog.pg_stat_activity AS s
WHERE s.pid::integer <> pg_catalog.pg_backend_pid()
  AND s.backend_type::text = 'client backend'::text
  AND (s.xact_start IS NOT NULL OR s.wait_event::text = 'ClientWrite'::text)
ORDER BY coalesce(s.xact_start, s.state_change)
LIMIT 1;

-- name: long_transactions
-- The transactions on this server, and the prepared ones of this database, that have been open for so many seconds
-- ($1), the oldest first, each with the statement that ends it.
SELECT
    open.pid,
    open.prepared,
    open.role,
    open.application,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - open.since) AS seconds,
    open.remedy
FROM (
    SELECT
        s.pid,
        NULL AS prepared,
        s.usename::text AS role,
        s.application_name::text AS application,
        s.xact_start AS since,
        pg_catalog.format('SELECT pg_terminate_backend(%s);', s.pid) AS remedy
    FROM pg_catalog.pg_stat_activity AS s
    WHERE s.backend_type::text = 'client backend'::text AND s.pid::integer <> pg_catalog.pg_backend_pid()
    UNION ALL
    SELECT NULL, x.gid, x.owner::text, NULL, x.prepared, pg_catalog.format('ROLLBACK PREPARED %L;', x.gid)
    FROM pg_catalog.pg_prepared_xacts AS x
    WHERE x.database::text = pg_catalog.current_database()::text
) AS open
WHERE pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - open.since) >= $1::double precision
ORDER BY open.since
LIMIT 5;

-- name: lock_holders
-- The sessions and prepared transactions that hold locks on the application's tables, their children or our own, and
-- keep others waiting, or that have kept writers out for so many seconds ($1), with how many they block and the
-- statement that ends them. VACUUM and ANALYZE keep no writer out.
--
-- A prepared transaction has no process: as a blocker it is process 0, and its locks are those of the virtual
-- transaction that holds the lock on its number.
WITH RECURSIVE lock AS MATERIALIZED (
    SELECT
        l.pid,
        l.virtualtransaction AS holder,
        l.relation,
        l.transactionid,
        l.mode,
        l.granted,
        coalesce(d.datname::text = pg_catalog.current_database()::text, false) AS here
    FROM pg_catalog.pg_locks AS l
    LEFT JOIN pg_catalog.pg_database AS d ON d.oid = l.database
),
waiting AS MATERIALIZED (
    SELECT w.pid, blocker.pid AS blocker
    FROM (SELECT DISTINCT lock.pid FROM lock WHERE NOT lock.granted) AS w
    CROSS JOIN LATERAL pg_catalog.unnest(pg_catalog.pg_blocking_pids(w.pid)) AS blocker (pid)
),
served (relation) AS (
    SELECT pg_catalog.to_regclass(named.table_name)::pg_catalog.oid
    FROM (VALUES ('operation_patterns'), ('pattern_approvals'), ('pattern_review_history')) AS named (table_name)
    UNION
    SELECT i.inhrelid
    FROM served
    JOIN pg_catalog.pg_inherits AS i ON i.inhparent = served.relation
),
relevant AS MATERIALIZED (
    SELECT served.relation FROM served
    UNION
    SELECT c.oid
    FROM pg_catalog.pg_class AS c
    JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
    WHERE n.nspname::text = 'pattern_sync'::text AND c.relkind::text = 'r'::text
),
open AS MATERIALIZED (
    SELECT
        s.pid,
        NULL AS prepared,
        s.usename::text AS role,
        s.application_name::text AS application,
        s.xact_start AS since,
        (SELECT pg_catalog.count(*) FROM waiting WHERE waiting.blocker = s.pid) AS blocked,
        NULL AS holder,
        pg_catalog.format('SELECT pg_terminate_backend(%s);', s.pid) AS remedy
    FROM pg_catalog.pg_stat_activity AS s
    WHERE s.pid::integer <> pg_catalog.pg_backend_pid()
    UNION ALL
    SELECT
        NULL,
        x.gid,
        x.owner::text,
        NULL,
        x.prepared,
        (
            SELECT pg_catalog.count(DISTINCT wanted.pid)
            FROM waiting
            JOIN lock AS wanted ON wanted.pid = waiting.pid AND NOT wanted.granted
            JOIN lock AS held ON held.transactionid = wanted.transactionid OR held.relation = wanted.relation
            WHERE waiting.blocker = 0
              AND held.granted
              AND held.pid IS NULL
              AND held.holder = own.holder
        ),
        own.holder,
        pg_catalog.format('ROLLBACK PREPARED %L;', x.gid)
    FROM pg_catalog.pg_prepared_xacts AS x
    JOIN lock AS own ON own.transactionid = x.transaction AND own.pid IS NULL AND own.granted
    WHERE x.database::text = pg_catalog.current_database()::text
)
SELECT
    open.pid,
    open.prepared,
    open.role,
    open.application,
    pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - open.since) AS seconds,
    open.blocked,
    open.remedy
FROM open
WHERE EXISTS (
    SELECT
    FROM lock
    JOIN relevant ON relevant.relation = lock.relation
    WHERE (lock.pid = open.pid OR lock.pid IS NULL AND lock.holder = open.holder)
      AND lock.granted
      AND lock.here
      AND (
          open.blocked > 0
          OR (
              lock.mode <> ALL (ARRAY['AccessShareLock', 'ShareUpdateExclusiveLock'])
              AND pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() - open.since) >= $1::double precision
          )
      )
)
ORDER BY open.since;

-- name: what_was_seen
-- Whether the last two criteria of the filter in force can be met: of how many patterns it is known when they were last
-- seen, and of how many a workflow is recorded; whether the occurrences are there and can be read, and the GRANT that
-- helps, with the role that may give it. Of a filter without these criteria, nothing is counted.
WITH known AS MATERIALIZED (
    SELECT
        pg_catalog.count(*) AS patterns,
        pg_catalog.count(k.last_seen) AS dated,
        pg_catalog.count(*) FILTER (WHERE k.workflows > 0::bigint) AS recorded
    FROM pattern_sync.all_seen() AS k
)
SELECT
    s.max_age_days,
    s.min_workflows,
    c.oid IS NOT NULL AS is_there,
    pattern_sync.examples_can_be_read() AS is_readable,
    CASE
        WHEN NOT pg_catalog.has_table_privilege(c.oid, 'SELECT')
            THEN pg_catalog.format('GRANT SELECT ON %I.%I TO %I;', n.nspname, c.relname, current_user)
    END AS grant_to_read,
    pg_catalog.pg_get_userbyid(c.relowner)::text AS owner,
    known.patterns,
    known.dated,
    known.recorded
FROM pattern_sync.settings AS s
LEFT JOIN pg_catalog.pg_class AS c ON c.oid = pg_catalog.to_regclass('pattern_occurrences')::pg_catalog.oid
LEFT JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
CROSS JOIN known;

-- name: roles_part
-- Whether this role may insert patterns, and whether it may read any table of ours that is neither everybody's nor a
-- detector's.
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
          AND c.relname::text NOT IN ('settings', 'migrations', 'detected_sessions', 'reported_events', 'routines')
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

-- name: some_types
-- Types of patterns that the application has, if this role may read them.
SELECT DISTINCT recent.pattern_type
FROM (SELECT p.pattern_type::text AS pattern_type FROM operation_patterns AS p LIMIT 1000) AS recent
WHERE recent.pattern_type IS NOT NULL
ORDER BY 1;

-- name: changed_canary
-- The columns in which a pattern from JSON ($1) is not as it was inserted; no row if there is none of its signature.
SELECT pg_catalog.array_remove(
    ARRAY[
        CASE WHEN p.pattern_type::text IS DISTINCT FROM c.pattern_type::text THEN 'pattern_type' END,
        CASE WHEN p.confidence_score::text IS DISTINCT FROM c.confidence_score::text THEN 'confidence_score' END,
        CASE WHEN p.occurrence_count::text IS DISTINCT FROM c.occurrence_count::text THEN 'occurrence_count' END,
        CASE
            WHEN p.potential_monthly_savings::numeric IS DISTINCT FROM c.potential_monthly_savings::numeric
                THEN 'potential_monthly_savings'
        END
    ],
    NULL
) AS changed
FROM operation_patterns AS p
CROSS JOIN pg_catalog.jsonb_populate_record(NULL::operation_patterns, $1::text::jsonb) AS c
WHERE p.pattern_signature::text = c.pattern_signature::text;
