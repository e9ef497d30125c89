-- Statements of the LISTEN session.

-- name: server_state
-- Whether this server takes writes, and which of the settings ($1) do not have the values ($2) that were asked for.
SELECT
    pg_catalog.pg_is_in_recovery() AS in_recovery,
    pg_catalog.current_setting('transaction_read_only'::text) = 'on'::text AS read_only,
    ARRAY(
        SELECT wanted.name
        FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) -- noqa: PRS
            AS wanted (name, value)
        -- DateStyle is two values, the second of which stays as it was.
        WHERE pg_catalog.split_part(pg_catalog.current_setting(wanted.name), ','::text, 1) <> wanted.value
    ) AS lacking;

-- name: settle
-- Give settings ($1) their values ($2): to the session, or ($3) to this transaction alone, as a pooler shares its
-- servers.
SELECT pg_catalog.set_config(wanted.name, wanted.value, $3::boolean) AS value
FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) -- noqa: PRS
    AS wanted (name, value);

-- name: heartbeat
-- Proof that this very session still listens, and on a server that takes writes.
SELECT
    ARRAY['pattern_sync', 'pattern_sync_queue'] OPERATOR(pg_catalog.<@) ARRAY(SELECT pg_catalog.pg_listening_channels())
        AS listening,
    pg_catalog.pg_is_in_recovery() AS in_recovery;

-- name: ping
-- Send a payload ($2) to this session's private channel ($1): only its arrival proves the whole way.
SELECT pg_catalog.pg_notify($1::text, $2::text);
