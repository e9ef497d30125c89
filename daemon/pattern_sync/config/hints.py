"""What is allowed, and probably not what was meant."""

import re
from collections.abc import Iterator
from pathlib import Path

from pattern_sync.config.names import variable
from pattern_sync.config.secrets import readable_by_others
from pattern_sync.config.settings import Settings
from pattern_sync.domain.filter import doubt_about_confidence

_SECRET = re.compile(r"PATTERN_SYNC_(\w*TOKEN|NOTIFY_URLS|NOTIFY_SECRET)", re.IGNORECASE)
_PASSWORD = re.compile(r"://[^/@]*:[^@]|password *=")
# Here, secrets are mounted by a service manager or a container engine, whose modes are not the operator's.
_MOUNTED = Path("/run")


def hints_about(settings: Settings) -> Iterator[str]:
    """Yield a sentence for each doubtful setting; none of them holds a secret."""
    if doubt := doubt_about_confidence(variable("min_confidence"), settings.min_confidence):
        yield doubt
    for name, file in exposed_secrets(settings).items():
        yield f"{name} {str(file)!r} holds a secret that every user of this machine can read. Set its mode to 600."


def exposed_secrets(settings: Settings) -> dict[str, Path]:
    """Return the files with a secret that every user of this machine can read, by the words that name them."""
    files = _secret_files(settings).items()
    return {name: file for name, file in files if readable_by_others(file) and not file.is_relative_to(_MOUNTED)}


def _secret_files(settings: Settings) -> dict[str, Path]:
    named = {name: getattr(settings, name) for name in Settings.model_fields if name.endswith("_file")}
    files = {variable(name): file for name, file in named.items() if file is not None}
    lines = settings.sources.lines.items()
    if any(_SECRET.fullmatch(name) or _PASSWORD.search(value) for name, value in lines if value):
        files["The settings file"] = settings.sources.env_file
    credentials = settings.sources.credentials
    if credentials.folder is not None:
        files |= {f"The credential {name}": credentials.folder / name for name in credentials.names}
    return files
