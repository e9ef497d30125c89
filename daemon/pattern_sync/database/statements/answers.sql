-- Statements of the answers that are kept for whoever asks again.

-- name: begin_answer
-- Begin a request ($2, a digest) under a key ($1): `turn` is set if it is this request's turn to be answered. That is
-- so for a new key, for one that is a day old, and for one whose request was lost a minute ago; a request that is still
-- at work by then finds that it has lost its turn.
WITH begun AS (
    INSERT INTO pattern_sync.answers AS a (key, request, asked_at)
    VALUES ($1::text, $2::text, pg_catalog.clock_timestamp())
    ON CONFLICT (key) DO UPDATE
    SET request = EXCLUDED.request, status_code = NULL, answer = NULL, batch = NULL, asked_at = EXCLUDED.asked_at
    WHERE a.asked_at < EXCLUDED.asked_at - '1 day'::interval
        OR a.status_code IS NULL AND a.request = EXCLUDED.request
        AND a.asked_at < EXCLUDED.asked_at - '1 minute'::interval
    RETURNING a.asked_at
)
SELECT
    (SELECT begun.asked_at FROM begun) AS turn,
    a.request <> $2::text AS differs,
    a.status_code,
    a.answer,
    a.batch
FROM (SELECT) AS always
LEFT JOIN pattern_sync.answers AS a ON a.key = $1::text;

-- name: finish_answer
-- Keep the answer (status $3, body $4, batch $5) to the request whose turn ($2) it was under a key ($1), and forget
-- what is a day old.
WITH forgotten AS (
    DELETE FROM pattern_sync.answers AS a
    WHERE a.key = ANY (ARRAY(
        SELECT f.key FROM pattern_sync.answers AS f
        WHERE f.asked_at < pg_catalog.now() - '1 day'::interval
        ORDER BY f.asked_at
        LIMIT 100
        FOR UPDATE SKIP LOCKED
    ))
)
UPDATE pattern_sync.answers AS a
SET status_code = $3::integer, answer = $4::text, batch = $5::text
WHERE a.key = $1::text AND a.asked_at = $2::timestamptz;

-- name: forget_answer
-- Forget the request whose turn ($2) it was under a key ($1): it has written nothing, so it may be sent again.
DELETE FROM pattern_sync.answers AS a WHERE a.key = $1::text AND a.asked_at = $2::timestamptz;
