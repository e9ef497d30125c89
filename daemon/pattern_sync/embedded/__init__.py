"""The embedded PostgreSQL server, used when no database URL is set."""

from pattern_sync.embedded.account import ends_with_us
from pattern_sync.embedded.binaries import PostgresBinaries, all_binaries, find_binaries
from pattern_sync.embedded.folder import default_data_dir, holds_server
from pattern_sync.embedded.server import EmbeddedServer, Supervision

__all__ = [
    "EmbeddedServer",
    "PostgresBinaries",
    "Supervision",
    "all_binaries",
    "default_data_dir",
    "ends_with_us",
    "find_binaries",
    "holds_server",
]
