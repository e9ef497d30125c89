"""The statements, each written once, in the files beside this one; both drivers use the same text."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

_BLOCK = re.compile(r"^-- name: (?P<name>\w+)\n(?P<about>(?:--.*\n)+)(?P<sql>(?:.|\n)+?);$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Statement:
    """One named statement with `$1` parameters; `about` is its description, for people."""

    name: str
    about: str
    sql: str


def load_statements() -> Mapping[str, Statement]:
    """Return every statement by its name. Raises ValueError if two share a name."""
    statements: dict[str, Statement] = {}
    for file in sorted(files(__name__).iterdir(), key=lambda entry: entry.name):
        if not file.name.endswith(".sql"):
            continue
        for statement in parse_statements(file.read_text(encoding="utf-8")):
            if statement.name in statements:
                raise ValueError(f"Two statements have the name {statement.name}.")
            statements[statement.name] = statement
    return statements


def parse_statements(text: str) -> Iterator[Statement]:
    """Yield the statements of one file."""
    for block in _BLOCK.finditer(text):
        about = " ".join(line.removeprefix("--").strip() for line in block["about"].splitlines())
        yield Statement(block["name"], about.strip(), block["sql"].strip())
