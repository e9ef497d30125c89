"""Markdown that is generated into pages that people write."""

from collections.abc import Sequence

BEGIN = "<!-- generated: make docs -->"
END = "<!-- end of what is generated -->"


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def fill(page: str, block: str) -> str:
    """Return a page with the block between its two markers. Raises ValueError where it does not have them."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"The page needs the lines {BEGIN!r} and {END!r}.")
    return f"{before}{begin}\n\n{block.strip()}\n\n{end}{after}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", r"\|")
