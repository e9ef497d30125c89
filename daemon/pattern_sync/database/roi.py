"""The store of savings, over either driver."""

from collections.abc import Mapping
from dataclasses import asdict
from decimal import Decimal
from typing import Any

from pattern_sync.database.reviews import Fetch
from pattern_sync.database.rows import to_json
from pattern_sync.domain.roi import Adjusted, Books, Part, Promise, Tally
from pattern_sync.domain.savings import Execution, Saving


class SavingsGateway:
    """Runs the statements about savings; every method raises DatabaseError or SchemaError."""

    def __init__(self, fetch: Fetch) -> None:
        self._fetch = fetch

    async def books(self) -> Books:
        """Return everything that was recorded, and promised by approved patterns."""
        sources = (await self._fetch("savings_sources"))[0]
        tallies = [_to_tally(row) for row in await self._fetch("savings")]
        promises = [_to_promise(row) for row in await self._fetch("promises")]
        return Books(tallies, promises, **sources)

    async def promise(self, pattern_id: str) -> Promise | None:
        """Return what one entry has promised, whatever its status; None if there is none."""
        rows = await self._fetch("promise", pattern_id)
        return _to_promise(rows[0]) if rows else None

    async def record_saving(self, pattern_id: str, saving: Saving) -> str | None:
        """Record what a run has saved; return the table that has it, None if there is no such pattern."""
        rows = await self._fetch(
            "record_savings",
            pattern_id,
            str(saving.usd),
            saving.workflow_id,
            saving.tool_call_id,
            saving.saved_at,
            saving.baseline_tokens,
            saving.actual_tokens,
            saving.notes,
        )
        stored: str | None = rows[0]["stored"]
        return stored

    async def record_execution(self, execution: Execution) -> int | None:
        """Record an execution; return its id, None if the queue has no such pattern."""
        facts = asdict(execution)
        if execution.executed_at is not None:
            facts["executed_at"] = execution.executed_at.isoformat()
        rows = await self._fetch("record_execution", facts.pop("pattern_id"), to_json(facts))
        recorded: int | None = rows[0]["id"]
        return recorded

    async def keep_savings(self, most: int) -> int | None:
        """Add up what is recorded day by day if more rows record runs; return how many days have changed.

        None if another daemon is at it.
        """
        changed: int | None = (await self._fetch("keep_savings", most))[0]["changed"]
        return changed

    async def adjust_confidence(self, at_least: int) -> Adjusted:
        """Set the confidence of pending entries by their results, from so many executions on.

        Returns the names of those that were written, and of those that are refused.
        """
        row = (await self._fetch("adjust_confidence", at_least))[0]
        return Adjusted(tuple(row["adjusted"]), tuple(row["refused"]), row["reason"])


def _to_tally(row: Mapping[str, Any]) -> Tally:
    days = (item.split(":") for item in (row["days"] or "").split())
    return Tally(
        **{
            **row,
            "part": Part(row["part"]),
            "saved": Decimal(row["saved"]),
            "days": {int(day): Decimal(saved) for day, saved in days},
        }
    )


def _to_promise(row: Mapping[str, Any]) -> Promise:
    return Promise(**{**row, "estimated": None if row["estimated"] is None else Decimal(row["estimated"])})
