"""What a reload reads of the settings, and what of them takes effect only at the next start."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pattern_sync.config.names import ENV_FILE_VARIABLE, variable
from pattern_sync.config.settings import Settings
from pattern_sync.config.sources import Sources
from pattern_sync.domain.errors import InvalidSettings
from pattern_sync.domain.filter import SyncFilter

CRITERIA = (
    "min_confidence",
    "min_occurrences",
    "min_savings",
    "only_types",
    "exclude_types",
    "max_age_days",
    "min_workflows",
)


@dataclass(frozen=True, slots=True)
class Reread:
    """The filter that is wanted now; `unread` has a sentence for whatever this reload could not put in force."""

    filter: SyncFilter
    unread: tuple[str, ...] = ()


class Rereader:
    """Reads the settings again, and compares them with those of the start."""

    def __init__(self, at_start: Settings, read: Callable[[], Settings]) -> None:
        self._at_start = at_start
        self._secrets_at_start = _secrets(at_start)
        self._read = read

    def __call__(self) -> Reread:
        """Read. Raises InvalidSettings, also for a file that was there at the start and cannot be read any more."""
        settings = self._read()
        self._refuse_lost_file(settings.sources)
        return Reread(settings.sync_filter(), tuple(self._unread(settings)))

    def _refuse_lost_file(self, sources: Sources) -> None:
        """Refuse defaults that nobody chose, where the settings file is gone."""
        if self._at_start.sources.has_env_file and not sources.has_env_file:
            raise InvalidSettings(
                f"The settings file {str(sources.env_file)!r} was there at the start, and is gone. Put it back, empty"
                " if the defaults are wanted."
            )

    def _unread(self, settings: Settings) -> Iterator[str]:
        if not settings.sources.has_env_file:
            yield (
                "There is no settings file, and the environment is read at the start only. Name a file in"
                f" {ENV_FILE_VARIABLE}, and keep the criteria there."
            )
        elif names := [*_overridden(settings.sources)]:
            yield f"The environment overrides the settings file, and is read at the start only: {', '.join(names)}."
        if names := [*self._changed(settings)]:
            yield f"A change of these takes effect at the next start: {', '.join(names)}."

    def _changed(self, settings: Settings) -> Iterator[str]:
        for name in Settings.model_fields:
            if name not in CRITERIA and getattr(settings, name) != getattr(self._at_start, name):
                yield variable(name)
        for name, secret in _secrets(settings).items():
            file = getattr(settings, name)
            if file and file == getattr(self._at_start, name) and secret != self._secrets_at_start[name]:
                yield f"the content of {variable(name)}"


def _secrets(settings: Settings) -> dict[str, str | None]:
    """Return what secrets are, by the setting that may name their file. Raises InvalidSettings."""
    tokens = {f"{kind}_token_file": token for kind, token in settings.tokens()._asdict().items()}
    notify = {f"{name}_file": text for name, text in settings.notify_texts().items()}
    return {"database_url_file": settings.url(), **tokens, **notify}


def _overridden(sources: Sources) -> Iterator[str]:
    """Yield the criteria that the environment and the file set differently: an edit of the file changes nothing."""
    for name in map(variable, CRITERIA):
        given = sources.environment.get(name)
        if given and sources.lines.get(name, given) != given:
            yield name
