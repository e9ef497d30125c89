"""What the page asks to know in whose name it decides."""

from fastapi import Depends, HTTPException, Request

from pattern_sync.web.access import Guard
from pattern_sync.web.exception_handlers import EVERYWHERE
from pattern_sync.web.identity import Identity
from pattern_sync.web.known import KnownOnly
from pattern_sync.web.schemas.review import Reviewer


class ReviewerRoutes:
    """Who the daemon takes a client for."""

    def __init__(self, identity: Identity, guard: Guard) -> None:
        self._identity = identity
        self.router = KnownOnly(tags=["review"], responses=EVERYWHERE, dependencies=[Depends(guard.reader)])
        self.router.get("/api/v1/reviewer")(self.reviewer)

    async def reviewer(self, request: Request) -> Reviewer:
        """Return the name that your decisions are recorded under, if a proxy has named you."""
        try:
            return Reviewer(name=self._identity.of(request), fixed=self._identity.is_trusted, detail=None)
        except HTTPException as refusal:
            return Reviewer(name=None, fixed=True, detail=refusal.detail)
