"""Which database it is: the one that was named, or the embedded server."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pattern_sync.config import Settings
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.embedded import EmbeddedServer
from pattern_sync.database.home import open_database


@dataclass(frozen=True, slots=True)
class Host:
    """A database to work with; `embedded` is the server that this process started or shares."""

    address: DatabaseAddress
    embedded: EmbeddedServer | None


@contextmanager
def open_host(settings: Settings) -> Iterator[Host]:
    """Yield the database of the settings, or the embedded server's where none is named.

    Raises InvalidSettings, EmbeddedServerError, SchemaError.
    """
    url = settings.database_url
    named = None if url is None else DatabaseAddress.parse(url.get_secret_value())
    with open_database(named, settings.data_dir) as (address, embedded):
        yield Host(address, embedded)
