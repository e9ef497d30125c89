"""Admits a patient: whatever is wrong with the settings becomes a complaint, not the end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pattern_sync.config import Settings
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.doctor.patient import Clocks, Patient
from pattern_sync.domain.errors import InvalidSettings
from pattern_sync.embedded import EmbeddedServer, default_data_dir, holds_server
from pattern_sync.runtime.host import named_database


@contextmanager
def admitted(load: Callable[[], Settings], clocks: Clocks) -> Iterator[Patient]:
    """Yield the installation that the settings name. Starts an embedded server that exists, and creates none.

    Raises EmbeddedServerError.
    """
    try:
        settings = load()
    except InvalidSettings as fault:
        yield Patient(complaint=str(fault), clocks=clocks)
        return
    try:
        named = named_database(settings)
    except InvalidSettings as fault:
        yield Patient(settings, complaint=str(fault), clocks=clocks)
        return
    if named is not None:
        yield Patient(settings, named, clocks=clocks)
        return
    folder = settings.data_dir or default_data_dir()
    if not holds_server(folder):
        yield Patient(
            settings,
            complaint=f"PATTERN_SYNC_DATABASE_URL is not set, and there is no embedded server in {folder}.",
            clocks=clocks,
        )
        return
    with EmbeddedServer(folder) as server:
        yield Patient(settings, DatabaseAddress.parse(server.url), embedded=True, clocks=clocks)
