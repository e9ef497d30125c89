-- Statements of the reconcile. $1 to $5 are always the filter: min_confidence, min_occurrences, min_savings,
-- only_types, exclude_types.

-- name: reconcile
-- Bring the entries of the given patterns ($6, row ids) up to date; one row a pattern with what was done.
--
-- People win: an entry is inserted where there is none and its figures are changed while it is pending; no statement
-- of this daemon does anything to an entry otherwise. Rows are written in key order, so that two daemons cannot
-- deadlock; an entry that somebody has locked is skipped, as it may be a person deciding, and is found again in seconds.
-- The triggers on the queue keep quiet: whoever runs this tells what it has written afterwards, by announce_changes.
WITH quiet AS MATERIALIZED (
    SELECT set_config('pattern_sync.announced_later', 'on', true)
),
pattern AS MATERIALIZED (
    SELECT
        p.id,
        p.pattern_signature AS signature,
        p.pattern_type,
        to_jsonb(p.typical_operations) AS operations,
        p.typical_input_pattern,
        a.status,
        pattern_sync.eligible(p.automation_status) AND pattern_sync.qualifies(
            p.confidence_score, p.occurrence_count, p.potential_monthly_savings::numeric, p.pattern_type,
            $1::double precision, $2::bigint, $3::double precision::numeric, $4::text[], $5::text[]
        ) AS wanted,
        p.confidence_score AS confidence,
        p.occurrence_count AS occurrences,
        p.potential_monthly_savings::numeric AS savings
    FROM quiet
    CROSS JOIN operation_patterns AS p
    LEFT JOIN pattern_approvals AS a ON a.pattern_id = p.pattern_signature
    WHERE p.id = ANY ($6::bigint[])
),
queued AS (
    INSERT INTO pattern_approvals (
        pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd,
        tool_sequence, pattern_context, example_sessions
    )
    SELECT
        pattern.signature,
        'pending',
        pattern_sync.figure(pattern.confidence::numeric / 100),
        pattern_sync.entry_occurrences(pattern.occurrences),
        pattern_sync.figure(pattern.savings),
        -- How it works, for a person: the names of the operations joined by arrows. JSON of any shape is taken:
        -- what is not a name (a string, or an object with a string "name") is passed over.
        coalesce(
            (
                SELECT string_agg(named.name, '→' ORDER BY named.position)
                FROM (
                    SELECT item.position, CASE
                        WHEN jsonb_typeof(item.value) = 'string' THEN item.value #>> '{}'
                        WHEN jsonb_typeof(item.value -> 'name') = 'string' THEN item.value ->> 'name'
                    END AS name
                    FROM jsonb_array_elements(
                        CASE WHEN jsonb_typeof(pattern.operations) = 'array' THEN pattern.operations ELSE '[]' END
                    ) WITH ORDINALITY AS item (value, position)
                ) AS named
                WHERE named.name <> ''
            ),
            nullif(pattern.pattern_type, ''),
            'Unknown'
        ),
        left(pattern.typical_input_pattern::text, 500),
        (
            SELECT coalesce(jsonb_agg(newest.workflow_id), '[]')::text
            FROM (
                SELECT o.workflow_id
                FROM pattern_occurrences AS o
                WHERE o.pattern_id = pattern.id
                ORDER BY o.detected_at DESC NULLS LAST, o.id DESC
                LIMIT 10
            ) AS newest
        )
    FROM pattern
    WHERE pattern.wanted AND pattern.status IS NULL
    ORDER BY pattern.signature
    ON CONFLICT (pattern_id) DO NOTHING
    RETURNING pattern_id
),
outdated AS (
    SELECT a.pattern_id, held.confidence, held.occurrences, held.savings
    FROM pattern
    CROSS JOIN LATERAL (
        SELECT
            pattern_sync.entry_confidence(pattern.confidence) AS confidence,
            pattern_sync.entry_occurrences(pattern.occurrences) AS occurrences,
            pattern_sync.entry_savings(pattern.savings) AS savings
    ) AS held
    JOIN pattern_approvals AS a ON a.pattern_id = pattern.signature
    WHERE pattern.status = 'pending' AND a.status = 'pending'
      AND (a.confidence_score::double precision, a.occurrence_count, a.estimated_savings_usd::double precision)
          IS DISTINCT FROM (held.confidence, held.occurrences, held.savings)
    ORDER BY a.pattern_id
    FOR NO KEY UPDATE OF a SKIP LOCKED
),
refreshed AS (
    UPDATE pattern_approvals AS a
    SET
        confidence_score = outdated.confidence,
        occurrence_count = outdated.occurrences,
        estimated_savings_usd = outdated.savings
    FROM outdated
    WHERE a.pattern_id = outdated.pattern_id AND a.status = 'pending'
    RETURNING a.pattern_id
)
SELECT
    pattern.id AS pattern_id,
    pattern.signature,
    CASE
        WHEN pattern.signature IN (SELECT pattern_id FROM queued) THEN 'queued'
        WHEN pattern.signature IN (SELECT pattern_id FROM refreshed) THEN 'refreshed'
        WHEN pattern.status IS NULL AND NOT pattern.wanted THEN 'short'
        WHEN pattern.status <> 'pending' THEN 'decided'
        ELSE 'unchanged'
    END AS outcome
FROM pattern;

-- name: announce_changes
-- Tell the review pages what a reconcile has written: the patterns that it queued ($1) and refreshed ($2).
SELECT pattern_sync.tell_changes('queued', $1::text[]), pattern_sync.tell_changes('refreshed', $2::text[]);

-- name: missing_patterns
-- Patterns that qualify and have no entry, best impact first, at most $6 of them (NULL: all).
SELECT p.id AS pattern_id, p.pattern_signature AS signature
FROM operation_patterns AS p
WHERE pattern_sync.eligible(p.automation_status)
  AND pattern_sync.qualifies(
      p.confidence_score, p.occurrence_count, p.potential_monthly_savings::numeric, p.pattern_type,
      $1::double precision, $2::bigint, $3::double precision::numeric, $4::text[], $5::text[])
  AND NOT EXISTS (SELECT FROM pattern_approvals AS a WHERE a.pattern_id = p.pattern_signature)
ORDER BY
    pattern_sync.impact(p.confidence_score / 100, p.occurrence_count, p.potential_monthly_savings::numeric) DESC,
    p.id
LIMIT $6::bigint;

-- name: count_candidates
-- How many patterns qualify, and how many of them have no entry.
SELECT
    count(*) AS candidates,
    count(*) FILTER (WHERE a.pattern_id IS NULL) AS missing
FROM operation_patterns AS p
LEFT JOIN pattern_approvals AS a ON a.pattern_id = p.pattern_signature
WHERE pattern_sync.eligible(p.automation_status)
  AND pattern_sync.qualifies(
      p.confidence_score, p.occurrence_count, p.potential_monthly_savings::numeric, p.pattern_type,
      $1::double precision, $2::bigint, $3::double precision::numeric, $4::text[], $5::text[]);

-- name: stale_patterns
-- Patterns whose pending entry shows other figures than theirs: the next $2 after the row id $1.
SELECT p.id AS pattern_id, p.pattern_signature AS signature
FROM pattern_approvals AS a
JOIN operation_patterns AS p ON p.pattern_signature = a.pattern_id
WHERE a.status = 'pending'
  AND (a.confidence_score::double precision, a.occurrence_count, a.estimated_savings_usd::double precision)
  IS DISTINCT FROM (
      pattern_sync.entry_confidence(p.confidence_score),
      pattern_sync.entry_occurrences(p.occurrence_count),
      pattern_sync.entry_savings(p.potential_monthly_savings::numeric))
  AND p.id > $1::bigint
ORDER BY p.id
LIMIT $2::bigint;

-- name: count_gone
-- Pending entries whose pattern was deleted: kept, as a person may still want them.
SELECT count(*) AS gone
FROM pattern_approvals AS a
WHERE a.status = 'pending'
  AND NOT EXISTS (SELECT FROM operation_patterns AS p WHERE p.pattern_signature = a.pattern_id);

-- name: pattern_signature
-- The name of one pattern ($1, row id).
SELECT p.pattern_signature AS signature FROM operation_patterns AS p WHERE p.id = $1::bigint;
