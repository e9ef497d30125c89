"""Secrets: from a variable, or from the file that another variable names."""

import re
from pathlib import Path

from pydantic import SecretStr

from pattern_sync.config.names import PREFIX
from pattern_sync.domain.errors import InvalidSettings

_TOKEN = re.compile(r"[!-~]+")  # all that an Authorization header can carry


def read_token(name: str, value: SecretStr | None, file: Path | None) -> str | None:
    """Return a token; None if it is not set. Raises InvalidSettings, which names the source and not the token."""
    variable = f"{PREFIX}{name}"
    if value is not None and file is not None:
        raise InvalidSettings(f"{variable} and {variable}_FILE are both set; unset one of them.")
    if value is None and file is None:
        return None
    source = variable if file is None else f"{variable}_FILE, {str(file)!r},"
    try:
        token = value.get_secret_value() if value is not None else (file or Path()).read_text(encoding="utf-8")
    except OSError as fault:
        raise InvalidSettings(f"{source} cannot be read: {fault.strerror}.") from None
    except UnicodeDecodeError:
        raise InvalidSettings(f"{source} is not valid UTF-8; save it as UTF-8 text.") from None
    if not _TOKEN.fullmatch(token.strip()):
        raise InvalidSettings(f"{source} holds no token; use one word of printable ASCII characters, without spaces.")
    return token.strip()
