"""Admits a patient: whatever is wrong with the settings becomes a complaint, not the end."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from pattern_sync.config import Settings
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.doctor.patient import Clocks, Patient
from pattern_sync.domain.errors import InvalidSettings
from pattern_sync.embedded import EmbeddedServer, default_data_dir, holds_server


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
    if settings.database_url is not None:
        yield _at(settings, settings.database_url.get_secret_value(), clocks)
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


def _at(settings: Settings, url: str, clocks: Clocks) -> Patient:
    try:
        return Patient(settings, DatabaseAddress.parse(url), clocks=clocks)
    except InvalidSettings as fault:
        return Patient(settings, complaint=str(fault), clocks=clocks)
