"""The store of what is learned, over either driver."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pattern_sync.database.rows import to_json
from pattern_sync.domain.folding import LIKELY_REJECT, Prediction
from pattern_sync.domain.gate import Gate, Scored
from pattern_sync.domain.kept import NO_GATE, Folded, KeptModel, Unforetold
from pattern_sync.domain.lessons import Lesson, Traits

if TYPE_CHECKING:  # that one asks this one whether it may sort by what was learned
    from pattern_sync.database.reviews import Fetch


class LearningGateway:
    """Runs the statements of learning; every method raises DatabaseError or SchemaError."""

    def __init__(self, fetch: "Fetch") -> None:
        self._fetch = fetch

    async def newest(self) -> KeptModel:
        """Return how many lessons there are, and the newest model."""
        row = (await self._fetch("newest_model"))[0]
        if row["id"] is None:
            return KeptModel(row["lessons"], row["approved"])
        return KeptModel(
            row["lessons"],
            row["approved"],
            row["id"],
            row["trained_at"],
            row["learned"],
            row["model"],
            row["digest"],
            _to_gate(row["gate"]),
            row["shown"],
        )

    async def lessons(self, most: int) -> list[Lesson]:
        """Return what people's last decisions teach."""
        return [Lesson(_to_traits(row), row["approved"]) for row in await self._fetch("lessons", most)]

    async def record(self, most: int) -> list[Scored]:
        """Return what was foretold of people's last decisions, oldest first."""
        return [Scored(**row) for row in await self._fetch("foretold", most)]

    async def keep_model(self, replaced: int | None, lessons: int, text: str, digest: str) -> int | None:
        """Keep a model in place of another; return its id, None if another daemon was faster."""
        kept: int | None = (await self._fetch("keep_model", replaced, lessons, text, digest))[0]["id"]
        return kept

    async def settle_gate(self, model_id: int, gate: Gate, *, shown: bool) -> None:
        """Keep how the gate stands, and whether entries have likelihoods."""
        await self._fetch("settle_gate", model_id, to_json(asdict(gate)), shown)

    async def hide(self) -> bool:
        """Have entries no likelihoods; return whether they had any."""
        return bool((await self._fetch("hide_likelihoods"))[0]["hidden"])

    async def unforetold(self, model_id: int, after: str, most: int) -> list[Unforetold]:
        """Return pending entries of which the model has foretold nothing yet, or that have changed since."""
        rows = await self._fetch("unforetold", model_id, after, most)
        return [Unforetold(row["pattern_id"], _to_traits(row), row["version"]) for row in rows]

    async def keep_predictions(self, model_id: int, said: Sequence[tuple[Prediction, int]]) -> bool:
        """Keep predictions, each with the version of the traits; False if another daemon is just doing so."""
        rows = await self._fetch(
            "keep_predictions",
            model_id,
            [each.signature for each, _ in said],
            # As text: for other arrays a driver would first query the catalogs, by names that can be hijacked.
            [str(each.likelihood) for each, _ in said],
            [str(each.folds) for each, _ in said],
            [str(version) for _, version in said],
        )
        return bool(rows[0]["kept"])

    async def forget_predictions(self) -> None:
        """Forget what was foretold of entries that are not pending any more."""
        await self._fetch("forget_predictions")

    async def tell_pages(self, signatures: Sequence[str] | None) -> None:
        """Notify the review pages, here and at every replica, of entries that look otherwise; None for everything."""
        await self._fetch("notify_pages", [], list(signatures or ()), signatures is None)

    async def folded(self) -> Folded:
        """Return how much is folded away."""
        return Folded(**(await self._fetch("folded", LIKELY_REJECT))[0])

    async def traits_of(self, signature: str) -> Traits | None:
        """Return the traits of an entry; None if there is none, or it is not known yet."""
        rows = await self._fetch("traits_of", signature)
        return _to_traits(rows[0]) if rows else None


def _to_traits(row: Mapping[str, Any]) -> Traits:
    names = ("confidence", "occurrences", "savings", "evidence", "workflows", "days_seen", "kind", "target", "shape")
    return Traits(**{name: row[name] for name in names})


def _to_gate(text: str) -> Gate:
    """Return how the gate stands; closed where somebody has edited that."""
    try:
        return Gate(**json.loads(text))
    except (TypeError, ValueError):
        return NO_GATE
