-- Statements of the watch: whether changes are still notified, and which ones were only marked.

-- name: watch
-- What the watch checks every few seconds: the faults that keep changes from being notified, as a JSON array; the marks
-- of writers that could not notify, which are deleted, and whether there are too many for one look; a digest of the
-- files that hold the patterns; how full the notification queue is and, from half full on, the session that is most
-- likely the cause; a value that changes when the trigger's body is re-created, as it is for a new filter; and the
-- transactions that are writing.
--
-- A session that listens fills the queue if its transaction does not end, or if its client does not read.
--
-- Everybody may leave marks, in any number and with any payload, so one look takes a bounded number of them. A payload
-- that is longer than a row id names nothing; more of it than the log shows is not read.
WITH taken AS MATERIALIZED (
    DELETE FROM pattern_sync.marks AS m
    WHERE m.ctid = ANY (ARRAY(SELECT left_over.ctid FROM pattern_sync.marks AS left_over LIMIT 10001))
    RETURNING m.channel, m.payload
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
    -- More marks than the daemon keeps mean a scan of all patterns, or everything for the pages.
    ARRAY(
        SELECT pg_catalog.left(mark.payload, 200) FROM mark WHERE mark.channel::text = 'pattern_sync'::text
    ) AS patterns,
    CASE WHEN (
        SELECT pg_catalog.count(*) FROM mark WHERE mark.channel::text = 'pattern_sync_queue'::text
    ) > 1000::bigint THEN ARRAY['*'] ELSE ARRAY(
        SELECT mark.payload FROM mark WHERE mark.channel::text = 'pattern_sync_queue'::text
    ) END AS entries,
    (SELECT pg_catalog.count(*) FROM taken) > 10000::bigint AS flooded,
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
    ) END AS blocker_pid
FROM queue;

-- name: shed_marks
-- Replace marks that are too many to be read by one on each channel, for everything; returns how many they were. Each
-- call takes a bounded number, in one transaction: no mark is lost.
WITH shed AS MATERIALIZED (
    DELETE FROM pattern_sync.marks AS m
    WHERE m.ctid = ANY (ARRAY(SELECT left_over.ctid FROM pattern_sync.marks AS left_over LIMIT 10001))
    RETURNING m.channel
),
everything AS (
    INSERT INTO pattern_sync.marks (channel, payload) SELECT DISTINCT shed.channel, '*' FROM shed
)
SELECT pg_catalog.count(*) AS shed FROM shed;

-- name: mend
-- Mend the triggers of one table ($1), unless a lock is not free within 200 ms: the writers go first.
WITH patience AS MATERIALIZED (
    SELECT pg_catalog.set_config('lock_timeout', '200', true)
)
SELECT pattern_sync.install_trigger($1::text::regclass) FROM patience;
