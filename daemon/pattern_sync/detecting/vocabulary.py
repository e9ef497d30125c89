"""The names that a word may consist of: kept in vocabulary.toml, and added to by a file of the user's own."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from typing import Any

from pattern_sync.detecting.lists import Reader
from pattern_sync.domain.errors import InvalidSettings

_SCRIPTS = "@scripts"


@dataclass(frozen=True, slots=True)
class Wrapper:
    """What stands before a program, and is seen through.

    `words` is how many words of its own it has, `values` which of its options take one. It is seen through only behind
    the word `after`, where there is one. What follows the option `inline` is a command in one word.
    """

    words: int = 0
    values: frozenset[str] = frozenset()
    after: str | None = None
    inline: str | None = None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """All names, each under the name by which it is counted.

    `programs` has the subcommands of each, and of each pair such as `npm run`.
    """

    tools: Mapping[str, str]
    agents: frozenset[str]
    servers: Mapping[str, frozenset[str]]
    programs: Mapping[str, frozenset[str]]
    program_names: Mapping[str, str]
    subcommand_names: Mapping[str, str]
    wrappers: Mapping[str, Wrapper]
    options: Mapping[str, frozenset[str]]
    preparing: frozenset[str]
    interpreters: frozenset[str]
    extensions: frozenset[str]
    folders: frozenset[str]
    file_names: frozenset[str]

    @classmethod
    def shipped(cls) -> "Vocabulary":
        """Return the vocabulary that comes with the package."""
        return _shipped()

    def extended(self, text: str, name: str) -> "Vocabulary":
        """Return this vocabulary with that of a TOML file added. Raises InvalidSettings."""
        try:
            content = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            raise InvalidSettings(f"{name} is no TOML file: {error}") from None
        own = _read(Reader(content, name), self.programs["npm run"])
        return Vocabulary(
            **{each.name: _joined(getattr(self, each.name), getattr(own, each.name)) for each in fields(self)}
        )

    def names(self) -> frozenset[str]:
        """Return every name that can be a part of a word."""
        commands = (f"{program} {each}" for program, subs in self.programs.items() for each in subs)
        called = (f"{server} {each}" for server, tools in self.servers.items() for each in tools)
        run = (f"{program} .{each}" for program in self.interpreters for each in self.extensions)
        return frozenset(
            (
                *self.tools.values(), *self.agents, *self.servers, *called, *self.programs, *commands, *run,
                *(f".{each}" for each in self.extensions), *self.folders, *self.file_names,
            )
        )  # fmt: skip


def _joined(ours: Any, theirs: Any) -> Any:  # noqa: ANN401 - each field has a type of its own
    if isinstance(ours, frozenset):
        return ours | theirs
    return {**ours, **{key: _both(ours.get(key), value) for key, value in theirs.items()}}


def _both(ours: Any, theirs: Any) -> Any:  # noqa: ANN401 - as above
    return ours | theirs if isinstance(ours, frozenset) else theirs


@cache
def _shipped() -> Vocabulary:
    name = "vocabulary.toml"
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return _read(Reader(tomllib.loads(text), name), frozenset())


def _read(reader: Reader, scripts: frozenset[str]) -> Vocabulary:
    scripts |= reader.names("scripts", "names") | reader.names("scripts", "with_a_colon")
    programs = reader.lists("programs")
    vocabulary = Vocabulary(
        tools={name: name for name in reader.names("tools", "names")} | reader.also("tools"),
        agents=reader.names("agents", "names"),
        servers=reader.lists("servers"),
        programs={
            name: words - {_SCRIPTS} | (scripts if _SCRIPTS in words else set()) for name, words in programs.items()
        },
        program_names=reader.also("programs"),
        subcommand_names=reader.also("subcommands"),
        wrappers={name: _wrapper(reader, entry) for name, entry in reader.tables("wrappers").items()},
        options=reader.lists("options"),
        preparing=reader.names("preparing", "names"),
        interpreters=reader.names("interpreters", "names"),
        extensions=reader.names("files", "extensions"),
        folders=reader.names("files", "folders"),
        file_names=reader.names("files", "names"),
    )
    reader.refuse_the_rest()
    return vocabulary


def _wrapper(reader: Reader, entry: dict[str, Any]) -> Wrapper:
    words, after, inline = entry.pop("words", 0), entry.pop("after", None), entry.pop("inline", None)
    values = reader.split(entry.pop("values", ""))
    if not isinstance(words, int) or not isinstance(after, str | None) or not isinstance(inline, str | None) or entry:
        raise reader.complaint("a wrapper has a number as words, and texts as values, after and inline")
    return Wrapper(words, values, after, inline)
