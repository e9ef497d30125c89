"""The text of a message for people: in a chat, in a mail, and through Apprise."""

from collections.abc import Callable
from dataclasses import dataclass

from pattern_sync.delivery.names import harmless, plain, safe_url
from pattern_sync.delivery.wording import WHERE_WITHOUT_PAGE, date_of, figures_of, headline, rest_of
from pattern_sync.domain.messages import Message, MessageKind, ToldPattern

_LONGEST_NAME = 120
_LONGEST_DOUBT = 200
_MOST_DOUBTS = 5
_INDENT = "   "


@dataclass(frozen=True, slots=True)
class _Style:
    """How a medium shows other people's words, and a link with its label."""

    words: Callable[[str, int], str]
    link: Callable[[str, str], str]


def chat_text(message: Message, named: int) -> str:
    """Return the text that reads the same in Slack, Mattermost and Rocket.Chat; it names the first patterns."""
    return _text(message, named, _CHAT)


def mail_text(message: Message, named: int) -> str:
    """Return the text of a mail."""
    return _text(message, named, _MAIL)


def other_text(message: Message, named: int) -> str:
    """Return the text for Apprise, behind which there may be a chat."""
    return _text(message, named, _OTHER)


def _text(message: Message, named: int, style: _Style) -> str:
    lines = [headline(message), date_of(message)]
    for number, pattern in enumerate(message.patterns[:named], start=1):
        lines += ["", *_pattern_lines(number, pattern, style)]
    if message.kind is not MessageKind.TEST and (rest := rest_of(message, named)):
        lines += ["", rest]
    lines += ["", _where(message, style)]
    return "\n".join(lines)


def _pattern_lines(number: int, pattern: ToldPattern, style: _Style) -> list[str]:
    sequence, pattern_id = (style.words(each, _LONGEST_NAME) for each in (pattern.tool_sequence, pattern.pattern_id))
    lines = [f"{number}. {sequence} {pattern_id}", _INDENT + figures_of(pattern)]
    if pattern.doubts:
        doubts = "; ".join(style.words(each, _LONGEST_DOUBT) for each in pattern.doubts[:_MOST_DOUBTS])
        lines.append(f"{_INDENT}Doubts: {doubts}{_more_doubts(pattern)}")
    if (url := safe_url(pattern.url)) is not None:
        lines.append(_INDENT + style.link(url, "look at it"))
    return lines


def _more_doubts(pattern: ToldPattern) -> str:
    more = len(pattern.doubts) - _MOST_DOUBTS
    return f" and {more} more" if more > 0 else ""


def _where(message: Message, style: _Style) -> str:
    url = safe_url(message.url)
    return f"To review: {WHERE_WITHOUT_PAGE}" if url is None else f"To review: {style.link(url, 'the page')}"


def _as_code(text: str, most: int) -> str:
    """Return a name as code, in which no chat makes links, mentions, emoji or formats of what looks like one."""
    return f"`{harmless(text, most)}`"


def _as_link(url: str, label: str) -> str:
    return f"<{url}|{label}>"


def _as_url(url: str, _label: str) -> str:
    return url


_CHAT = _Style(_as_code, _as_link)
_MAIL = _Style(plain, _as_url)
_OTHER = _Style(harmless, _as_url)
