"""What is wrong with a value, in words."""

from pydantic_core import ErrorDetails

from pattern_sync.config.names import variable
from pattern_sync.domain.errors import InvalidFilter


def explain(error: ErrorDetails) -> str:
    """Return a sentence about a value that was refused; it holds no secret."""
    fault = error.get("ctx", {}).get("error")
    if isinstance(fault, InvalidFilter):
        return fault.spelled(variable)
    name = variable("_".join(str(part) for part in error["loc"]))
    value = "" if "URL" in name or "TOKEN" in name else f" is {error['input']!r}:"  # a URL can hold a password
    return f"{name}{value} {error['msg'][0].lower()}{error['msg'][1:]}."
