"""The statements, each written once, in the files beside this one; both drivers use the same text."""

import re
from collections.abc import Mapping
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
        for block in _BLOCK.finditer(file.read_text(encoding="utf-8")):
            name = block["name"]
            if name in statements:
                raise ValueError(f"Two statements have the name {name}.")
            about = " ".join(line.removeprefix("--").strip() for line in block["about"].splitlines())
            statements[name] = Statement(name, about.strip(), block["sql"].strip())
    return statements
