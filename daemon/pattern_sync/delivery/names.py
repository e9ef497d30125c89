"""Names and other people's words in a message: on one line, cut, and without power over the program that shows them."""

import re
from urllib.parse import quote

from pattern_sync.domain.characters import shown_name

_ELLIPSIS = "…"
_NAMELESS = "(no name)"
# What chats take for mentions, links and code. The look-alikes mean nothing to any of them, where one's escape is noise
# to another.
_HARMLESS = str.maketrans({"<": "‹", ">": "›", "&": "＆", "@": "＠", "`": "ˋ", "[": "［", "]": "］"})  # noqa: RUF001
# Programs make links of what has these in it, wherever it stands.
_SCHEME_MARK, _HARMLESS_MARK = "://", "：//"  # noqa: RUF001 - so that it looks like what it replaces
_WWW = re.compile(r"(www)\.", re.IGNORECASE)
_LONGEST_URL = 1_000


def cut(text: str, most: int) -> str:
    """Return a text of at most so many characters; one that is cut ends in an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + _ELLIPSIS


def plain(text: str, most: int) -> str:
    """Return a text for a mail: in one line, everything visible, and no link."""
    # Cut before, as a text may have 100 kB, and behind, as what is unseen becomes longer.
    shown = cut(shown_name(cut(text, most)), most).replace(_SCHEME_MARK, _HARMLESS_MARK)
    return _WWW.sub(r"\1․", shown) or _NAMELESS  # noqa: RUF001 - as above


def harmless(text: str, most: int) -> str:
    """Return a text for chats: as in a mail, and no mention, no markup either."""
    return plain(text, most).translate(_HARMLESS)


def safe_url(url: str | None) -> str | None:
    """Return a link in which nothing ends it early or mentions somebody; None for one that is too long."""
    if url is None or len(url) > _LONGEST_URL or not url.startswith(("https://", "http://")):
        return None
    return quote(url, safe="/:?#[]!$&'()*+,;=%~")
