-- Rules: what decides for people, its trial on their history, and what it did.

-- name: rules
-- The rules, by name; or the one with a name ($1).
SELECT
    r.name, r.version, r.verdict, r.state, r.paused_because,
    r.min_confidence, r.max_confidence, r.min_occurrences, r.min_savings, r.max_savings,
    r.only_kinds, r.exclude_kinds, r.needs_tools, r.without_tools, r.min_workflows, r.min_days_seen, r.allow_flags,
    r.wait_hours, r.per_day, r.check_share, r.agreement,
    pattern_sync.legible(r.changed_by) AS changed_by,
    r.changed_at
FROM pattern_sync.rules AS r
WHERE $1::text IS NULL OR r.name = $1::text
ORDER BY r.name;

-- name: set_rule
-- Write a rule ($1) in place of a version ($2; 0: it is new) with its terms ($3, JSON) in somebody's name ($4). Returns
-- its version from now on; NULL if another was written meanwhile.
SELECT pattern_sync.set_rule($1::text, $2::bigint, $3::text::jsonb, $4::text) AS version;

-- name: switch_rule
-- Have a version ($2) of a rule ($1) be in a state ($3) from now on, in somebody's name ($4).
SELECT pattern_sync.switch_rule($1::text, $2::bigint, $3::text, $4::text) AS switched;

-- name: pause_rule
-- Pause a version ($2) of a rule ($1) that is on, for a reason ($3), in somebody's name ($4).
SELECT pattern_sync.pause_rule($1::text, $2::bigint, $3::text, $4::text) AS paused;

-- name: measure_rule
-- What people decided since a time ($2; NULL: ever), and how much of that a rule ($1: its terms as JSON) would have
-- decided, and decided likewise.
SELECT m.decided, m.fitting, m.agreed, m.lessons, m.agreed_lessons, m.largest
FROM pattern_sync.measure_rule($1::text::jsonb, $2::timestamptz) AS m;

-- name: disagreements
-- The decisions of people since a time ($2; NULL: ever) that a rule ($1: its terms as JSON) would have made otherwise,
-- those worth most first, at most $3.
SELECT
    pattern_sync.legible(d.pattern_id) AS pattern_id,
    pattern_sync.legible(d.reviewer) AS reviewer,
    d.decided_at,
    d.savings,
    pattern_sync.legible(d.notes) AS notes
FROM pattern_sync.disagreements($1::text::jsonb, $2::timestamptz, $3::bigint) AS d
ORDER BY d.savings DESC, d.pattern_id;

-- name: reach_of
-- What a rule ($1: its terms as JSON) reaches of the queue, and what each of its bounds lets through alone.
SELECT
    r.entries, r.pending, r.fitting_pending, r.fitting_savings, r.recent, r.fitting_recent, r.fitting,
    r.alone::text AS alone, r.extremes::text AS extremes
FROM pattern_sync.reach_of($1::text::jsonb) AS r;

-- name: rule_marks
-- The pending entries that rules, or one of them ($1), would decide, and when those that are on will: those due first,
-- at most $2.
SELECT
    pattern_sync.legible(l.pattern_id) AS pattern_id,
    l.rule,
    l.version,
    r.verdict,
    l.at AS since,
    CASE r.state
        WHEN 'on' THEN l.at + pg_catalog.make_interval(secs => r.wait_hours * 3600::double precision)
    END AS due_at
FROM pattern_sync.rule_log AS l
JOIN pattern_sync.rules AS r ON r.name = l.rule
WHERE l.ended_at IS NULL AND l.act = 'would' AND ($1::text IS NULL OR l.rule = $1::text)
ORDER BY due_at, since, pattern_id
LIMIT $2::bigint;

-- name: rule_events
-- The last $2 events in the life of a rule ($1), newest first.
SELECT
    l.act,
    l.version,
    pattern_sync.legible(l.pattern_id) AS pattern_id,
    pattern_sync.legible(l.reviewer) AS reviewer,
    pattern_sync.legible(l.reason) AS reason,
    l.human,
    l.at
FROM pattern_sync.rule_log AS l
WHERE l.rule = $1::text AND l.act NOT IN ('would', 'checked')
ORDER BY l.id DESC
LIMIT $2::bigint;

-- name: rule_counts
-- What a rule ($1) has to do with now, and what its checks say of it: patterns that were left to people, unmarked.
SELECT
    pg_catalog.count(*) FILTER (WHERE l.act = 'would' AND l.ended_at IS NULL) AS marked,
    pg_catalog.count(*) FILTER (WHERE l.act = 'checked' AND l.ended_at IS NULL) AS left_as_checks,
    pg_catalog.count(*) FILTER (
        WHERE l.act = 'decided' AND l.at > pg_catalog.clock_timestamp() - '24 hours'::interval
    ) AS decided_today,
    pg_catalog.count(*) FILTER (WHERE l.act = 'decided') AS decided,
    pg_catalog.count(*) FILTER (WHERE l.act = 'vetoed') AS vetoed,
    pg_catalog.count(*) FILTER (WHERE l.act = 'reverted') AS taken_back,
    pg_catalog.count(*) FILTER (WHERE l.act = 'checked' AND l.human IS NOT NULL) AS checks_judged,
    pg_catalog.count(*) FILTER (
        WHERE l.act = 'checked' AND l.human = pattern_sync.action_of(r.verdict)
    ) AS checks_agreed
FROM pattern_sync.rules AS r
LEFT JOIN pattern_sync.rule_log AS l ON l.rule = r.name
WHERE r.name = $1::text
GROUP BY r.name;

-- name: rule_batches
-- The batches in which a rule ($1) has decided since a time ($2), the last ones first.
SELECT DISTINCT l.batch_id
FROM pattern_sync.rule_log AS l
WHERE l.rule = $1::text AND l.act = 'decided' AND l.at >= $2::timestamptz
ORDER BY l.batch_id DESC;

-- name: veto
-- Object in somebody's name ($2), for a reason ($3), to what rules are about to decide of a pattern ($1).
SELECT pattern_sync.veto($1::text, $2::text, $3::text) AS outcome;

-- name: look_at_rule
-- Whether a version ($2) of a rule ($1) that is on may go on: hours without a look at it, its decisions that were taken
-- back, and those with a new flag; and how many entries are due.
SELECT l.unseen_hours, l.taken_back, l.flagged, l.due
FROM pattern_sync.look_at_rule($1::text, $2::bigint) AS l;

-- name: mark_entries
-- Bring the marks of a version ($2) of a rule ($1) up to date, at most $3 new ones. Returns the patterns whose mark is
-- new or gone.
SELECT pattern_sync.legible(m.pattern_id) AS pattern_id
FROM pg_catalog.unnest(pattern_sync.mark_entries($1::text, $2::bigint, $3::bigint)) AS m (pattern_id);

-- name: apply_rule
-- Decide what a version ($2) of a rule ($1) may decide now, with a reason ($3).
SELECT pattern_sync.legible(a.pattern_id) AS pattern_id, a.outcome, a.batch_id, pattern_sync.legible(a.detail) AS detail
FROM pattern_sync.apply_rule($1::text, $2::bigint, $3::text) AS a;

-- name: prune_rule_log
-- Forget marks that came to nothing long ago, and what rules did with entries that are gone.
SELECT pattern_sync.prune_rule_log();
