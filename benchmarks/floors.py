"""The floors: a ten-minute version of each job, with nothing that makes it safe. A process of its own."""

import asyncio
import time

import asyncpg

from benchmarks import child

# The same columns as Pattern Sync computes, in plain SQL.
UPSERT = """
INSERT INTO pattern_approvals (
    pattern_id, status, confidence_score, occurrence_count, estimated_savings_usd,
    tool_sequence, pattern_context, example_sessions
)
SELECT
    p.pattern_signature, 'pending', coalesce(p.confidence_score, 0) / 100, coalesce(p.occurrence_count, 0),
    coalesce(p.potential_monthly_savings, 0),
    coalesce(
        (
            SELECT string_agg(coalesce(item.value ->> 'name', item.value #>> '{}'), '→' ORDER BY item.position)
            FROM jsonb_array_elements(
                CASE WHEN jsonb_typeof(p.typical_operations) = 'array' THEN p.typical_operations END
            ) WITH ORDINALITY AS item (value, position)
        ),
        p.pattern_type,
        'Unknown'
    ),
    left(p.typical_input_pattern, 500),
    (
        SELECT coalesce(jsonb_agg(newest.workflow_id), '[]')::text
        FROM (
            SELECT o.workflow_id FROM pattern_occurrences AS o WHERE o.pattern_id = p.id
            ORDER BY o.detected_at DESC, o.id DESC LIMIT 10
        ) AS newest
    )
FROM operation_patterns AS p
WHERE p.confidence_score >= 70 AND p.occurrence_count >= 5 AND p.potential_monthly_savings >= 1000
  AND p.automation_status = 'detected'
"""
ON_CONFLICT = " ON CONFLICT (pattern_id) DO NOTHING"
UPSERT_SOME = UPSERT + "AND p.id = ANY ($1::bigint[])" + ON_CONFLICT
UPSERT_ALL = UPSERT + ON_CONFLICT


def _hear(payload: object, heard: "asyncio.Queue[int]") -> None:
    if str(payload).isdigit():
        heard.put_nowait(int(str(payload)))


async def main(options: child.Options) -> None:
    connection = await asyncpg.connect(options["url"])
    listener = await asyncpg.connect(options["url"])
    heard: asyncio.Queue[int] = asyncio.Queue()
    await listener.add_listener("pattern_sync", lambda *event: _hear(event[3], heard))
    upsert = await connection.prepare(UPSERT_SOME)

    async def queue_what_is_heard() -> None:
        while True:
            ids = [await heard.get()]
            while not heard.empty():
                ids.append(heard.get_nowait())
            await upsert.fetch(ids)

    async def answer(_: str) -> object:
        begun = time.monotonic_ns()
        await connection.execute(UPSERT_ALL, timeout=600)
        return (time.monotonic_ns() - begun) / 1e9

    worker = asyncio.create_task(queue_what_is_heard())
    await child.serve(answer)
    worker.cancel()
    await asyncio.gather(connection.close(), listener.close())


if __name__ == "__main__":
    asyncio.run(main(child.options()))
