"""The endpoints about what was learned from decisions."""

from fastapi import Depends

from pattern_sync.learning import Learning
from pattern_sync.web.access import Guard
from pattern_sync.web.exception_handlers import EVERYWHERE, ONE_PATTERN
from pattern_sync.web.known import KnownOnly
from pattern_sync.web.parameters import PatternId
from pattern_sync.web.schemas.model import EntryLikelihood, ModelReport


class ModelRoutes:
    """What people approve, as far as it was learned. It orders entries, and decides nothing."""

    def __init__(self, learning: Learning, guard: Guard) -> None:
        self._learning = learning
        self.router = KnownOnly(
            prefix="/api/v1", tags=["advice"], responses=EVERYWHERE, dependencies=[Depends(guard.reader)]
        )
        self.router.get("/model")(self.model)
        self.router.get("/patterns/{pattern_id:path}/likelihood", responses=ONE_PATTERN)(self.likelihood)

    async def model(self) -> ModelReport:
        """Return what was learned from decisions, how well it foretold later ones, and whether it may be shown."""
        return ModelReport.of(await self._learning.standing())

    async def likelihood(self, pattern_id: PatternId) -> EntryLikelihood:
        """Return how likely a person approves one entry, and the reasons in words."""
        return EntryLikelihood.of(await self._learning.likelihood(pattern_id))
