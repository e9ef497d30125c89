-- What a year of use leaves in the application's own tables, and what stands around them. Run by a superuser in a
-- session that has become the owner (SET ROLE), right after tests/golden/application_tables.sql.

-- The application's own triggers, beside those that keep updated_at.

CREATE TABLE audit_log (
    id      BIGSERIAL PRIMARY KEY,
    said_at TIMESTAMP DEFAULT now(),
    who     NAME DEFAULT session_user,
    what    TEXT NOT NULL,
    item    JSONB
);

CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO audit_log (what, item) VALUES (TG_OP, to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END));
    RETURN NULL;
END $$;

CREATE TRIGGER audit_approvals AFTER INSERT OR UPDATE OR DELETE ON pattern_approvals
    FOR EACH ROW EXECUTE FUNCTION audit();

-- A row-level trigger that looks at every row and leaves it as it is; the name sorts before all of ours.
CREATE FUNCTION watch_patterns() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.occurrence_count < 0 THEN
        RAISE EXCEPTION 'a count below zero';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER a_watch_patterns BEFORE INSERT OR UPDATE ON operation_patterns
    FOR EACH ROW EXECUTE FUNCTION watch_patterns();
CREATE TRIGGER a_watch_approvals BEFORE INSERT OR UPDATE ON pattern_approvals
    FOR EACH ROW EXECUTE FUNCTION watch_patterns();

-- Dead rows are to stay dead rows, and statistics out of date.

ALTER TABLE operation_patterns SET (autovacuum_enabled = false, toast.autovacuum_enabled = false);
ALTER TABLE pattern_occurrences SET (autovacuum_enabled = false, toast.autovacuum_enabled = false);
ALTER TABLE pattern_approvals SET (autovacuum_enabled = false, toast.autovacuum_enabled = false);
ALTER TABLE pattern_review_history SET (autovacuum_enabled = false, toast.autovacuum_enabled = false);

-- 20,000 patterns: 400 qualify by the default filter (every 50th), the others fall short by one criterion or by all.

INSERT INTO operation_patterns (
    pattern_signature, pattern_type, first_detected, last_seen, occurrence_count, typical_input_pattern,
    typical_operations, potential_monthly_savings, automation_status, confidence_score
)
SELECT
    'lived:' || (ARRAY['test', 'build', 'sdlc', 'docs', 'fix'])[1 + i % 5] || ':' || i,
    (ARRAY['test', 'build', 'sdlc', 'docs', 'fix'])[1 + i % 5],
    now() - interval '1 year' + i * interval '20 minutes',
    now() - (20001 - i) * interval '5 minutes',
    CASE WHEN i % 50 = 0 THEN 5 + i % 977 WHEN i % 97 = 1 THEN NULL ELSE 1 + i % 40 END,
    CASE WHEN i % 3 > 0 THEN repeat('what somebody asked for, number ' || i || '. ', 1 + i % 25) END,
    CASE i % 7
        WHEN 0 THEN NULL
        WHEN 1 THEN '{"name": "not a list"}'
        WHEN 2 THEN '[{"name": "Read"}, {"name": "Edit"}, 7, null]'
        WHEN 3 THEN '[]'
        ELSE '["Read", "Edit", "Write"]'
    END::jsonb,
    CASE WHEN i % 50 = 0 THEN 1000 + i % 9001 WHEN i % 89 = 1 THEN NULL WHEN i % 11 = 1 THEN 5000 + i % 100 ELSE i % 900 END,
    CASE WHEN i % 50 > 0 AND i % 13 = 0 THEN 'active' WHEN i % 101 = 1 THEN NULL ELSE 'detected' END,
    CASE WHEN i % 50 = 0 THEN 70 + i % 30 WHEN i % 83 = 1 THEN NULL ELSE (i % 690) / 10.0 END
FROM generate_series(1, 20000) AS i;

-- Entries of every status, the first 5,000 of which stay: of 250 of the patterns that qualify (100 pending, 10 of these
-- with figures of long ago; 150 decided), of patterns that do not, and of none.

INSERT INTO pattern_approvals (
    pattern_id, status, reviewed_by, reviewed_at, approval_notes, confidence_score, occurrence_count,
    estimated_savings_usd, tool_sequence, pattern_context, example_sessions, created_at
)
SELECT
    p.pattern_signature,
    given.status,
    CASE WHEN given.status = 'pending' THEN NULL WHEN given.status LIKE 'auto-%' THEN given.status ELSE 'ann' END,
    CASE WHEN given.status <> 'pending' THEN now() - interval '90 days' END,
    CASE WHEN given.status = 'rejected' THEN 'REJECTED: a one-off' END,
    coalesce(p.confidence_score, 0) / 100,
    coalesce(p.occurrence_count, 0) - CASE WHEN p.id % 500 = 0 THEN 1 ELSE 0 END,
    coalesce(p.potential_monthly_savings, 0),
    'Read→Edit→Write',
    left(p.typical_input_pattern, 500),
    '["wf-1", "wf-2"]',
    now() - interval '100 days'
FROM operation_patterns AS p
CROSS JOIN LATERAL (
    SELECT CASE
        WHEN p.id % 50 = 0 AND p.id <= 5000 THEN 'pending'
        ELSE (ARRAY['approved', 'rejected', 'auto-approved', 'auto-rejected'])[1 + p.id / 4 % 4]
    END AS status
) AS given
WHERE p.id % 50 = 0 AND p.id <= 12500 OR p.id % 50 > 0 AND p.id % 4 = 1 AND p.id < 18600;

INSERT INTO pattern_approvals (
    pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd, tool_sequence, created_at
)
SELECT
    'foreign:' || i,
    (ARRAY['pending', 'approved', 'rejected', 'auto-approved', 'auto-rejected'])[1 + i % 5],
    (i % 100) / 100.0,
    i % 1000,
    i % 5000,
    'Bash→Bash',
    now() - interval '50 days'
FROM generate_series(1, 5000) AS i;

INSERT INTO pattern_review_history (pattern_id, action, reviewer, notes, created_at)
SELECT a.pattern_id, a.status, 'ann', a.approval_notes, a.reviewed_at
FROM pattern_approvals AS a
WHERE a.status IN ('approved', 'rejected');

-- One occurrence for each pattern: the other nine come after the statistics.

INSERT INTO pattern_occurrences (pattern_id, workflow_id, similarity_score, matched_characteristics, detected_at)
SELECT p.id, 'wf-' || p.id || '-1', 100, '{"complexity": "medium"}', p.first_detected + interval '3 days'
FROM operation_patterns AS p;

INSERT INTO pattern_confidence_history (pattern_id, old_confidence, new_confidence, adjustment_reason)
SELECT a.pattern_id, 0.5, 0.6, 'what automation really did' FROM pattern_approvals AS a WHERE a.id % 20 = 0;
INSERT INTO pattern_executions (
    pattern_id, execution_time_seconds, estimated_time_seconds, actual_cost, estimated_cost, success
)
SELECT a.pattern_id, 1, 2, 3, 4, true FROM pattern_approvals AS a WHERE a.status = 'approved' AND a.id % 3 = 0;

-- What stands around: a hundred tables with their sequences and TOAST tables, and schemas with tables of like names.

CREATE SCHEMA archive;
CREATE TABLE archive.operation_patterns AS SELECT * FROM operation_patterns WHERE id <= 50;
CREATE TABLE archive.pattern_approvals AS SELECT * FROM pattern_approvals WHERE id <= 50;
CREATE TABLE archive.pattern_occurrences (LIKE pattern_occurrences);
CREATE TABLE archive.pattern_review_history (LIKE pattern_review_history);
CREATE SEQUENCE archive.pattern_approvals_id_seq;
CREATE FUNCTION archive.qualifies(double precision, bigint, numeric, text) RETURNS boolean LANGUAGE sql AS 'SELECT true';

CREATE SCHEMA "Reporting";
CREATE VIEW "Reporting".pattern_approvals AS
    SELECT a.*, p.pattern_type, p.first_detected
    FROM pattern_approvals AS a LEFT JOIN operation_patterns AS p ON p.pattern_signature = a.pattern_id;
CREATE MATERIALIZED VIEW "Reporting".operation_patterns AS
    SELECT p.pattern_type, count(*) AS patterns FROM operation_patterns AS p GROUP BY p.pattern_type;
CREATE TABLE "Reporting"."Settings" (id INTEGER GENERATED ALWAYS AS IDENTITY, min_confidence TEXT);

CREATE TYPE mood AS ENUM ('fine', 'not so fine');
CREATE DOMAIN percentage AS DOUBLE PRECISION CHECK (VALUE BETWEEN 0 AND 100);
CREATE TABLE events (id BIGSERIAL, happened_at DATE NOT NULL, mood mood, sure percentage, payload TEXT)
    PARTITION BY RANGE (happened_at);
CREATE TABLE events_2025 PARTITION OF events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE events_later PARTITION OF events DEFAULT;
CREATE INDEX ON events (happened_at);

DO $$
BEGIN
    FOR i IN 1 .. 100 LOOP
        EXECUTE format('CREATE TABLE furniture_%s (id SERIAL PRIMARY KEY, pattern_id TEXT, payload JSONB, note TEXT)', i);
        EXECUTE format('INSERT INTO furniture_%s (note) SELECT ''x'' FROM generate_series(1, 20)', i);
    END LOOP;
END $$;
INSERT INTO furniture_2 (note) SELECT 'y' FROM generate_series(1, 5000);

-- The statistics are not to know that anything qualifies.

UPDATE operation_patterns SET potential_monthly_savings = 0 WHERE id % 50 = 0;
