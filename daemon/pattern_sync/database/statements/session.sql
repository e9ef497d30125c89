-- Statements of the LISTEN session.

-- name: server_state
-- Whether this server takes writes.
SELECT pg_is_in_recovery() AS in_recovery, current_setting('transaction_read_only') = 'on' AS read_only;

-- name: heartbeat
-- Proof that this very session still listens, and on a server that takes writes.
SELECT
    ARRAY['pattern_sync', 'pattern_sync_queue'] OPERATOR(pg_catalog.<@) ARRAY(SELECT pg_catalog.pg_listening_channels())
        AS listening,
    pg_catalog.pg_is_in_recovery() AS in_recovery;

-- name: ping
-- Send a payload ($2) to this session's private channel ($1): only its arrival proves the whole way.
SELECT pg_catalog.pg_notify($1::text, $2::text);
