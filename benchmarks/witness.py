"""Learns from a trigger of its own on the queue when an entry was committed. A process of its own."""

import asyncio
import re
import time

import asyncpg

from benchmarks import child

CHANNEL = "bench_witness"
PACED = r"[a-z]+:\d+:\d+"
INSTALL = f"""
CREATE FUNCTION bench_witness() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('{CHANNEL}', NEW.pattern_id);
    RETURN NULL;
END $$;
CREATE TRIGGER bench_witness AFTER INSERT ON pattern_approvals FOR EACH ROW EXECUTE FUNCTION bench_witness();
"""


async def main(options: child.Options) -> None:
    heard: dict[str, int] = {}
    anew = asyncio.Event()

    def hear(*event: object) -> None:
        if re.fullmatch(PACED, str(event[3])):  # in a lived-in database, others are queued as well
            heard[str(event[3])] = time.monotonic_ns()
        anew.set()

    connections = [await asyncpg.connect(url) for url in options["urls"]]
    for connection in connections:
        await connection.execute(INSTALL)
        await connection.add_listener(CHANNEL, hear)

    async def answer(order: str) -> object:
        async with asyncio.timeout(30):
            while len(heard) < int(order):
                anew.clear()
                await anew.wait()
        return heard

    await child.serve(answer)
    for connection in connections:
        await connection.close()


if __name__ == "__main__":
    asyncio.run(main(child.options()))
