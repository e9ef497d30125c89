"""Which database it is: the one that was named, or the embedded server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pattern_sync.config import Settings
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.embedded import EmbeddedServer, default_data_dir
from pattern_sync.database.installer import Installer


@dataclass(frozen=True, slots=True)
class Host:
    """A database to work with; `embedded` is the server that this process started or shares."""

    address: DatabaseAddress
    embedded: EmbeddedServer | None


@contextmanager
def open_host(settings: Settings) -> Iterator[Host]:
    """Yield the database of the settings, starting the embedded server where none is named.

    The embedded server is ours alone, so its schema is brought up to date on the way; nobody else's is.
    Raises InvalidSettings, EmbeddedServerError, SchemaError.
    """
    if settings.database_url is not None:
        yield Host(DatabaseAddress.parse(settings.database_url.get_secret_value()), None)
        return
    with EmbeddedServer(settings.data_dir or default_data_dir()) as server:
        address = DatabaseAddress.parse(server.url)
        Installer(address).migrate()
        yield Host(address, server)
