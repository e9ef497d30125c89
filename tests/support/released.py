"""The statements of released versions, as tests/golden/released keeps them: what they take and give is a promise.

`python -m tests.support.released URL` writes those of this checkout into a file of its version, before a release; URL
is a database that this checkout has migrated.
"""

import asyncio
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

import asyncpg

from pattern_sync.database.statements import Statement, load_statements, parse_statements

FOLDER = Path(__file__).parents[1] / "golden" / "released"


def recorded() -> Iterator[tuple[str, str]]:
    """Yield each released version with its file's text."""
    for file in sorted(FOLDER.glob("*.sql")):
        yield file.stem, file.read_text(encoding="utf-8")


def prepared_anew(url: str, text: str) -> str:
    """Return the text of such a file, with what its statements take and give in a database now."""
    return asyncio.run(_written(url, parse_statements(text)))


async def _written(url: str, statements: Iterable[Statement]) -> str:
    connection = await asyncpg.connect(url)
    try:
        blocks = [await _block(connection, statement) for statement in statements]
    finally:
        await connection.close()
    return "\n".join(blocks)


async def _block(connection: "asyncpg.Connection[asyncpg.Record]", statement: Statement) -> str:
    try:
        prepared = await connection.prepare(statement.sql)
    except asyncpg.PostgresError as fault:
        takes, gives = "cannot be prepared any more", f"{fault}"
    else:
        takes = ", ".join(parameter.name for parameter in prepared.get_parameters()) or "nothing"
        gives = ", ".join(f"{column.name} {column.type.name}" for column in prepared.get_attributes()) or "nothing"
    return f"-- name: {statement.name}\n-- takes: {takes}\n-- gives: {gives}\n{statement.sql};\n"


def main(url: str) -> None:
    """Record the statements of this checkout."""
    text = asyncio.run(_written(url, load_statements().values()))
    (FOLDER / f"{version('pattern-sync')}.sql").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
