"""The WebSocket of the live updates."""

import asyncio

from fastapi import APIRouter, HTTPException, WebSocket, WebSocketDisconnect
from starlette.responses import JSONResponse

from pattern_sync.web.access import SUBPROTOCOL, Guard
from pattern_sync.web.live import LiveUpdates
from pattern_sync.web.live_clients import LiveClient

# Longer than a slow link needs for one message; a client that takes longer is given up.
SEND_SECONDS = 10.0
# Nothing is taken any more, mostly; and less than what a stop waits for (server.GRACEFUL_SECONDS).
FAREWELL_SECONDS = 2.0
MOST_PAGES = 1_500
TOO_SLOW = 1013  # "try again later", by the registry of close codes


class LiveRoutes:
    """Serves each open page until it leaves, falls behind or dies."""

    def __init__(self, updates: LiveUpdates, guard: Guard) -> None:
        self._updates = updates
        self._guard = guard
        self.router = APIRouter()
        self.router.websocket("/api/v1/ws/patterns")(self.serve)

    async def serve(self, socket: WebSocket) -> None:
        """Admit a client and send it what changes."""
        try:
            self._guard.websocket(socket)
        except HTTPException as refusal:
            await socket.send_denial_response(
                JSONResponse({"detail": refusal.detail}, refusal.status_code, refusal.headers)
            )
            return
        if len(self._updates) >= MOST_PAGES:
            await socket.send_denial_response(JSONResponse({"detail": f"{MOST_PAGES:,} pages are open already."}, 503))
            return
        offered = socket.scope["subprotocols"]
        await socket.accept(SUBPROTOCOL if SUBPROTOCOL in offered else None)
        client = self._updates.join()
        try:
            await _serve_until_gone(socket, client)
        finally:
            self._updates.leave(client)


async def _serve_until_gone(socket: WebSocket, client: LiveClient) -> None:
    async with asyncio.TaskGroup() as group:
        sender = group.create_task(_send_all(socket, client), name="live sender")
        slow = group.create_task(client.too_slow.wait(), name="live watch")
        reader = group.create_task(_read_until_gone(socket), name="live reader")
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
    except (TimeoutError, WebSocketDisconnect):
        return


async def _read_until_gone(socket: WebSocket) -> None:
    # A client has nothing to say; what it says all the same is read, or its pongs and its farewell would wait behind.
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass


async def _close(socket: WebSocket) -> None:
    try:
        async with asyncio.timeout(FAREWELL_SECONDS):
            await socket.close(TOO_SLOW, "too slow")
    except (TimeoutError, WebSocketDisconnect, RuntimeError):
        return
