"""PgQueuer doing the daemon's job, a process of its own: a job for each pattern, a handler that upserts the entry."""

import asyncio
from datetime import timedelta

import asyncpg
from pgqueuer import PgQueuer
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from benchmarks import child
from benchmarks.floors import UPSERT_SOME

BATCH_SIZE = 1_000  # the fastest of 10, 100 and 1,000 on the machine where this was tried

# The detector's trigger: only what qualifies becomes a job, in the same transaction.
ENQUEUE = """
CREATE FUNCTION bench_enqueue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO pgqueuer (priority, entrypoint, payload, status)
    VALUES (0, 'pattern', convert_to(NEW.id::text, 'UTF8'), 'queued');
    RETURN NULL;
END $$;
CREATE TRIGGER bench_enqueue AFTER INSERT ON operation_patterns FOR EACH ROW
WHEN (NEW.confidence_score >= 70 AND NEW.occurrence_count >= 5 AND NEW.potential_monthly_savings >= 1000)
EXECUTE FUNCTION bench_enqueue();
DROP TRIGGER pattern_sync_announce ON operation_patterns;
"""


async def main(options: child.Options) -> None:
    async with asyncpg.create_pool(options["url"], min_size=4, max_size=10) as pool:
        queue = PgQueuer.from_asyncpg_pool(pool)
        await Queries(queue.connection).install()
        await pool.execute(ENQUEUE)

        async def handle(job: Job) -> None:
            assert job.payload is not None
            await pool.execute(UPSERT_SOME, [int(job.payload)])

        queue.entrypoint("pattern")(handle)
        running = asyncio.create_task(queue.run(batch_size=BATCH_SIZE, dequeue_timeout=timedelta(seconds=30)))

        async def answer(_: str) -> object:
            return running.done()

        await child.serve(answer)
        queue.shutdown.set()
        async with asyncio.timeout(20):
            await running


if __name__ == "__main__":
    asyncio.run(main(child.options()))
