"""What a daemon writes first: what it is, and what it was asked to do. No value of a setting is in it."""

import os
import platform

from pattern_sync.config import Settings, hints_about
from pattern_sync.database.address import DatabaseAddress
from pattern_sync.database.naming import release
from pattern_sync.embedded import default_data_dir
from pattern_sync.observability.lines import Line
from pattern_sync.observability.writer import LogWriter


def introduce(settings: Settings, named: DatabaseAddress | None, write: LogWriter) -> None:
    """Write the first lines of the log, before anything is connected to or started. Raises EmbeddedServerError."""
    write(
        Line.DAEMON_STARTING,
        version=release(),
        pid=os.getpid(),
        python=platform.python_version(),
        **_database(settings, named),
        **_sources(settings),
    )
    for hint in hints_about(settings):
        write(Line.SETTINGS_DOUBTFUL, hint=hint)


def _database(settings: Settings, named: DatabaseAddress | None) -> dict[str, object]:
    if named is None:
        return {"embedded": True, "data_dir": str(settings.data_dir or default_data_dir())}
    return {"embedded": False, "database": str(named), "user": named.user}


def _sources(settings: Settings) -> dict[str, object]:
    sources = settings.sources
    found: dict[str, object] = {"options": list(sources.options), "variables": sources.variables}
    if sources.file_settings:
        found |= {"env_file": str(sources.env_file), "env_file_settings": sources.file_settings}
    if sources.credentials.folder:
        found |= {"credentials_folder": str(sources.credentials.folder), "credentials": sources.credentials.names}
    return found
