"""Lists of names in TOML: as a text with blanks between them, or as an array where names have blanks of their own."""

import re
from collections.abc import Mapping
from typing import Any

from pattern_sync.domain.errors import InvalidSettings

_LONGEST_NAME = 60
# What words are made of: no control characters, and nothing that a program which shows a word could take for markup.
_NAME = re.compile(r"[A-Za-z0-9@.:_+-][A-Za-z0-9@.:_+ -]*")


class Reader:
    """Takes the tables of a file one by one, and refuses what is left. Every method raises InvalidSettings."""

    def __init__(self, content: Mapping[str, Any], file_name: str) -> None:
        self._file_name = file_name
        self._tables = {name: self._table(name, table) for name, table in content.items()}

    def complaint(self, what: str) -> InvalidSettings:
        """Return a fault that names the file."""
        return InvalidSettings(f"{self._file_name}: {what}")

    def names(self, table: str, key: str) -> frozenset[str]:
        """Take one list of a table."""
        return self.split(self._tables.get(table, {}).pop(key, ""))

    def also(self, table: str) -> dict[str, str]:
        """Take what else things of a table are called."""
        entries = self._table(f"{table}.also", self._tables.get(table, {}).pop("also", {}))
        for other, name in entries.items():
            self._checked(other)
            if not isinstance(name, str):
                raise self.complaint(f"[{table}.also] has no name for {other!r}")
            self._checked(name)
        return entries

    def lists(self, table: str) -> dict[str, frozenset[str]]:
        """Take all lists of a table, but those that are tables themselves."""
        entries = self._tables.get(table, {})
        names = [name for name, value in entries.items() if not isinstance(value, dict)]
        return {self._checked(name): self.split(entries.pop(name)) for name in names}

    def tables(self, table: str) -> dict[str, dict[str, Any]]:
        """Take all tables of a table."""
        entries = self._tables.get(table, {})
        return {self._checked(name): dict(self._table(name, entries.pop(name))) for name in list(entries)}

    def split(self, value: object) -> frozenset[str]:
        """Return the names in a list."""
        listed = value.split() if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise self.complaint(f"{value!r} is no list of names; write them with blanks between, or as an array")
        return frozenset(map(self._checked, listed))

    def refuse_the_rest(self) -> None:
        """Refuse what nothing was taken for."""
        for table, entries in self._tables.items():
            for key in entries:
                raise self.complaint(f"[{table}] {key} means nothing")

    def _table(self, name: str, value: object) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.complaint(f"{name} is no table; write [{name}]")
        return dict(value)

    def _checked(self, name: str) -> str:
        if len(name) > _LONGEST_NAME or not _NAME.fullmatch(name):
            raise self.complaint(
                f"{name!r} is no name; at most {_LONGEST_NAME} letters, digits, blanks and @ . : _ + -"
            )
        return name
