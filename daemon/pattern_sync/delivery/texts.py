"""The text of a message for people: in a chat, in a mail, and through Apprise."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pattern_sync.delivery.names import (
    LONGEST_DOUBT_BYTES,
    LONGEST_REASON_BYTES,
    MOST_DOUBTS,
    harmless,
    plain,
    safe_url,
)
from pattern_sync.delivery.wording import (
    WHERE_WITHOUT_PAGE,
    call_of,
    commands_of,
    deeds_of,
    figures_of,
    headline,
    in_words,
    rest_of,
)
from pattern_sync.domain.messages import Message, ToldPattern, ToldPause

_LONGEST_NAME_BYTES = 240
_INDENT = "   "


@dataclass(frozen=True, slots=True)
class Style:
    """How a medium shows other people's words, given the most bytes that they may take, and a link with its label."""

    words: Callable[[str, int], str]
    link: Callable[[str, str], str]

    def item(self, item: ToldPattern | ToldPause) -> str:
        """Return what is said of a pattern, or of a rule that is paused, in lines."""
        lines = self._of_pause(item) if isinstance(item, ToldPause) else self._of_pattern(item)
        return f"\n{_INDENT}".join(lines)

    def _of_pause(self, pause: ToldPause) -> list[str]:
        return [
            f"{pause.rule}, version {pause.version} ({pause.verdict}), since {in_words(pause.paused_at)}",
            f"Why: {self.words(pause.because, LONGEST_REASON_BYTES)}",
            deeds_of(pause),
            *(self.words(command, _LONGEST_NAME_BYTES) for command in commands_of(pause)),
        ]

    def _of_pattern(self, pattern: ToldPattern) -> list[str]:
        sequence = self.words(pattern.tool_sequence, _LONGEST_NAME_BYTES)
        lines = [f"{sequence} {self.words(pattern.pattern_id, _LONGEST_NAME_BYTES)}", figures_of(pattern)]
        lines += [f"Doubt: {self.words(each, LONGEST_DOUBT_BYTES)}" for each in pattern.doubts[:MOST_DOUBTS]]
        if (more := len(pattern.doubts) - MOST_DOUBTS) > 0:
            lines.append(f"Doubts: {more} more")
        if (url := safe_url(pattern.url)) is not None:
            lines.append(self.link(url, "look at it"))
        return lines

    def message(self, message: Message, items: Sequence[str]) -> str:
        """Return the whole text, with what is said of the first items."""
        paragraphs = [f"{headline(message)}\n{in_words(message.created_at)}"]
        paragraphs += [f"{number}. {item}" for number, item in enumerate(items, start=1)]
        if (rest := rest_of(message, len(items))) is not None:
            paragraphs.append(rest)
        url = safe_url(message.url)
        where = WHERE_WITHOUT_PAGE if url is None else self.link(url, "the page")
        return "\n\n".join([*paragraphs, f"{call_of(message)}: {where}"])


def _as_code(text: str, most_bytes: int) -> str:
    """Return a name as code, in which no chat makes links, mentions, emoji or formats of what looks like one."""
    return f"`{harmless(text, most_bytes)}`"


def _as_link(url: str, label: str) -> str:
    return f"<{url}|{label}>"


def _as_url(url: str, _label: str) -> str:
    return url


# Reads the same in Slack, Mattermost and Rocket.Chat.
CHAT = Style(_as_code, _as_link)
MAIL = Style(plain, _as_url)
# Behind Apprise there may be a chat.
OTHER = Style(harmless, _as_url)
