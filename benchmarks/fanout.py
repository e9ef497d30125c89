"""The floor of the live updates: a bare WebSocket server that LISTENs and forwards. A process of its own."""

import asyncio
import json

import asyncpg
from websockets.asyncio.server import ServerConnection, broadcast, serve

from benchmarks import child

CHANNEL = "bench_fanout"
INSTALL = f"""
CREATE FUNCTION bench_fanout() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('{CHANNEL}', NEW.pattern_id);
    RETURN NULL;
END $$;
CREATE TRIGGER bench_fanout AFTER INSERT ON pattern_approvals FOR EACH ROW EXECUTE FUNCTION bench_fanout();
"""


async def main(options: child.Options) -> None:
    pages: set[ServerConnection] = set()
    padding = "x" * options["size"]

    async def welcome(page: ServerConnection) -> None:
        await page.send("{}")
        pages.add(page)
        await page.wait_closed()
        pages.discard(page)

    def pass_on(*event: object) -> None:
        broadcast(pages, json.dumps({"pattern_id": str(event[3]), "padding": padding}))

    listener = await asyncpg.connect(options["url"])
    await listener.execute(INSTALL)
    await listener.add_listener(CHANNEL, pass_on)
    async with serve(welcome, "127.0.0.1", options["port"], compression=None):
        await child.serve(_nothing)
    await listener.close()


async def _nothing(_: str) -> object:
    """Do nothing: this child takes no orders."""
    return None


if __name__ == "__main__":
    asyncio.run(main(child.options()))
