"""One open page: the messages that wait for it, and when it is given up."""

import asyncio

# What a client may leave unread before it is given up; what waits here is shared, so that it costs one pointer each.
MOST_UNREAD = 64
# Shared or not, they are kept for as long as one client has not read them.
MOST_UNREAD_CHARACTERS = 8_000_000


class LiveClient:
    """One open page: the messages that it has not read yet."""

    def __init__(self) -> None:
        self._unread: asyncio.Queue[str] = asyncio.Queue(MOST_UNREAD)
        self._unread_characters = 0
        self.too_slow = asyncio.Event()

    def offer(self, message: str) -> None:
        """Hand over a message; a client that lets too many lie, or too large ones, is given up."""
        characters = self._unread_characters + len(message)
        if self._unread.full() or (self._unread_characters and characters > MOST_UNREAD_CHARACTERS):
            self.too_slow.set()
            return
        self._unread.put_nowait(message)
        self._unread_characters = characters

    async def next_message(self) -> str:
        """Wait for the next message."""
        message = await self._unread.get()
        self._unread_characters -= len(message)
        return message
