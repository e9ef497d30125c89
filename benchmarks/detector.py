"""The detector as a process of its own: single patterns at a pace, one large commit, or sixteen busy writers."""

import asyncio
import random
import time

import asyncpg

from benchmarks import child, patterns

# An observation, as the application writes it: two transactions.
OBSERVE = "UPDATE operation_patterns SET occurrence_count = occurrence_count + 1, last_seen = now() WHERE id = $1"
RATE = "UPDATE operation_patterns SET confidence_score = $2, potential_monthly_savings = $3 WHERE id = $1"
WARM_UP_SECONDS = 0.3


async def paced(options: child.Options) -> None:
    """Commit patterns in turn into several databases; answer when each commit returned."""
    inserts = {}
    for name, url in options["urls"].items():
        connection = await asyncpg.connect(url)
        inserts[name] = await connection.prepare(patterns.ONE)
    chance = random.Random(7)

    async def answer(_: str) -> object:
        committed: dict[str, int] = {}
        for block, (name, count) in enumerate(options["blocks"]):
            for number in range(count):
                signature = f"{name}:{block}:{number}"
                await inserts[name].fetch(signature)
                committed[signature] = time.monotonic_ns()
                await asyncio.sleep(chance.uniform(0.5, 1.5) / options["per_second"])
        return committed

    await child.serve(answer)


async def bulk(options: child.Options) -> None:
    """Commit many qualifying patterns at once; answer when the commit returned."""
    connection = await asyncpg.connect(options["url"])

    async def answer(_: str) -> object:
        async with connection.transaction():
            await connection.execute(patterns.QUALIFYING, options["patterns"], timeout=600)
            await connection.execute(patterns.OCCURRENCES, timeout=600)
            if options["analyze"]:
                await connection.execute("ANALYZE operation_patterns", timeout=600)
        return time.monotonic_ns()

    await child.serve(answer)


async def writers(options: child.Options) -> None:
    """Observe patterns over and over with many connections; answer each order (seconds) with transactions a second."""
    connections = [await asyncpg.connect(options["url"]) for _ in range(options["writers"])]
    statements = [(await each.prepare(OBSERVE), await each.prepare(RATE)) for each in connections]
    chance = random.Random(7)

    async def write(writer: int, begins: float, ends: float) -> int:
        observe, rate = statements[writer]
        count = 0
        while (now := time.monotonic()) < ends:
            pattern_id = options["first"] + chance.randrange(options["patterns"])
            await observe.fetch(pattern_id)
            await rate.fetch(pattern_id, chance.uniform(*options["confidence"]), chance.randint(*options["savings"]))
            count += 2 if now >= begins else 0
        return count

    async def answer(order: str) -> object:
        begins = time.monotonic() + WARM_UP_SECONDS
        ends = begins + float(order)
        counts = await asyncio.gather(*(write(writer, begins, ends) for writer in range(len(connections))))
        return sum(counts) / (time.monotonic() - begins)

    await child.serve(answer)


if __name__ == "__main__":
    chosen = child.options()
    asyncio.run({"paced": paced, "bulk": bulk, "writers": writers}[chosen["mode"]](chosen))
