"""The rows for the measurements."""

from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.server import Database, Venue

# $1 patterns that all qualify, the first with the highest impact; the last is therefore queued last.
QUALIFYING = """
INSERT INTO operation_patterns (
    pattern_signature, pattern_type, occurrence_count, typical_input_pattern, typical_operations,
    potential_monthly_savings, confidence_score
)
SELECT
    'sdlc:bulk:' || i, 'sdlc', 10, 'implement the change and run the tests, round ' || i,
    '["Read", "Edit", {"name": "Bash"}, "Write"]', 1000 + ($1::integer - i), 85
FROM generate_series(1, $1::integer) AS i
"""

OCCURRENCES = """
INSERT INTO pattern_occurrences (pattern_id, workflow_id, detected_at)
SELECT p.id, 'workflow-' || n, now() - n * interval '1 hour'
FROM operation_patterns AS p CROSS JOIN generate_series(1, 2) AS n
WHERE p.pattern_signature LIKE 'sdlc:bulk:%'
"""

# One pattern, as a detector writes it once its value is known.
ONE = """
INSERT INTO operation_patterns (
    pattern_signature, pattern_type, occurrence_count, typical_input_pattern, typical_operations,
    potential_monthly_savings, confidence_score
)
VALUES ($1, 'sdlc', 12, 'implement the change and run the tests', '["Read", "Edit", "Write"]', 2500, 85)
"""


@contextmanager
def table_of(venue: Venue, patterns: int, qualifying: int) -> Iterator[Database]:
    """Yield a database with many patterns, of which those that qualify are queued.

    Most are worth little; of each thousand, two are valuable but uncertain, and one was hardly ever seen.
    """
    with venue.database() as database:
        database.announce(enabled=False)
        database.run(
            """
            INSERT INTO operation_patterns (
                pattern_signature, pattern_type, occurrence_count, potential_monthly_savings, confidence_score
            )
            SELECT
                'tool:seen:' || i, 'tool',
                CASE WHEN i %% 1000 = 3 THEN 2 ELSE 1 + (random() ^ 4 * 5000)::integer END,
                CASE WHEN i %% 1000 IN (1, 2, 3) THEN 1000 + random() * 9000 ELSE 999 * random() ^ 3 END,
                CASE WHEN i %% 1000 IN (1, 2) THEN 20 + 49 * random() ELSE 10 + 85 * random() END
            FROM generate_series(1, %s::integer) AS i
            """,
            patterns - qualifying,
        )
        database.run(
            """
            INSERT INTO operation_patterns (
                pattern_signature, pattern_type, occurrence_count, potential_monthly_savings, confidence_score,
                typical_operations
            )
            SELECT 'sdlc:worth:' || i, 'sdlc', 10, 1000 + i, 70 + 25 * random(), '["Read", "Edit", "Write"]'
            FROM generate_series(1, %s::integer) AS i
            """,
            qualifying,
        )
        database.announce(enabled=True)
        queue_all(database, "pending")
        database.settle()
        yield database


def queue_all(database: Database, status: str) -> None:
    """Give each of our qualifying patterns an entry, as the daemon would have written it."""
    database.run(
        """
        INSERT INTO pattern_approvals (
            pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd, tool_sequence
        )
        SELECT
            p.pattern_signature, %s, pattern_sync.figure(p.confidence_score::numeric / 100), p.occurrence_count,
            pattern_sync.figure(p.potential_monthly_savings), 'Read→Edit→Write'
        FROM operation_patterns AS p
        WHERE p.pattern_signature LIKE 'sdlc:worth:%%'
        """,
        status,
    )
    remember(database)


def remember(database: Database) -> None:
    """Record the figures of all entries as last written; otherwise each would be refreshed once."""
    database.run(
        """
        INSERT INTO pattern_sync.written (pattern_id, confidence, occurrences, savings)
        SELECT a.pattern_id, p.confidence_score, p.occurrence_count, p.potential_monthly_savings
        FROM pattern_approvals AS a JOIN operation_patterns AS p ON p.pattern_signature = a.pattern_id
        ON CONFLICT (pattern_id) DO UPDATE
        SET confidence = EXCLUDED.confidence, occurrences = EXCLUDED.occurrences, savings = EXCLUDED.savings
        """
    )
