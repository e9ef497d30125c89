"""A large installation: 1,000,000 patterns, of which 200,000 are pending and 20,000 decided; the others fall short."""

from tests.support.database import TestDatabase

PATTERNS, PENDING, DECIDED = 1_000_000, 200_000, 20_000
# 400 kinds and 2,000 targets; figures that are scattered over the rows, as they are where many detectors write.
_PATTERNS = """
INSERT INTO operation_patterns (
    pattern_signature, pattern_type, occurrence_count, avg_cost_with_llm, avg_cost_with_tool,
    potential_monthly_savings, confidence_score, typical_operations, typical_input_pattern
)
SELECT
    'type' || i % 20 || ':kind' || i % 400 || ':target' || i % 2000 || ':' || i,
    'type' || i % 20, 5 + (i * 7919) % 10000, 2.5, 0.3,
    CASE WHEN i <= {pending} + {decided} THEN 1000 + (i * 104729) % 1000000 / 10.0 ELSE i % 999 END, 70 + (i * 31) % 30,
    '["Read", "Edit", "Bash"]', 'Read the report of the tests and mend what it names, number ' || i
FROM generate_series(1, {patterns}::bigint) AS i
"""
_QUEUE = """
INSERT INTO pattern_approvals (
    pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd, tool_sequence, pattern_context,
    reviewed_by, reviewed_at, created_at
)
SELECT
    p.pattern_signature, CASE WHEN n.number <= {pending} THEN 'pending' ELSE 'approved' END,
    p.confidence_score / 100, p.occurrence_count, p.potential_monthly_savings,
    repeat('Read→', 1 + n.number::int % 7) || 'Edit→Bash', p.typical_input_pattern,
    CASE WHEN n.number > {pending} THEN 'ann' END, CASE WHEN n.number > {pending} THEN now() END,
    now() - n.number * interval '3 seconds'
FROM operation_patterns AS p
CROSS JOIN LATERAL (SELECT split_part(p.pattern_signature, ':', 4)::bigint AS number) AS n
WHERE p.pattern_signature LIKE 'type%' AND n.number <= {pending} + {decided}
"""
_WRITTEN = """
INSERT INTO pattern_sync.written (pattern_id, confidence, occurrences, savings)
SELECT pattern_signature, confidence_score, occurrence_count, potential_monthly_savings
FROM operation_patterns WHERE pattern_signature IN (SELECT pattern_id FROM pattern_approvals WHERE status = 'pending')
"""


# Five for each pending pattern, a week apart; scattered, as they are where many patterns are seen at once.
_OCCURRENCES = """
INSERT INTO pattern_occurrences (pattern_id, workflow_id, detected_at)
SELECT p.id, 'workflow-' || n, now() - n * interval '7 days'
FROM generate_series(1, 5) AS n
CROSS JOIN operation_patterns AS p
WHERE p.pattern_signature LIKE 'type%' AND split_part(p.pattern_signature, ':', 4)::bigint <= {pending}
"""
_ENTRIES = """
INSERT INTO pattern_approvals (
    pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd, tool_sequence, pattern_context
)
SELECT
    (ARRAY['sdlc', 'test', 'build', 'docs'])[mod(i, 4) + 1] || ':full:' || i, 'pending', 0.85, i, 1000 + i,
    'Read→Edit→Write', 'context of pattern ' || i
FROM generate_series(1, %s) AS i
"""


def fill(database: TestDatabase, patterns: int = PATTERNS, pending: int = PENDING, *, seen: bool = False) -> None:
    """Write the patterns and the queue, as if a daemon had queued them; no trigger fires, and nothing is analysed.

    Where they are `seen`, each pending one has five occurrences.
    """
    with database.another_connection() as session:
        session.execute("SET session_replication_role = replica")
        for statement in (_PATTERNS, _QUEUE, _WRITTEN, *([_OCCURRENCES] if seen else [])):
            session.execute(statement.format(patterns=patterns, pending=pending, decided=DECIDED).encode())


def fill_queue(database: TestDatabase, entries: int) -> None:
    """Write pending entries of four types that no pattern stands behind, the last of them with the best impact."""
    database.execute(_ENTRIES, entries)
