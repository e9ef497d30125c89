"""The tables of runs, written as anybody may write them, and the ledger."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.support.database import TestDatabase

NOW = datetime.now(UTC)
PYTEST = "test:pytest:backend"


class Books:
    """Books of one database; days are counted back from when this module was loaded."""

    def __init__(self, database: TestDatabase) -> None:
        self.database = database

    def approve(self, signature: str = PYTEST, *, days_ago: float = 40, estimate: float = 60, **entry: object) -> int:
        """Add a pattern with an entry that was approved so long ago."""
        row_id = self.database.add_pattern(signature)
        row = {
            "status": "approved",
            "reviewed_at": NOW - timedelta(days=days_ago),
            "confidence_score": 0.85,
            "occurrence_count": 5,
            "estimated_savings_usd": estimate,
            "tool_sequence": "Read",
            **entry,
        }
        names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
        self.database.execute(
            f"INSERT INTO pattern_approvals (pattern_id, {names}) VALUES (%s, {marks})", signature, *row.values()
        )
        return row_id

    def log(self, pattern: int | None, usd: object, workflow: str, days_ago: float = 10, **columns: object) -> None:
        row = {
            "optimization_type": "pattern_offload",
            "workflow_id": workflow,
            "pattern_id": pattern,
            "cost_saved_usd": usd,
            "saved_at": NOW - timedelta(days=days_ago),
            **columns,
        }
        self._insert("cost_savings_log", row)

    def execute(
        self,
        signature: str,
        estimated: float,
        actual: float,
        *,
        workflow: int | None = None,
        success: bool = True,
        days_ago: float = 10,
    ) -> None:
        row = {
            "pattern_id": signature,
            "workflow_id": workflow,
            "execution_time_seconds": 1,
            "estimated_time_seconds": 2,
            "actual_cost": actual,
            "estimated_cost": estimated,
            "success": success,
            "executed_at": NOW - timedelta(days=days_ago),
        }
        self._insert("pattern_executions", row)

    def of(self, signature: str = PYTEST, part: str = "saved") -> dict[str, object]:
        """Return one part of the ledger of a pattern, without what is nothing."""
        rows = [
            row
            for row in self.database.execute("SELECT * FROM pattern_sync.savings()")
            if (row["pattern_id"], row["part"]) == (signature, part)
        ]
        assert len(rows) <= 1
        named = ("logged", "executed", "recorded", "tried", "failed", "saved", "repeated", "superseded")
        return {name: rows[0][name] for name in named if rows[0][name]} if rows else {}

    def parts(self) -> dict[tuple[str, str], Decimal]:
        return {
            (row["pattern_id"], row["part"]): row["saved"]
            for row in self.database.execute("SELECT * FROM pattern_sync.savings()")
        }

    def _insert(self, table: str, row: Mapping[str, object]) -> None:
        names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
        self.database.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", *row.values())
