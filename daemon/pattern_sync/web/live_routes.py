"""The WebSocket of the live updates."""

import asyncio
from collections.abc import Callable

from fastapi import Depends, HTTPException, WebSocket, WebSocketDisconnect
from starlette.responses import JSONResponse

from pattern_sync.domain.facts import Emit, LiveRefused, PageTooSlow
from pattern_sync.web.access import SUBPROTOCOL, Guard
from pattern_sync.web.identity import Identity
from pattern_sync.web.known import KnownOnly
from pattern_sync.web.live import LiveUpdates
from pattern_sync.web.live_clients import LiveClient
from pattern_sync.web.middleware.request_ids import request_id_of

LIVE = "/api/v1/ws/patterns"
# A slow link needs less for one message. A client that takes longer is disconnected.
SEND_SECONDS = 10.0
# A client that is too slow mostly does not read the close frame either. Shorter than server.GRACEFUL_SECONDS, so that
# it does not delay a stop.
CLOSE_SECONDS = 2.0
MOST_PAGES = 1_500
TOO_SLOW = 1013  # "Try Again Later" in the registry of close codes


class LiveRoutes:
    """Serves each open page until it leaves, reads too slowly or dies."""

    def __init__(self, updates: LiveUpdates, guard: Guard, identity: Identity, emit: Emit) -> None:
        self._updates = updates
        self._identity = identity
        self._emit = emit
        self.router = KnownOnly(dependencies=[Depends(guard.websocket)])
        self.router.websocket(LIVE)(self.serve)

    async def serve(self, socket: WebSocket) -> None:
        """Send a client every message, unless too many are there."""
        if len(self._updates) >= MOST_PAGES:
            detail = f"{MOST_PAGES:,} pages are open already. Close one, or try again later."
            self._emit(LiveRefused(detail, request_id_of(socket.scope)))
            await socket.send_denial_response(JSONResponse({"detail": detail}, 503))
            return
        offered = socket.scope["subprotocols"]
        await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        client = self._updates.join()
        try:
            await _serve_until_gone(socket, client, self._heard(socket, client))
            if client.too_slow.is_set():
                self._emit(PageTooSlow())
        finally:
            self._updates.leave(client)

    def _heard(self, socket: WebSocket, client: LiveClient) -> Callable[[str], None]:
        try:
            name = self._identity.of(socket)
        except HTTPException:
            return lambda _: None  # whoever the proxy does not name is nobody to the others
        return lambda text: self._updates.presence.heard_page(client, text, name)


async def _serve_until_gone(socket: WebSocket, client: LiveClient, heard: Callable[[str], None]) -> None:
    async with asyncio.TaskGroup() as group:
        sender = group.create_task(_send_all(socket, client), name="live sender")
        slow = group.create_task(client.too_slow.wait(), name="live watch")
        reader = group.create_task(_read_until_gone(socket, heard), name="live reader")
        await asyncio.wait({sender, slow, reader}, return_when=asyncio.FIRST_COMPLETED)
        for task in (sender, slow, reader):
            task.cancel()
    if reader.cancelled():
        await _close(socket)


async def _send_all(socket: WebSocket, client: LiveClient) -> None:
    try:
        while True:
            message = await client.next_message()
            async with asyncio.timeout(SEND_SECONDS):
                await socket.send_text(message)
    except TimeoutError:
        client.too_slow.set()
    except WebSocketDisconnect:
        return


async def _read_until_gone(socket: WebSocket, heard: Callable[[str], None]) -> None:
    # Clients need not send anything. What they send is read in any case; otherwise pongs and the close frame would be
    # stuck behind it.
    while (message := await socket.receive())["type"] != "websocket.disconnect":
        if text := message.get("text"):
            heard(text)


async def _close(socket: WebSocket) -> None:
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await socket.close(TOO_SLOW, "too slow")
    except (TimeoutError, WebSocketDisconnect, RuntimeError):
        return
