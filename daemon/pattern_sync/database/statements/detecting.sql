-- Detecting: what the reference detector reads and keeps, and the patterns that it writes.

-- name: hook_sessions
-- The sessions of the application's hook events, each with the number of its events and the time of the last one.
SELECT h.session_id, h.events, h.last_event_at
FROM pattern_sync.hook_sessions() AS h
ORDER BY h.session_id;

-- name: hook_events
-- The events of calls in some sessions ($1) of the application, those of a session together.
SELECT h.id, h.event_type, h.session_id, h.tool_name, h.payload, h.at
FROM pattern_sync.hook_events($1::text[]) AS h
ORDER BY h.session_id, h.id;

-- name: report_event
-- Keep what an agent reports over HTTP: of the session $1, agent $2 and call $3 the phase ($4), its tool ($5) and word
-- ($6), at $7. What was reported before changes nothing.
INSERT INTO pattern_sync.reported_events (session_id, agent, call_id, phase, tool, word, reported_at)
VALUES ($1::text, $2::text, $3::text, $4::text, $5::text, $6::text, $7::timestamptz)
ON CONFLICT DO NOTHING;

-- name: reported_sessions
-- The sessions that agents reported over HTTP, each with the number of its events and the time of the last one.
SELECT e.session_id, pg_catalog.count(*) AS events, pg_catalog.max(e.reported_at)::text AS last_event_at
FROM pattern_sync.reported_events AS e
GROUP BY e.session_id
ORDER BY e.session_id;

-- name: reported_events
-- The events of some sessions ($1) that agents reported over HTTP, those of a session together.
SELECT e.id, e.session_id, e.agent, e.call_id, e.phase, e.tool, e.word, e.reported_at
FROM pattern_sync.reported_events AS e
WHERE e.session_id = ANY ($1::text[])
ORDER BY e.session_id, e.id;

-- name: known_sessions
-- The sessions that are kept, and what they were read from.
SELECT s.session_id, s.source, s.events, s.last_event_at
FROM pattern_sync.detected_sessions AS s
ORDER BY s.session_id;

-- name: keep_session
-- Keep a session ($1) as a whole: its source ($2), events ($3) and the time of the last one ($4), whether it shows
-- failures ($5), how many of its calls were cut off ($6), and of its calls the words ($7), outcomes ($8), times ($9)
-- and costs in USD ($10). Returns no row if it is kept as it is already.
INSERT INTO pattern_sync.detected_sessions AS s (
    session_id, source, events, last_event_at, shows_failures, cut_off, words, outcomes, called_at, costs_usd
)
VALUES (
    $1::text, $2::text, $3::bigint, $4::timestamptz, $5::boolean, $6::bigint,
    $7::text[], $8::text[], $9::text[]::timestamptz[], $10::text[]::double precision[]
)
ON CONFLICT (session_id) DO UPDATE SET
    source = excluded.source,
    events = excluded.events,
    last_event_at = excluded.last_event_at,
    shows_failures = excluded.shows_failures,
    cut_off = excluded.cut_off,
    words = excluded.words,
    outcomes = excluded.outcomes,
    called_at = excluded.called_at,
    costs_usd = excluded.costs_usd
WHERE pg_catalog.to_jsonb(s.*) <> pg_catalog.to_jsonb(excluded.*)
RETURNING true AS kept;

-- name: drop_sessions
-- Forget sessions ($1) that another source shows in other parts.
DELETE FROM pattern_sync.detected_sessions AS s WHERE s.session_id = ANY ($1::text[]);

-- name: kept_sessions
-- At most $2 kept sessions after the name $1, as a whole.
SELECT
    s.session_id, s.source, s.events, s.last_event_at, s.shows_failures, s.cut_off,
    pg_catalog.to_jsonb(s.words)::text AS words,
    pg_catalog.to_jsonb(s.outcomes)::text AS outcomes,
    pg_catalog.to_jsonb(s.called_at)::text AS called_at,
    pg_catalog.to_jsonb(s.costs_usd)::text AS costs_usd
FROM pattern_sync.detected_sessions AS s
WHERE s.session_id > $1::text
ORDER BY s.session_id
LIMIT $2::bigint;

-- name: forget_sessions
-- Forget sessions, and what was reported over HTTP, older than $1 days; the occurrences that they showed stay.
WITH events AS (
    DELETE FROM pattern_sync.reported_events AS e
    WHERE e.reported_at < pg_catalog.now() - pg_catalog.make_interval(days => $1::integer)
)

DELETE FROM pattern_sync.detected_sessions AS s
WHERE s.last_event_at < pg_catalog.now() - pg_catalog.make_interval(days => $1::integer);

-- name: routines
-- The routines that were found so far.
SELECT r.signature, pg_catalog.to_jsonb(r.shape)::text AS shape
FROM pattern_sync.routines AS r
ORDER BY r.signature;

-- name: signatures_of_others
-- Which of these signatures ($1) another detector has written.
SELECT DISTINCT p.pattern_signature::text AS signature
FROM operation_patterns AS p
WHERE p.pattern_signature::text = ANY ($1::text[])
  AND NOT EXISTS (
      SELECT FROM pattern_sync.routines AS r WHERE r.signature = p.pattern_signature::text COLLATE pg_catalog."default"
  );

-- name: write_routine
-- Write a routine ($1, its shape $2) as a pattern: kind ($3), confidence ($4), savings ($5, NULL if unknown), and its
-- runs: workflows ($6) and their times ($7).
SELECT pattern_sync.write_routine(
    $1::text, $2::text[], $3::text, $4::double precision, $5::double precision, $6::text[], $7::text[]::timestamptz[]
) AS outcome;
