"""Which database it is: the one that was named, or the embedded server's."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pattern_sync.config import Settings
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.installer import Installer
from pattern_sync.embedded import EmbeddedServer, default_data_dir


@dataclass(frozen=True, slots=True)
class Host:
    """A database to work with; `embedded` is the server that this process started or shares."""

    address: DatabaseAddress
    embedded: EmbeddedServer | None = None


def named_database(settings: Settings) -> DatabaseAddress | None:
    """Return the database that the settings name; None is the embedded server. Raises InvalidSettings."""
    url = settings.url()
    return None if url is None else DatabaseAddress.parse(url)


@contextmanager
def open_host(settings: Settings) -> Iterator[Host]:
    """Yield the database that the settings name, or the embedded server's where they name none.

    Raises InvalidSettings, EmbeddedServerError, SchemaError.
    """
    with host_at(named_database(settings), settings.data_dir) as host:
        yield host


@contextmanager
def host_at(named: DatabaseAddress | None, data_dir: Path | None) -> Iterator[Host]:
    """Yield the named database; without one, start the embedded server, or share one that runs.

    The embedded server is ours alone, so its schema is brought up to date on the way; nobody else's is.
    Raises InvalidSettings, EmbeddedServerError, SchemaError.
    """
    if named is not None:
        yield Host(named)
        return
    with EmbeddedServer(data_dir or default_data_dir()) as server:
        address = DatabaseAddress.parse(server.url)
        Installer(address).migrate()
        yield Host(address, server)
