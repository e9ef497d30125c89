-- Statements of the watch: whether changes are still told, and what could not be.

-- name: watch
-- What keeps changes from being told, a JSON array; the marks of writers that could not notify, taken away; the files
-- of the patterns; how full the notification queue is, from half full on with the session that is most likely why; what
-- differs when the trigger's body was created anew, as it is for another filter; and the transactions that write.
--
-- A session listens and does not read when its transaction does not end, or when its client does not take what is sent.
WITH taken AS (
    DELETE FROM pattern_sync.marks AS m RETURNING m.channel, m.payload
),
mark AS MATERIALIZED (
    SELECT DISTINCT taken.channel, taken.payload FROM taken
),
queue AS MATERIALIZED (
    SELECT pg_catalog.pg_notification_queue_usage() AS usage
)
SELECT
    (
        SELECT pg_catalog.jsonb_agg(
            pg_catalog.jsonb_build_object(
                'relation', f.relation::text,
                'fault', f.fault,
                'silenced', f.silenced,
                'mendable', f.mending IS NOT NULL
            )
        )::text
        FROM pattern_sync.trigger_faults() AS f
    ) AS faults,
    -- More than the daemon would look at one by one mean as much as all.
    ARRAY(SELECT mark.payload FROM mark WHERE mark.channel::text = 'pattern_sync'::text LIMIT 10001) AS patterns,
    ARRAY(SELECT mark.payload FROM mark WHERE mark.channel::text = 'pattern_sync_queue'::text LIMIT 10001) AS entries,
    pattern_sync.storage() AS storage,
    (
        SELECT p.xmin::text
        FROM pg_catalog.pg_proc AS p
        JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace
        WHERE n.nspname::text = 'pattern_sync'::text AND p.proname::text = 'announce'::text
        LIMIT 1
    ) AS body,
    ARRAY(SELECT w.id::text FROM pg_catalog.pg_snapshot_xip(pg_catalog.pg_current_snapshot()) AS w (id)) AS writers,
    queue.usage AS queue_usage,
    CASE WHEN queue.usage >= 0.5::double precision THEN (
        SELECT s.pid
        FROM pg_catalog.pg_stat_activity AS s
        WHERE s.pid::integer <> pg_catalog.pg_backend_pid()
          AND s.backend_type::text = 'client backend'::text
          AND (s.xact_start IS NOT NULL OR s.wait_event::text = 'ClientWrite'::text)
        ORDER BY coalesce(s.xact_start, s.state_change)
        LIMIT 1
    ) END AS hinderer
FROM queue;

-- name: mend
-- Mend the triggers of one table ($1), unless it takes a lock that is not had at once: the writers go first.
WITH patience AS MATERIALIZED (
    SELECT pg_catalog.set_config('lock_timeout', '200', true)
)
SELECT pattern_sync.install_trigger($1::text::regclass) FROM patience;
