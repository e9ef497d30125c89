"""What a reload reads of the settings, and what of them takes effect only at the next start."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values

from pattern_sync.config.names import ENV_FILE_VARIABLE, variable
from pattern_sync.config.settings import Settings
from pattern_sync.domain.filter import SyncFilter

CRITERIA = ("min_confidence", "min_occurrences", "min_savings", "only_types", "exclude_types")
_TOKEN_FILES = ("api_token_file", "admin_token_file")


@dataclass(frozen=True, slots=True)
class Reread:
    """The filter that is wanted now; `unread` has a sentence for whatever this reload could not put in force."""

    filter: SyncFilter
    unread: tuple[str, ...] = ()


class Rereader:
    """Reads the settings again, and compares them with those of the start."""

    def __init__(self, at_start: Settings, read: Callable[[], Settings]) -> None:
        self._at_start = at_start
        self._tokens_at_start = at_start.tokens()
        self._read = read

    def __call__(self) -> Reread:
        """Read. Raises InvalidSettings, also for a token file that cannot be read any more."""
        settings = self._read()
        return Reread(settings.sync_filter(), tuple(self._unread(settings)))

    def _unread(self, settings: Settings) -> Iterator[str]:
        file = Path(os.environ.get(ENV_FILE_VARIABLE) or ".env")
        if not file.is_file():
            yield (
                "There is no settings file, and the environment is read at the start only. Name a file in"
                f" {ENV_FILE_VARIABLE}, and keep the criteria there."
            )
        elif names := [*_overridden(file)]:
            yield f"The environment overrides the settings file, and is read at the start only: {', '.join(names)}."
        if names := [*self._changed(settings)]:
            yield f"A change of these takes effect at the next start: {', '.join(names)}."

    def _changed(self, settings: Settings) -> Iterator[str]:
        for name in Settings.model_fields:
            if name not in CRITERIA and getattr(settings, name) != getattr(self._at_start, name):
                yield variable(name)
        for name, before, now in zip(_TOKEN_FILES, self._tokens_at_start, settings.tokens(), strict=True):
            if before != now and getattr(settings, name) == getattr(self._at_start, name):
                yield f"the token in {variable(name)}"


def _overridden(file: Path) -> Iterator[str]:
    """Yield the criteria that the environment and the file set differently: an edit of the file changes nothing."""
    in_file = dotenv_values(file)
    for name in map(variable, CRITERIA):
        if os.environ.get(name) and in_file.get(name, os.environ[name]) != os.environ[name]:
            yield name
