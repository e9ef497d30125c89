"""The endpoints about messages to people."""

from typing import Annotated

from fastapi import Depends, Path, Query

from pattern_sync.domain.batches import LARGEST_ID
from pattern_sync.domain.messages import MessageState, NotedMessage
from pattern_sync.telling import Messages, Tested
from pattern_sync.web.access import Guard
from pattern_sync.web.exception_handlers import ADMINISTRATORS_ONLY, EVERYWHERE, UNKNOWN, UNTOLD
from pattern_sync.web.known import KnownOnly
from pattern_sync.web.schemas.messages import RetriedMessage

MOST_LISTED = 500


class MessageRoutes:
    """Which messages there were, and what administrators do about them. Destinations come from settings alone."""

    def __init__(self, messages: Messages, guard: Guard) -> None:
        self._messages = messages
        administrators = [Depends(guard.administrator)]
        self.router = KnownOnly(prefix="/api/v1/notifications", tags=["messages"], responses=EVERYWHERE)
        self.router.get("", dependencies=[Depends(guard.reader)])(self.latest)
        self.router.post("/test", dependencies=administrators, responses=ADMINISTRATORS_ONLY | UNTOLD)(self.test)
        self.router.post("/{message_id}/retry", dependencies=administrators, responses=ADMINISTRATORS_ONLY | UNKNOWN)(
            self.retry
        )

    async def latest(
        self,
        state: Annotated[MessageState | None, Query(description="Only those in this state.")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST_LISTED, description="The largest number of messages.")] = 50,
    ) -> list[NotedMessage]:
        """List the messages of the last 30 days, newest first."""
        return list(await self._messages.latest(state, limit))

    async def test(self) -> list[Tested]:
        """Send a test to every destination, and tell how each took it. For administrators only."""
        return list(await self._messages.test())

    async def retry(
        self, message_id: Annotated[int, Path(ge=1, le=LARGEST_ID, description="The message's number.", examples=[17])]
    ) -> RetriedMessage:
        """Send a message once more that was given up, or that waits to be tried again. For administrators only."""
        await self._messages.retry(message_id)
        return RetriedMessage(id=message_id)
