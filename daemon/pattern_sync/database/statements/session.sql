-- Statements about a session: its server, its settings, and whether it still listens.

-- name: server_state
-- Who we are here, whether this server accepts writes, and which settings ($1) do not have the wanted values ($2).
SELECT
    current_user::text AS role,
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
-- Set settings ($1) to their values ($2): for the session, or, if $3, for this transaction only, as a pooler shares its
-- sessions.
SELECT pg_catalog.set_config(wanted.name, wanted.value, $3::boolean) AS value
FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) -- noqa: PRS
    AS wanted (name, value);

-- name: heartbeat
-- Proof that this session still listens, on a server that accepts writes.
SELECT
    ARRAY['pattern_sync', 'pattern_sync_queue'] OPERATOR(pg_catalog.<@) ARRAY(SELECT pg_catalog.pg_listening_channels())
        AS listening,
    pg_catalog.pg_is_in_recovery() AS in_recovery,
    pg_catalog.current_setting('transaction_read_only'::text) = 'on'::text AS read_only;

-- name: ping
-- Send a payload ($2) on a channel ($1). On a session's private one, only its arrival proves that notifications are
-- delivered.
SELECT pg_catalog.pg_notify($1::text, $2::text);

-- name: unanswered
-- The sessions among these ($1) that do nothing: whoever waits for an answer from one of them waits for nothing. One
-- that has just become idle may still be sending its answer; one that has prepared a statement counts as active, and
-- waits for what its client sends next. The numbers come as a text: for an array of integers the driver would look up
-- the type first.
SELECT waiting.pid
FROM pg_catalog.unnest($1::text::integer[]) AS waiting (pid)
LEFT JOIN pg_catalog.pg_stat_activity AS session ON session.pid = waiting.pid
WHERE
    session.pid IS NULL
    OR (
        (session.state IN ('idle'::text, 'idle in transaction'::text) OR session.wait_event = 'ClientRead'::text)
        AND session.state_change < pg_catalog.clock_timestamp() - interval '2 seconds'
    );
