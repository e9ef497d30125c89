-- Telling: the messages that people get outside the page.

-- name: plan_messages
-- Begin messages for the channels $1 that have something worth $2 USD a month to be told: due after $3 seconds, and $4
-- after the last one at the earliest. Begin a digest for the slot $5. Returns in how many seconds the next one may be
-- sent.
SELECT pattern_sync.plan_messages(
    $1::text[], $2::double precision, $3::double precision, $4::double precision, $5::timestamptz
) AS due_seconds;

-- name: plan_pauses
-- Begin messages for the channels $1 that were not told of a rule's pause: due $2 seconds after the first one.
SELECT pattern_sync.plan_pauses($1::text[], $2::double precision);

-- name: claim_message
-- Take the next message of the channels $1 that may be sent now, for $2 seconds.
SELECT c.id, c.key, c.channel, c.kind, c.created_at, c.letter, c.attempts
FROM pattern_sync.claim_message($1::text[], $2::double precision) AS c;

-- name: gather_message
-- Settle what a message ($1, at the attempt $2) tells of: what is worth $3 USD a month. At most $4 are named.
SELECT g.signatures, g.patterns, g.savings, g.old
FROM pattern_sync.gather_message($1::bigint, $2::integer, $3::double precision, $4::bigint) AS g;

-- name: gather_pauses
-- Settle which pauses a message ($1, at the attempt $2) tells of.
SELECT
    g.id AS pause_id, g.rule, g.version, g.verdict, pattern_sync.legible(g.because) AS because, g.at AS paused_at,
    g.decided, g.taken_back
FROM pattern_sync.gather_pauses($1::bigint, $2::integer) AS g
ORDER BY g.id;

-- name: freeze_message
-- Keep the text ($3) of a message ($1, at the attempt $2) for all of its attempts.
SELECT pattern_sync.freeze_message($1::bigint, $2::integer, $3::text::jsonb) AS frozen;

-- name: settle_message
-- Note how the attempt $2 of the message $1 ended: its state from now on ($3), status ($4) and reason ($5), in how many
-- seconds it is due again ($6), and what that says of its channel ($7).
SELECT pattern_sync.settle_message(
    $1::bigint, $2::integer, $3::text, $4::integer, $5::text, $6::double precision, $7::text
) AS settled;

-- name: messages
-- The latest messages, newest first: with a state ($1; NULL: any), at most $2.
SELECT
    m.id, m.channel, m.kind, m.state, m.told, m.attempts, m.last_status, m.last_error, m.created_at, m.due_at,
    m.ended_at
FROM pattern_sync.messages AS m
WHERE $1::text IS NULL OR m.state = $1::text
ORDER BY m.id DESC
LIMIT $2::bigint;

-- name: retry_message
-- Send a message ($1) once more that is dead, or that waits for its next attempt.
SELECT pattern_sync.retry_message($1::bigint) AS retried;

-- name: turn_on
-- Send over a channel ($1) again: its receiver has taken something.
DELETE FROM pattern_sync.channels AS c WHERE c.channel = $1::text;

-- name: message_counts
-- How many messages each channel has in each state, and why it is off.
SELECT m.channel, m.state, pg_catalog.count(*) AS messages, c.reason
FROM pattern_sync.messages AS m
LEFT JOIN pattern_sync.channels AS c ON c.channel = m.channel AND c.off_since IS NOT NULL
GROUP BY m.channel, m.state, c.reason
ORDER BY m.channel, m.state;

-- name: prune_messages
-- Forget messages that ended long ago, and what was told of entries that are gone.
SELECT pattern_sync.prune_messages();
