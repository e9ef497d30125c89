"""The detector: how many of the planted routines it finds, how fast it reads and mines, and in how much memory.

Each part runs in a process of its own, so that its memory is its own.
"""

import asyncio
import resource
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from benchmarks.child import options, serve
from benchmarks.processes import Child
from benchmarks.report import Measurement
from benchmarks.server import Database, Venue
from pattern_sync.config import Settings
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.detecting import Library, Prices, Vocabulary, Words, mine
from pattern_sync.runtime.detecting import Detection, DetectionTerms
from tests.support.left_behind import hook_events
from tests.support.planted import ROUTINES, Planting, found, planted
from tests.support.transcripts import Transcript, in_utc, written

SEEDS = 20
NOISES = (0.0, 0.1, 0.2, 0.3)
CALLS_A_SESSION = 67
EVENTS_A_SESSION = 127
SHOWN = 9
# Of a result and of an edit: about what real lines have, in the middle.
_TEXT = "x" * 1_500
_HOOK_EVENTS = (
    "CREATE TABLE hook_events (id serial PRIMARY KEY, event_id text UNIQUE, event_type text, session_id text,"
    " tool_name text, timestamp timestamp, payload text);"
    " CREATE INDEX ON hook_events (session_id)"  # as in the application
)
_PRICES = '["claude"]\ninput = 3\noutput = 15'


def measure(venue: Venue, calls: int, transcript_calls: int, events: int) -> Iterator[Measurement]:
    yield from _on_a_database(venue, events)
    yield from _found(each_step=False)
    yield from _found(each_step=True)
    with Child("detecting", calls=calls) as child:
        mined = child.ask("mine")
    figures = f"{mined['calls']:,} calls, of which {mined['runs']:,} runs of {mined['routines']} routines"
    yield Measurement("mine: calls a second", "/s", mined["calls"] / mined["seconds"], bound=40_000, at_most=False)
    yield Measurement("mine: seconds", "s", mined["seconds"], bound=60, note=figures)
    yield Measurement("mine: memory, all of the process", "MB", mined["peak_mb"], bound=200)
    with Child("detecting", calls=transcript_calls) as child:
        read = child.ask("read")
    rate = read["calls"] / read["seconds"]
    figures = f"{read['calls']:,} calls in {read['megabytes']:,.0f} MB, {read['peak_mb']:.0f} MB of memory"
    yield Measurement("read transcripts and mine: calls a second", "/s", rate, note=figures)


def _found(*, each_step: bool) -> Iterator[Measurement]:
    for noise in NOISES if not each_step else NOISES[1:]:
        planting = Planting(noise=noise, each_step=each_step)
        firsts = [[each.shape for each in mine(planted(seed, planting)).routines[:SHOWN]] for seed in range(SEEDS)]
        hits = [len(found(first)) for first in firsts]
        others = [len(first) - hit for first, hit in zip(firsts, hits, strict=True)]
        what = f"found of {len(ROUTINES)}, {noise:.0%} of the {'steps' if each_step else 'runs'} disturbed, the least"
        note = (
            f"on {SEEDS} seeds, {sum(hits) / SEEDS:.2f} on average; at most {max(others)} others in the first {SHOWN}"
        )
        bound = None if each_step else len(ROUTINES)
        yield Measurement(what, "", min(hits), bound=bound, at_most=False, note=note)


def _on_a_database(venue: Venue, events: int) -> Iterator[Measurement]:
    with venue.database() as database:
        database.run(_HOOK_EVENTS)
        written = _write_hook_events(database, events)
        with Child("detecting", url=database.url) as child:
            first, again = child.ask("detect"), child.ask("detect")
    note = f"{first['sessions']:,} sessions read, {first['patterns']} patterns written"
    yield Measurement(f"detect in {written:,} hook events: seconds", "s", first["seconds"], bound=60, note=note)
    yield Measurement("  memory, all of the process", "MB", again["peak_mb"], bound=200)
    note = f"{again['sessions']:,} sessions read"
    yield Measurement("  once more, with nothing new: seconds", "s", again["seconds"], note=note)


def _write_hook_events(database: Database, events: int) -> int:
    """Write about so many events of hooks, and return how many."""
    count = 0
    into = "COPY hook_events (event_id, event_type, session_id, tool_name, timestamp, payload) FROM STDIN"
    sessions = planted(1, Planting(sessions=events // EVENTS_A_SESSION, noise=0.2))
    with psycopg.connect(database.url) as connection, connection.cursor() as cursor, cursor.copy(into) as copy:
        for row in hook_events(sessions):
            copy.write_row((*row[:5], row[5].replace('"context"', f'"output": "{_TEXT[:700]}", "context"')))
            count += 1
    database.run("ANALYZE hook_events")
    return count


def _detect(url: str) -> Mapping[str, float]:
    begun = time.perf_counter()
    detected = Detection(Settings(database_url=url), DetectionTerms(keep_days=3_650)).run(DatabaseAddress.parse(url))
    return {
        "seconds": time.perf_counter() - begun, "peak_mb": _peak_mb(), "sessions": detected.sessions,
        "patterns": len(detected.written),
    }  # fmt: skip


def _mine(calls: int) -> Mapping[str, float]:
    planting = Planting(sessions=calls // CALLS_A_SESSION, noise=0.2)
    begun = time.perf_counter()
    for _ in planted(1, planting):
        pass
    generated = time.perf_counter() - begun
    begun = time.perf_counter()
    findings = mine(planted(1, planting))
    seconds = time.perf_counter() - begun - generated
    runs = sum(each.occurrences for each in findings.routines)
    return {
        "calls": sum(each.calls for each in findings.seen), "seconds": seconds, "peak_mb": _peak_mb(),
        "routines": len(findings.routines), "runs": runs,
    }  # fmt: skip


def _read(calls: int) -> Mapping[str, float]:
    with TemporaryDirectory(dir="/var/tmp") as folder:
        megabytes = _write(Path(folder), calls)
        begun = time.perf_counter()
        library = Library(Words(Vocabulary.shipped()), Prices.parse(_PRICES, "prices"))
        library.read([Path(folder)])
        findings = mine(library.sessions())
        seconds = time.perf_counter() - begun
    seen = sum(each.calls for each in findings.seen)
    return {"calls": seen, "seconds": seconds, "megabytes": megabytes, "peak_mb": _peak_mb()}


def _write(folder: Path, calls: int) -> float:
    """Write sessions as files, and return how many megabytes they have."""
    size = 0
    for number, session in enumerate(planted(1, Planting(sessions=calls // CALLS_A_SESSION, noise=0.2))):
        transcript = Transcript(f"5b2a7c52-1111-4222-8333-{number:012}")
        for position, call in enumerate(session.calls):
            tool, _, target = call.word.partition("/")
            call_id, message_id = f"toolu_{number:012}{position:06}", f"msg_{number:012}{position:06}"
            made = transcript.call(call_id, tool, _given(tool, target), message_id)
            ended = transcript.result(call_id, _TEXT, is_error=call.outcome == "failed")
            if call.at is not None:
                made["timestamp"] = ended["timestamp"] = in_utc(call.at)
        size += (folder / f"{number:06}.jsonl").write_bytes(written(transcript.lines))
    return size / 1e6


def _given(tool: str, target: str) -> Mapping[str, str]:
    if tool == "Bash":
        return {"command": f"cd /srv/app && {target} --flag 'some text' && echo done | tail -5", "description": "x"}
    folder, slash, extension = target.rpartition("/")
    name = f"name{extension}" if extension.startswith(".") else extension
    return {"file_path": f"/srv/app/{folder}{slash}{name}", "old_string": _TEXT[:800], "new_string": _TEXT[:800]}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


async def _main() -> None:
    given = options()

    async def answer(order: str) -> object:
        match order:
            case "mine":
                return _mine(int(given["calls"]))
            case "read":
                return _read(int(given["calls"]))
            case _:
                return _detect(str(given["url"]))

    await serve(answer)


if __name__ == "__main__":
    asyncio.run(_main())
