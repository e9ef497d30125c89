-- Statements of the advice: what was decided on, and what is only just kept out.

-- name: past_decisions
-- The standing decisions of people, with the figures that they saw.
SELECT d.approved, d.confidence, d.occurrences, d.savings, d.kind, d.lesson
FROM pattern_sync.people_decided() AS d
WHERE d.confidence IS NOT NULL AND d.occurrences IS NOT NULL AND d.savings IS NOT NULL;

-- name: count_pending_shown
-- How many pending entries each pair of bounds would show: confidence in percent ($1) and savings ($2). Returns the
-- places of the pairs that show any. The entries are read once, as the bounds are looked through for each.
SELECT met.place, pg_catalog.count(*) AS shown
FROM (
    SELECT
        (pattern_sync.figure(a.confidence_score::text::numeric) * 100::numeric)::double precision AS confidence,
        pattern_sync.figure(a.estimated_savings_usd::text::numeric)::double precision AS savings
    FROM pattern_approvals AS a
    WHERE a.status::text = 'pending'::text
) AS pending
CROSS JOIN LATERAL (
    SELECT asked.place
    FROM pg_catalog.unnest($1::text[]::double precision[]) WITH ORDINALITY AS asked (confidence, place)
    WHERE pending.confidence >= asked.confidence
      AND pending.savings >= ($2::text[]::double precision[])[asked.place::integer]
    OFFSET 0 -- otherwise it may be turned around, and the entries are read for each pair
) AS met
GROUP BY met.place;

-- name: kind_of
-- The kind of one entry ($1).
SELECT t.kind FROM pattern_sync.traits AS t WHERE t.pattern_id = $1::text;

-- name: nearest
-- The $1 patterns without an entry that miss the filter in force by least: the shares of the bounds that they reach,
-- multiplied. Only figures can be nearly reached, so a pattern of a type that is left out is never among them. What is
-- not known of when and how often a pattern was seen reaches nothing.
--
-- The joins are full joins, which are hashed or merged whatever the planner estimates, and never nested loops: the
-- condition after them must not be one that the planner takes for strict.
SELECT pattern_sync.legible(near.signature) AS signature
FROM (
    SELECT
        pattern.signature,
        pattern.id,
        pattern.savings,
        -- A pattern may have any figure; NaN is in no range. `least` leaves out what is NULL: a bound of 0, or none.
        CASE
            WHEN pattern.confidence BETWEEN 0::double precision AND 100::double precision
                THEN least(1::double precision, pattern.confidence / pattern.min_confidence)
            ELSE 0::double precision
        END
        * least(1::double precision, greatest(pattern.occurrences, 0::double precision) / pattern.min_occurrences)
        * least(1::double precision, greatest(pattern.savings, 0::double precision) / pattern.min_savings)
        * least(1::double precision, coalesce(k.workflows, 0::bigint)::double precision / pattern.min_workflows)
        * CASE
            WHEN pattern.max_age_days IS NULL THEN 1::double precision
            WHEN k.last_seen IS NULL THEN 0::double precision
            ELSE least(
                1::double precision,
                pattern.max_age_days * 86400::double precision
                / nullif(greatest(pattern_sync.seconds_since(k.last_seen), 0::double precision), 0::double precision)
            )
        END AS reached
    FROM (
        SELECT
            p.id::bigint AS id,
            p.pattern_signature::text AS signature,
            p.confidence_score::double precision AS confidence,
            p.occurrence_count::bigint::double precision AS occurrences,
            pattern_sync.figure(p.potential_monthly_savings::numeric)::double precision AS savings,
            nullif(s.min_confidence, 0::double precision) AS min_confidence,
            nullif(s.min_occurrences, 0::bigint)::double precision AS min_occurrences,
            nullif(s.min_savings, 0::numeric)::double precision AS min_savings,
            nullif(s.min_workflows, 0::bigint)::double precision AS min_workflows,
            s.max_age_days,
            pattern_sync.is_candidate(
                p.*, s.min_confidence, s.min_occurrences, s.min_savings, s.only_types, s.exclude_types
            ) AS is_candidate
        FROM operation_patterns AS p
        CROSS JOIN pattern_sync.settings AS s
        WHERE pattern_sync.eligible(p.automation_status::text)
          AND pattern_sync.qualifies(
              0, 0, 0, p.pattern_type::text, NULL, NULL, NULL, s.only_types, s.exclude_types
          )
    ) AS pattern
    FULL JOIN (
        SELECT a.pattern_id::text AS signature FROM pattern_approvals AS a
        UNION ALL
        SELECT r.pattern_id FROM pattern_sync.rejections AS r
    ) AS known ON known.signature = pattern.signature
    FULL JOIN pattern_sync.all_seen() AS k ON k.row_id = pattern.id
    WHERE known.signature IS NULL
      AND CASE
          WHEN pattern.is_candidate THEN NOT pattern_sync.is_seen_enough(
              k.last_seen, k.workflows, pattern.max_age_days, pattern.min_workflows::bigint
          )
          ELSE pattern.is_candidate IS NOT NULL -- NULL: only what was seen is here, of a pattern that was left out
      END
) AS near
ORDER BY near.reached DESC, near.savings DESC, near.id
LIMIT $1::bigint;

-- name: queue_by_hand
-- Queue one pattern ($1) whether or not it qualifies, and note who wanted it ($2). Returns the outcome; NULL if there
-- is no such pattern.
SELECT pattern_sync.queue_by_hand($1::text, $2::text) AS outcome;
