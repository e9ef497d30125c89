"""Names and texts from elsewhere for a terminal: everything in them can be seen, and nothing of them drives it."""

from collections.abc import Sequence

from rich.text import Text

from pattern_sync.domain.characters import name_signs, shown_name, shown_text


def name_text(name: str, alike: Sequence[str] = ()) -> Text:
    """Return a name for a row of a table, after what makes it easy to take for another one."""
    text = Text(shown_name(name))
    if signs := name_signs(name, alike):
        marks = Text(f"({', '.join(sign.short for sign in signs)}) ", style="bold yellow")
        return Text.assemble(marks, text)
    return text


def signs_text(name: str, alike: Sequence[str]) -> Text | None:
    """Return in words what makes a name easy to take for another one; None for most names."""
    signs = name_signs(name, alike)
    return Text("; ".join(sign.words for sign in signs), style="bold yellow") if signs else None


def words(text: str) -> Text:
    """Return running text."""
    return Text(shown_text(text))
