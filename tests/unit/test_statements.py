"""The loader of the named statements."""

import re
from pathlib import Path

import pytest

from pattern_sync.database import statements
from pattern_sync.database.statements import load_statements

FOLDER = Path(statements.__file__).parent


def test_every_block_of_every_sql_file_is_one_statement() -> None:
    texts = [file.read_text(encoding="utf-8") for file in FOLDER.glob("*.sql")]
    named = [name for text in texts for name in re.findall(r"^-- name: *(\S*)", text, re.MULTILINE)]
    assert sorted(load_statements()) == sorted(named)
    # A semicolon ends a block: one too many or too few cuts or swallows a statement.
    assert sum(len(re.findall(r"^(?!--).*;$", text, re.MULTILINE)) for text in texts) == len(named)


def test_every_statement_is_described_and_complete() -> None:
    for statement in load_statements().values():
        assert statement.about.endswith((".", "daemons."))
        assert re.match(r"SELECT|INSERT|UPDATE|WITH|CALL|DELETE", statement.sql)
        assert not re.search(r";\s*$", statement.sql, re.MULTILINE)


def test_every_statement_is_used_somewhere() -> None:
    code = "\n".join(file.read_text(encoding="utf-8") for file in FOLDER.parents[1].rglob("*.py"))
    unused = {name for name in load_statements() if f'"{name}"' not in code}
    assert unused == set()


def test_two_statements_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    block = "-- name: twice\n-- Something.\nSELECT 1;\n"
    (tmp_path / "one.sql").write_text(block)
    (tmp_path / "two.sql").write_text(block)
    monkeypatch.setattr(statements, "files", lambda _: tmp_path)
    with pytest.raises(ValueError, match="Two statements have the name twice"):
        load_statements()
