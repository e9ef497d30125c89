"""The database to work with: the one that was named, or the embedded server's."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.embedded import EmbeddedServer, default_data_dir
from pattern_sync.database.installer import Installer


@contextmanager
def open_database(
    address: DatabaseAddress | None, data_dir: Path | None
) -> Iterator[tuple[DatabaseAddress, EmbeddedServer | None]]:
    """Yield the database, starting the embedded server where none is named, or sharing one that runs.

    The embedded server is ours alone, so its schema is brought up to date on the way; nobody else's is.
    Raises EmbeddedServerError, SchemaError.
    """
    if address is not None:
        yield address, None
        return
    with EmbeddedServer(data_dir or default_data_dir()) as server:
        embedded = DatabaseAddress.parse(server.url)
        Installer(embedded).migrate()
        yield embedded, server
