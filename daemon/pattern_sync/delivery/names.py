"""Names and other people's words in a message: on one line, cut, and without power over the program that shows them."""

import re
from urllib.parse import quote

from pattern_sync.domain.characters import shown_name

# Of a pattern: how many doubts are told, and how long each may be.
MOST_DOUBTS = 5
LONGEST_DOUBT_BYTES = 240
# Why a rule is paused may hold what the application said, up to 1,000 characters of it.
LONGEST_REASON_BYTES = 700
_LONGEST_URL = 700
_ELLIPSIS = "…"
_NAMELESS = "(no name)"
# What chats take for mentions, links and code. The look-alikes mean nothing to any of them, where one's escape is noise
# to another.
_HARMLESS = str.maketrans({"<": "‹", ">": "›", "&": "＆", "@": "＠", "`": "ˋ", "[": "［", "]": "］"})  # noqa: RUF001
# Programs make links of what has these in it, wherever it stands.
_SCHEME_MARK, _HARMLESS_MARK = "://", "：//"  # noqa: RUF001 - so that it looks like what it replaces
_WWW = re.compile(r"(www)\.", re.IGNORECASE)


def cut(text: str, most_bytes: int) -> str:
    """Return a text of at most so many bytes in UTF-8; one that is cut ends in an ellipsis."""
    # A character has a byte or more: all of 100 kB need not be looked at.
    encoded = text[: most_bytes + 1].encode(errors="surrogatepass")
    if len(encoded) <= most_bytes:
        return text
    return encoded[: most_bytes - len(_ELLIPSIS.encode())].decode(errors="ignore") + _ELLIPSIS


def plain(text: str, most_bytes: int) -> str:
    """Return a text for a mail: in one line, everything visible, and no link."""
    # Cut before, as a text may have 100 kB, and behind, as what cannot be seen becomes longer.
    shown = shown_name(cut(text, most_bytes)).replace(_SCHEME_MARK, _HARMLESS_MARK)
    return cut(_WWW.sub(r"\1․", shown), most_bytes) or _NAMELESS  # noqa: RUF001 - as above


def harmless(text: str, most_bytes: int) -> str:
    """Return a text for chats: as in a mail, and no mention, no markup either."""
    return cut(plain(text, most_bytes).translate(_HARMLESS), most_bytes)


def safe_url(url: str | None) -> str | None:
    """Return a link in which nothing ends it early or mentions somebody; None for one that is too long."""
    if url is None or not url.startswith(("https://", "http://")):
        return None
    # Percent-encoded: half of a surrogate pair cannot be, and becomes a question mark.
    safe = quote(url[: _LONGEST_URL + 1], safe="/:?#[]!$&'+,;=%~", errors="replace")
    return safe if len(safe) <= _LONGEST_URL else None
