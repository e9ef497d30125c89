"""Checks of the queue: what should be in it and is not, who refuses or blocks it, and what would make it faster."""

from collections.abc import Iterator

from pattern_sync.database.rows import Row
from pattern_sync.database.rows.filters import filter_arguments, to_filter_in_force
from pattern_sync.database.rows.overview import to_missing_indexes
from pattern_sync.doctor.announcing import ending, named, unseen
from pattern_sync.doctor.check import Check, Finding, Remedy, fine, problem, unknown, warning
from pattern_sync.doctor.patient import Patient

_SHOWN = 3
_MOST_LISTED = 200
_REQUEST = "SELECT pattern_sync.request();"


def _missing(patient: Patient) -> Iterator[Finding]:
    missing = _unqueued(patient)
    if missing:  # they may be on their way
        patient.clocks.wait_for_second_look()
        missing &= _unqueued(patient)
    if not missing:
        yield fine("everything that qualifies is in the queue")
        return
    examples = ", ".join(sorted(missing)[:_SHOWN]) + (", …" if len(missing) > _SHOWN else "")
    if patient.state.in_recovery:
        yield unknown(f"patterns that qualify are not queued on this standby, such as {examples}; ask the primary")
        return
    count = f"{len(missing):,}" if len(missing) < _MOST_LISTED else f"{_MOST_LISTED} or more"
    listening = bool(patient.fetch("connected_daemons"))
    yield problem(
        f"patterns that qualify and are not queued: {count}, such as {examples}",
        Remedy.sql(_REQUEST, None) if listening else Remedy.command("pattern-sync run"),
    )


def _unqueued(patient: Patient) -> set[str]:
    """Return the best of them, without those that the application refuses."""
    in_force = to_filter_in_force(patient.fetch("read_filter"))
    (preview,) = patient.fetch("preview_missing", *filter_arguments(in_force), None, False)
    return set(preview["signatures"])


def _seen(patient: Patient) -> Iterator[Finding]:
    rows = patient.fetch("what_was_seen")
    if not rows or (rows[0]["max_age_days"] is None and not rows[0]["min_workflows"]):
        yield fine("the filter in force asks for no record of what was seen")
        return
    row = rows[0]
    found = [*_unmet(row)] if row["patterns"] else []
    yield from found or [fine("what was seen is known of patterns, as the filter in force asks")]


def _unmet(row: Row) -> Iterator[Finding]:
    """Yield each criterion that no pattern meets, as nothing is known of any."""
    cause, remedy = _unrecorded(row)
    if row["min_workflows"] and not row["recorded"]:
        yield warning(
            f"nothing qualifies: the filter in force asks for {row['min_workflows']:,} distinct workflows, and {cause}",
            remedy,
            Remedy.setting("PATTERN_SYNC_MIN_WORKFLOWS=0"),
        )
    if row["max_age_days"] is not None and not row["dated"]:
        yield warning(
            f"nothing qualifies: the filter in force asks for patterns last seen within {row['max_age_days']:,.15g}"
            f" days, no pattern has a last_seen, and {cause}",
            remedy,
            Remedy.advice("fill operation_patterns.last_seen, or remove PATTERN_SYNC_MAX_AGE_DAYS"),
        )


def _unrecorded(row: Row) -> tuple[str, Remedy]:
    if not row["is_there"]:
        return "there is no pattern_occurrences", Remedy.advice("have the detector write pattern_occurrences")
    if row["grant_to_read"]:
        return "this role may not read pattern_occurrences", Remedy.sql(row["grant_to_read"], row["owner"])
    if not row["is_readable"]:
        cause = "pattern_occurrences is not read, as it is large and has no index on pattern_id"
        return cause, Remedy.advice("create the index that the check `indexes` names")
    cause = "pattern_occurrences has no row of any pattern with a time that can be right"
    return cause, Remedy.advice("have the detector write pattern_occurrences")


def _refused(patient: Patient) -> Iterator[Finding]:
    rows = patient.fetch("refusals")
    if not rows:
        yield fine("the application refuses no pattern")
        return
    yield warning(
        f"the application refuses {rows[0]['total']} patterns, such as {rows[0]['pattern_id']}: {rows[0]['reason']}",
        Remedy.advice("change what the application's own message names"),
        Remedy.command("pattern-sync sync"),
    )


def _locks(patient: Patient) -> Iterator[Finding]:
    holders = _holders(patient)
    if holders:  # every writer blocks another for a moment
        patient.clocks.wait_for_second_look()
        still = _holders(patient)
        holders = {who: row for who, row in still.items() if who in holders}
    for row in holders.values():
        since = "" if row["seconds"] is None else f" for {row['seconds']:,.0f} s"
        yield warning(
            f"{named(row)} holds locks on the tables{since} and blocks {row['blocked']} sessions", ending(row)
        )
    if not holders:
        yield unseen(patient) or fine("nobody waits for a lock on the tables, or has held one for long")


def _holders(patient: Patient) -> dict[tuple[int | None, str | None], Row]:
    rows = patient.fetch("lock_holders", patient.clocks.long_lock_seconds)
    return {(row["pid"], row["prepared"]): row for row in rows}


def _indexes(patient: Patient) -> Iterator[Finding]:
    lacking = to_missing_indexes(patient.fetch("missing_indexes"))
    if not lacking:
        yield fine("no index is missing")
        return
    owner = patient.owner()
    took = "".join(f"; the last {row['kind']} took {row['duration_ms']:,.0f} ms" for row in _scans(patient)[:1])
    for index in lacking:
        yield warning(f"{index.relation}: {index.cost}{took}", Remedy.sql(f"{index.command};", owner))


def _scans(patient: Patient) -> list[Row]:
    return sorted(patient.fetch("last_runs"), key=lambda row: row["finished_at"], reverse=True)


CHECKS = (
    Check(
        "queue",
        "patterns that qualify and have no entry, twice, five seconds apart",
        "They are what all of this is for.",
        _missing,
    ),
    Check(
        "what-was-seen",
        "where the filter asks for a last time or for workflows: whether they are recorded of any pattern",
        "What is not known does not meet a criterion that is set, so nothing would qualify.",
        _seen,
    ),
    Check(
        "refusals",
        "patterns that a trigger, rule, policy or constraint of the application keeps out of the queue",
        "They are tried again, and stay out until the cause is gone.",
        _refused,
    ),
    Check(
        "locks",
        "sessions and prepared transactions that hold locks on the application's tables or ours and keep others"
        " waiting, or have done so for a minute; twice, five seconds apart",
        "A locked entry is not refreshed, and cannot be decided.",
        _locks,
    ),
    Check(
        "indexes",
        "the indexes that large tables of the application lack",
        "Without them each sweep, or each pattern, reads a whole table.",
        _indexes,
    ),
)
