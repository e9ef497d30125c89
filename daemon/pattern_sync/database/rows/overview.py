"""What the watch sees, and what `status` shows."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from pattern_sync.database.rows import Row
from pattern_sync.database.rows.filters import to_filter
from pattern_sync.database.rows.reviews import to_counts, to_statistics
from pattern_sync.domain.reception import Audience, LackingRole, Sighting, TriggerFault
from pattern_sync.domain.statistics import (
    ConnectedDaemon,
    MissingIndex,
    Overview,
    Publication,
    Recoveries,
    Refusal,
    Run,
)


def to_sighting(row: Row) -> Sighting:
    """Return what the watch saw."""
    return Sighting(
        faults=to_trigger_faults(json.loads(row["faults"] or "[]")),
        patterns=tuple(row["patterns"]),
        entries=tuple(row["entries"]),
        storage=row["storage"],
        queue_usage=row["queue_usage"],
        blocker_pid=row["blocker_pid"],
        body=row["body"],
        writers=frozenset(row["writers"]),
    )


def to_trigger_faults(rows: Iterable[Row]) -> tuple[TriggerFault, ...]:
    """Return what is wrong with the triggers."""
    return tuple(
        TriggerFault(
            row["relation"], row["fault"], row["silenced"] and Audience(row["silenced"]), bool(row["mendable"])
        )
        for row in rows
    )


def to_lacking_roles(rows: Iterable[Row]) -> tuple[LackingRole, ...]:
    """Return the roles that lack a right which our triggers need."""
    return tuple(
        LackingRole(row["role"], row["part"], Audience(row["silenced"]), row["lacks"], row["remedy"]) for row in rows
    )


def to_publication(rows: Sequence[Row]) -> Publication | None:
    """Return who put the filter in force, or None if there is none."""
    return Publication(rows[0]["published_by"], rows[0]["published_at"]) if rows else None


def to_missing_indexes(rows: Iterable[Row]) -> tuple[MissingIndex, ...]:
    """Return the indexes that would help."""
    return tuple(MissingIndex(row["relation"], row["cost"], row["command"]) for row in rows)


def to_overview(address: str, fetch: Callable[[str], Sequence[Mapping[str, Any]]]) -> Overview:
    """Return what `status` shows; `fetch` runs a named statement."""
    server = fetch("server")[0]
    in_force = fetch("read_filter")
    lacking = to_lacking_roles(fetch("writers_without_rights"))
    faults = (*to_trigger_faults(fetch("trigger_faults")), *(role.fault for role in lacking))
    refusals = fetch("refusals")
    return Overview(
        database=address,
        server_version=server["server_version"],
        prepared_transactions=server["prepared_transactions"],
        schema_version=fetch("schema_version")[0]["version"],
        filter=to_filter(in_force[0]) if in_force else None,
        publication=to_publication(fetch("publication")),
        trigger_missing_on=tuple(dict.fromkeys(fault.relation for fault in faults if fault.relation)),
        trigger_faults=tuple(fault.fault for fault in faults),
        missing_grants=tuple(role.remedy for role in lacking),
        statistics=to_statistics(fetch("statistics")[0]),
        queue=to_counts(fetch("queue_counts")[0]),
        gone=fetch("count_gone")[0]["gone"],
        refused=refusals[0]["total"] if refusals else 0,
        refusals=tuple(Refusal(row["pattern_id"], row["reason"]) for row in refusals),
        recovered=Recoveries(**fetch("recoveries")[0]),
        missing_indexes=to_missing_indexes(fetch("missing_indexes")),
        daemons=tuple(ConnectedDaemon(**row) for row in fetch("connected_daemons")),
        runs=tuple(Run(**row) for row in fetch("last_runs")),
    )
