"""Parameters that several endpoints share."""

import re
from contextlib import suppress
from typing import Annotated
from urllib.parse import unquote

from fastapi import Header, Path
from pydantic import AfterValidator

from pattern_sync.domain.decision import check_reviewer

# What does not begin with a date is a number to Pydantic, whose unit nobody can know.
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def _decode_id(raw: str) -> str:
    try:
        return unquote(raw, errors="strict")
    except UnicodeDecodeError:
        raise ValueError("pattern_id is not UTF-8 once percent-decoded; encode the signature as UTF-8 first") from None


def _decode_header(name: str | None) -> str | None:
    if name is None or not name.strip():
        return None
    # Headers are decoded as Latin-1, but most clients send names beyond ASCII as UTF-8.
    with suppress(UnicodeError):
        name = name.encode("latin-1").decode()
    return check_reviewer(name)


def check_moment(said: object) -> object:
    """Return the text of a time. Raises ValueError if it does not begin with a date."""
    if isinstance(said, (int, float)) or (isinstance(said, str) and not _DATE.match(said)):
        raise ValueError("it must be a time with its zone, such as 2026-11-26T09:00:00+01:00")
    return said


PatternId = Annotated[
    str,
    Path(
        description="The pattern's signature, percent-encoded in UTF-8; a slash is `%2F`.", examples=["sdlc:full:all"]
    ),
    AfterValidator(_decode_id),
]
Reviewer = Annotated[
    str | None,
    Header(
        alias="X-Reviewer",
        description="The reviewer's name, used if the body has none. Without either, the name is `system`.",
    ),
    AfterValidator(_decode_header),
]
