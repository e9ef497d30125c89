"""COMMENT ON statements, made from the lines above each definition, so that psql shows them."""

import re
from collections.abc import Iterable, Iterator

_DESCRIBED = re.compile(r"(?P<words>(?:^--.*\n)+)(?P<created>^CREATE (?s:.*))", re.MULTILINE)
_HEAD = re.compile(r"CREATE (?:OR REPLACE )?(?P<kind>FUNCTION|PROCEDURE|TABLE) (?P<name>pattern_sync\.\w+) ?\(")
_COLUMN = re.compile(r"^ +(?P<name>[a-z]\w*) .*?-- (?P<words>.+)$", re.MULTILINE)
_DEFAULT = re.compile(r" DEFAULT [^,]+")


def comments_on(statements: Iterable[str]) -> Iterator[str]:
    """Yield a comment for each function and table with lines above it, and for each column with words beside it."""
    for statement in statements:
        described = _DESCRIBED.search(statement)
        created = described["created"] if described else statement
        head = _HEAD.match(created.lstrip())
        if head is None:
            continue
        inside = _bracketed(created.lstrip()[head.end() :])
        name = head["name"] if head["kind"] == "TABLE" else f"{head['name']}({_parameters(inside)})"
        if described:
            yield _comment(head["kind"], name, _first_paragraph(described["words"]))
        if head["kind"] == "TABLE":
            for column in _COLUMN.finditer(inside):
                yield _comment("COLUMN", f"{name}.{column['name']}", column["words"])


def _bracketed(text: str) -> str:
    """Return the text up to the bracket that closes the one in front of it."""
    depth = 1
    for bracket in re.finditer(r"[()]", text):
        depth += 1 if bracket[0] == "(" else -1
        if depth == 0:
            return text[: bracket.start()]
    raise ValueError(f"a bracket is not closed: {text[:80]}")


def _parameters(inside: str) -> str:
    return _DEFAULT.sub("", " ".join(inside.split()))


def _first_paragraph(words: str) -> str:
    lines = [line.removeprefix("--").strip() for line in words.splitlines()]
    return " ".join(lines[: lines.index("")] if "" in lines else lines)


def _comment(kind: str, name: str, words: str) -> str:
    quoted = words.replace("'", "''")
    return f"COMMENT ON {kind} {name} IS '{quoted}';"
