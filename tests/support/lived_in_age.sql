-- Age a database whose statistics were just gathered: leave dead rows, and statistics that are wrong in both directions.

-- Dead rows: every observation is an update.
UPDATE operation_patterns SET last_seen = last_seen + interval '1 minute', avg_duration_minutes = 1;
UPDATE operation_patterns SET last_seen = last_seen + interval '1 minute' WHERE id % 2 = 0;
UPDATE pattern_approvals SET updated_at = now();

-- Fewer rows than the statistics say: deleted, truncated.
DELETE FROM pattern_approvals AS a WHERE a.id NOT IN (SELECT kept.id FROM pattern_approvals AS kept ORDER BY kept.id LIMIT 5000);
DELETE FROM pattern_review_history AS h
    WHERE NOT EXISTS (SELECT FROM pattern_approvals AS a WHERE a.pattern_id = h.pattern_id);
DELETE FROM pattern_confidence_history AS h
    WHERE NOT EXISTS (SELECT FROM pattern_approvals AS a WHERE a.pattern_id = h.pattern_id);
DELETE FROM pattern_executions AS h
    WHERE NOT EXISTS (SELECT FROM pattern_approvals AS a WHERE a.pattern_id = h.pattern_id);
TRUNCATE furniture_2;

-- More rows than the statistics say: loaded, or of another kind.
UPDATE operation_patterns SET potential_monthly_savings = 1000 + id % 9001 WHERE id % 50 = 0;
INSERT INTO pattern_occurrences (pattern_id, workflow_id, similarity_score, matched_characteristics, detected_at)
SELECT p.id, 'wf-' || p.id || '-' || n, 100, '{"complexity": "medium"}', p.first_detected + n * interval '3 days'
FROM operation_patterns AS p CROSS JOIN generate_series(2, 10) AS n;
INSERT INTO furniture_1 (note) SELECT 'y' FROM generate_series(1, 5000);
INSERT INTO audit_log (what) SELECT 'INSERT' FROM generate_series(1, 3000);
