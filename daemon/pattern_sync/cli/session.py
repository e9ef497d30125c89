"""What the commands share: the settings and the database that they name."""

from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pattern_sync.config import Settings
    from pattern_sync.runtime.host import Host
    from pattern_sync.service import PatternSyncService
    from pattern_sync.telling import Tested


@dataclass(frozen=True, slots=True)
class Session:
    """Options of the command line that override settings."""

    database_url: str | None
    data_dir: Path | None

    def settings(self) -> "Settings":
        """Read the settings again at each call. Raises InvalidSettings."""
        from pattern_sync.config import Settings

        return Settings.load(database_url=self.database_url, data_dir=self.data_dir)

    @contextmanager
    def host(self) -> "Iterator[Host]":
        """Yield the database that the settings name; libraries log where Pattern Sync logs."""
        from pattern_sync.observability.logs import configure_logging
        from pattern_sync.runtime.host import open_host

        configure_logging("info", "auto")
        with open_host(self.settings()) as host:
            yield host

    def test_destinations(self) -> "Sequence[Tested]":
        """Send a test to every destination of the settings. Raises NobodyToTell."""
        import asyncio

        from pattern_sync.runtime.telling import test_destinations

        with self.host() as host:
            return asyncio.run(test_destinations(self.settings(), host.address))

    @contextmanager
    def service(self) -> "Iterator[PatternSyncService]":
        """Yield the Python API on the database that the settings name."""
        from pattern_sync.service import PatternSyncService

        with self.host() as host:
            yield PatternSyncService(host.address.url, rules_allowed=self.settings().rules)
