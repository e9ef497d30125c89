"""Secrets: from a variable, or from the file that another variable names."""

import re
import stat
from pathlib import Path

from pydantic import SecretStr

from pattern_sync.config.names import PREFIX
from pattern_sync.domain.errors import InvalidSettings

_TOKEN = re.compile(r"[!-~]+")  # all that an Authorization header can carry


def read_token(name: str, value: SecretStr | None, file: Path | None) -> str | None:
    """Return a token; None if it is not set. Raises InvalidSettings, which names the source and not the token."""
    token = read_secret(name, value, file)
    if token is not None and not _TOKEN.fullmatch(token):
        raise InvalidSettings(
            f"{_source(name, file)} holds no token; use one word of printable ASCII characters, without spaces."
        )
    return token


def read_url(value: SecretStr | None, file: Path | None) -> str | None:
    """Return the database's URL; None if it is not set. Raises InvalidSettings, which names the source only."""
    url = read_secret("DATABASE_URL", value, file)
    if url == "":
        raise InvalidSettings(f"{_source('DATABASE_URL', file)} is empty; write a postgresql:// URL.")
    return url


def read_secret(name: str, value: SecretStr | None, file: Path | None) -> str | None:
    """Return the text of a secret, without space around it. Raises InvalidSettings where two sources name it."""
    if value is not None and file is not None:
        raise InvalidSettings(f"{PREFIX}{name} and {PREFIX}{name}_FILE are both set; unset one of them.")
    if file is None:
        return None if value is None else value.get_secret_value().strip()
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as fault:
        raise InvalidSettings(f"{_source(name, file)} cannot be read: {fault.strerror}.") from None
    except UnicodeDecodeError:
        raise InvalidSettings(f"{_source(name, file)} is not valid UTF-8; save it as UTF-8 text.") from None


def readable_by_others(file: Path) -> bool:
    """Return whether every user of this machine may read a file; False where that cannot be determined."""
    try:
        return bool(file.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def _source(name: str, file: Path | None) -> str:
    return f"{PREFIX}{name}" if file is None else f"{PREFIX}{name}_FILE, {str(file)!r},"
