"""What the commands share: the settings, and the database they lead to."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pattern_sync.config import Settings
from pattern_sync.runtime.host import Host, open_host
from pattern_sync.service import PatternSyncService


@dataclass(frozen=True, slots=True)
class Session:
    """Options of the command line that override settings."""

    database_url: str | None
    data_dir: Path | None

    def settings(self) -> Settings:
        """Read the settings anew. Raises InvalidSettings."""
        return Settings.load(database_url=self.database_url, data_dir=self.data_dir)

    @contextmanager
    def host(self) -> Iterator[Host]:
        """Yield the database of the settings."""
        with open_host(self.settings()) as host:
            yield host

    @contextmanager
    def service(self) -> Iterator[PatternSyncService]:
        """Yield the Python API on the database of the settings."""
        with self.host() as host:
            yield PatternSyncService(host.address.url)
