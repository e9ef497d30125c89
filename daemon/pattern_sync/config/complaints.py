"""What is wrong with the settings, in words."""

import difflib
import os
from collections.abc import Iterable
from pathlib import Path

from dotenv import dotenv_values
from pydantic_core import ErrorDetails

from pattern_sync.config.names import ENV_FILE_VARIABLE, PREFIX, variable
from pattern_sync.domain.errors import InvalidFilter, InvalidSettings


def refuse_misspelt(env_file: str, fields: Iterable[str]) -> None:
    """Refuse names that look like settings and are none. Raises InvalidSettings, OSError, UnicodeDecodeError."""
    known = {field.upper() for field in fields} | {ENV_FILE_VARIABLE.removeprefix(PREFIX)}
    in_file = dotenv_values(env_file) if Path(env_file).is_file() else {}
    for name in sorted({*os.environ, *in_file}):
        given = name.upper().removeprefix(PREFIX)
        if name.upper().startswith(PREFIX) and given not in known:
            nearest = difflib.get_close_matches(given, known, n=1)
            settings = ", ".join(PREFIX + item for item in sorted(known))
            hint = f" Did you mean {PREFIX}{nearest[0]}?" if nearest else f" The settings are: {settings}."
            raise InvalidSettings(f"{name} is not a setting of Pattern Sync.{hint}")


def explain(error: ErrorDetails) -> str:
    """Return a sentence about a value that was refused; it holds no secret."""
    fault = error.get("ctx", {}).get("error")
    if isinstance(fault, InvalidFilter):
        return fault.spelled(variable)
    name = variable("_".join(str(part) for part in error["loc"]))
    value = "" if "URL" in name or "TOKEN" in name else f" is {error['input']!r}:"  # a URL can hold a password
    return f"{name}{value} {error['msg'][0].lower()}{error['msg'][1:]}."
