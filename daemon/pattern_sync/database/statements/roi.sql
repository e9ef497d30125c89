-- Return on investment: what approved patterns have saved, beside what they promised.

-- name: savings
-- What every pattern's runs add up to, part by part, with the savings of each day since its approval.
SELECT
    pattern_sync.legible(s.pattern_id) AS pattern_id,
    s.part,
    s.logged,
    s.executed,
    s.recorded,
    s.tried,
    s.failed,
    s.saved::text AS saved,
    s.last_at,
    s.repeated,
    s.superseded,
    s.days
FROM pattern_sync.savings() AS s;

-- name: promises
-- What approved entries have promised.
SELECT
    pattern_sync.legible(a.pattern_id::text) AS pattern_id,
    pattern_sync.legible(pattern_sync.kind_of(a.pattern_id::text)) AS kind,
    a.status::text AS status,
    pattern_sync.amount(a.estimated_savings_usd::text)::text AS estimated,
    pattern_sync.approved_at(
        a.status::text, a.reviewed_at::timestamptz, a.created_at::timestamptz
    ) AS approved_at
FROM pattern_approvals AS a
WHERE a.status::text IN ('approved', 'auto-approved');

-- name: promise
-- What one entry ($1) has promised, whatever its status.
SELECT
    pattern_sync.legible(a.pattern_id::text) AS pattern_id,
    pattern_sync.legible(pattern_sync.kind_of(a.pattern_id::text)) AS kind,
    coalesce(a.status::text, '') AS status,
    pattern_sync.amount(a.estimated_savings_usd::text)::text AS estimated,
    pattern_sync.approved_at(
        a.status::text, a.reviewed_at::timestamptz, a.created_at::timestamptz
    ) AS approved_at
FROM pattern_approvals AS a
WHERE a.pattern_id::text = $1::text;

-- name: savings_sources
-- Why each table of runs cannot be read (NULL: it can), since when what it says is added up (NULL: now), and the
-- server's time.
SELECT
    pattern_sync.log_fault() AS log_fault,
    pattern_sync.executions_fault() AS executions_fault,
    (
        SELECT k.kept_at FROM pattern_sync.savings_kept AS k WHERE pattern_sync.savings_are_kept()
    ) AS kept_at,
    pg_catalog.now() AS now;

-- name: record_savings
-- Record what a run of the pattern $1 has saved: USD ($2), workflow ($3) and tool call ($4), when ($5; NULL: now), the
-- tokens before ($6) and now ($7), and notes ($8). Returns the table that has it; NULL without such a pattern.
SELECT pattern_sync.record_savings(
    $1::text, $2::text::numeric, $3::text, $4::text, $5::timestamptz, $6::bigint, $7::bigint, $8::text
) AS stored;

-- name: record_execution
-- Record an execution ($2, JSON) of the pattern $1. Returns its id; NULL if the queue has no such pattern.
SELECT pattern_sync.record_execution($1::text, $2::text::jsonb) AS id;

-- name: keep_savings
-- Add up what is recorded day by day if more than $1 rows record runs. Returns how many days have changed; NULL if
-- another daemon is at it.
SELECT pattern_sync.keep_savings($1::bigint) AS changed;

-- name: adjust_confidence
-- Set the confidence of pending entries by their results, from $1 executions on. Returns which were written, and which
-- are refused, with the first reason.
SELECT a.adjusted, a.refused, a.reason FROM pattern_sync.adjust_confidence($1::bigint) AS a;
