-- Statements of the simulated detector, as an application's own detector would have them.

-- name: observe_again
-- Count one more observation of a pattern ($1); returns no row if the pattern is new.
UPDATE operation_patterns AS p
SET occurrence_count = p.occurrence_count OPERATOR(pg_catalog.+) 1, last_seen = pg_catalog.now()
WHERE p.pattern_signature::text = $1::text
RETURNING p.id, p.occurrence_count;

-- name: observe_first
-- Write a new pattern: signature ($1), type ($2), input ($3), operations ($4, JSON).
INSERT INTO operation_patterns (
    pattern_signature, pattern_type, typical_input_pattern, typical_operations, confidence_score, occurrence_count
)
VALUES ($1::text, $2::text, $3::text, $4::text::jsonb, 10, 1)
RETURNING id, occurrence_count;

-- name: note_occurrence
-- Record that a workflow ($2) showed a pattern ($1, row id).
INSERT INTO pattern_occurrences (pattern_id, workflow_id)
VALUES ($1::bigint, $2::text)
ON CONFLICT DO NOTHING;

-- name: rate_pattern
-- Update the rating of a pattern ($1, row id): confidence ($2) and monthly savings ($3).
UPDATE operation_patterns
SET confidence_score = $2::double precision, potential_monthly_savings = $3::double precision
WHERE id = $1::bigint;

-- name: insert_canary
-- Insert a pattern from JSON ($1: signature, type, confidence, occurrences, savings), whatever types the columns have;
-- returns no row where the application keeps it out. The doctor rolls it back.
INSERT INTO operation_patterns (
    pattern_signature, pattern_type, confidence_score, occurrence_count, potential_monthly_savings
)
SELECT
    canary.pattern_signature,
    canary.pattern_type,
    canary.confidence_score,
    canary.occurrence_count,
    canary.potential_monthly_savings
FROM pg_catalog.jsonb_populate_record(NULL::operation_patterns, $1::text::jsonb) AS canary
RETURNING true AS inserted;
