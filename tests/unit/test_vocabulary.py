"""The lists of names fit together, and a user's own add to them."""

import tomllib
from importlib.resources import files
from typing import Any

import pytest

from pattern_sync.detecting import Orchestration, Vocabulary, Words
from pattern_sync.domain.errors import InvalidSettings

VOCABULARY = Vocabulary.shipped()
OWN = """
[tools]
names = "Launch"
[programs]
acme = "ship undo"
git = "acme"
make = "@scripts"
[scripts]
names = "moonshot"
[wrappers]
with-acme = { words = 1, values = "-x" }
[files]
extensions = "acme"
folders = "rockets"
"""


def content(name: str) -> dict[str, Any]:
    return tomllib.loads(files("pattern_sync.detecting").joinpath(name).read_text(encoding="utf-8"))


def is_command(name: str) -> bool:
    """Return whether a name is a program, or one with a subcommand."""
    program, _, subcommand = name.rpartition(" ")
    return name in VOCABULARY.programs or subcommand in VOCABULARY.programs.get(program, ())


def test_every_kind_names_commands_that_a_word_can_have() -> None:
    kinds = content("kinds.toml")["kinds"]
    assert [name for names in kinds.values() for name in names if not is_command(name)] == []


def test_what_is_left_out_as_orchestration_can_be_a_word() -> None:
    orchestration = Orchestration.shipped()
    entries = {each for rule in orchestration.rules for each in rule.only | rule.anywhere} | orchestration.bookkeeping
    known = {*VOCABULARY.tools.values(), "other", "mcp"}
    assert {each for each in entries if each.partition("/")[0] not in known} == set()
    commands = {each.removeprefix("Bash/") for each in entries if each.startswith("Bash/")} - {"other"}
    assert {each for each in commands if not is_command(each) and each not in VOCABULARY.preparing} == set()


def test_other_names_stand_for_names_that_there_are() -> None:
    names = content("vocabulary.toml")
    assert set(names["tools"]["also"].values()) <= set(names["tools"]["names"].split())
    assert {each for each in VOCABULARY.program_names.values() if each not in VOCABULARY.programs} == set()
    assert {each for each in VOCABULARY.subcommand_names.values() if not is_command(each)} == set()


def test_what_has_a_table_of_its_own_is_a_program_or_a_pair() -> None:
    pairs = [name for name in VOCABULARY.programs if " " in name]
    assert [name for name in (*pairs, *VOCABULARY.options) if not is_command(name)] == []


def test_a_users_own_names_are_added() -> None:
    words = Words(VOCABULARY.extended(OWN, "own.toml"))
    commands = {
        "acme ship it": "acme ship", "git acme": "git acme", "git push": "git push", "make moonshot": "make moonshot",
        "make test": "make test", "npm run build": "npm run build", "with-acme -x 1 2 pytest": "pytest",
    }  # fmt: skip
    assert {command: words.of("Bash", {"command": command}) for command in commands} == {
        command: f"Bash/{target}" for command, target in commands.items()
    }
    assert words.of("Launch", {}) == "Launch"
    assert words.of("Read", {"file_path": "rockets/x.acme"}) == "Read/rockets/.acme"
    assert words.of("Read", {"file_path": "src/x.py"}) == "Read/src/.py"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[tools", "own.toml is no TOML file"),
        ("tools = 3", "own.toml: tools is no table; write [tools]"),
        ("[tool]\nnames = 'x'", "own.toml: [tool] names means nothing"),
        ("[tools]\nname = 'x'", "own.toml: [tools] name means nothing"),
        ("[tools]\nnames = 3", "own.toml: 3 is no list of names"),
        ("[tools]\nnames = ['x', 3]", "is no list of names"),
        ("[tools]\nnames = 'x/y'", "own.toml: 'x/y' is no name"),
        (f"[tools]\nnames = '{'x' * 61}'", "is no name; at most 60"),
        ("[tools]\nnames = ['\\u202e']", "is no name"),
        ("[programs]\n'a\\nb' = ''", "is no name"),
        ("[programs.also]\nx = 3", "own.toml: [programs.also] has no name for 'x'"),
        ("[wrappers]\nx = 3", "own.toml: x is no table"),
        ("[wrappers]\nx = { words = 'a' }", "own.toml: a wrapper has"),
        ("[wrappers]\nx = { word = 1 }", "own.toml: a wrapper has"),
    ],
)
def test_what_is_wrong_with_a_users_own_names_is_said(text: str, complaint: str) -> None:
    with pytest.raises(InvalidSettings, match="own\\.toml") as fault:
        VOCABULARY.extended(text, "own.toml")
    assert complaint in str(fault.value)
