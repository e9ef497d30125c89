"""Which program a command runs, in the names of the vocabulary: `pytest`, `git commit`, `python .py`, or `other`."""

import re
from collections.abc import Sequence

from pattern_sync.detecting.seeing import OTHER
from pattern_sync.detecting.shell import commands_of, without_assignments
from pattern_sync.detecting.vocabulary import Vocabulary, Wrapper

_LONGEST_NAME = 60
# `bash -c 'sudo timeout 5 npx …'` is deep; what is deeper hides something.
_MOST_WRAPPERS = 8
_VERSIONED = re.compile(r"(bash|clang|clang\+\+|g\+\+|gcc|lua|node|perl|php|pip|postgres|python|ruby)-?[0-9][0-9.]*")
_SUFFIXES = (".exe", ".cmd")
_INLINE = re.compile(r"-[a-z]*c")


class Programs:
    """Names the program of a command."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def of_text(self, command: str, depth: int = 0) -> str | None:
        """Return the first program with a name that does more than prepare for another one.

        If there is none: the first that prepares and has a name, else `other`; None for a command that runs nothing.
        """
        unnamed = prepares = named = None
        for words in commands_of(command):
            program = self.of_words(words, depth)
            if program == OTHER:
                unnamed = program
            elif program in self._vocabulary.preparing:
                prepares = OTHER
                named = named or (program if self._says_something(program) else None)
            else:
                return program
        return unnamed or named or prepares

    def of_words(self, words: Sequence[str], depth: int = 0) -> str:
        """Return the program that a command in words runs."""
        rest = list(words)
        for _ in range(_MOST_WRAPPERS):
            name = self._name(rest[0])
            wrapper = self._vocabulary.wrappers.get(name) if name else None
            if wrapper is None:
                break
            if wrapper.inline is not None and depth < _MOST_WRAPPERS and (command := _inline(rest)) is not None:
                return self.of_text(command, depth + 1) or OTHER
            if not (inner := without_assignments(_behind(rest, wrapper))):
                break
            # A script or a module of the user's own: what runs it says more than nothing.
            if wrapper.after is not None and not self._name(inner[0]) and not self._extension(inner[0]):
                break
            rest = inner
        return self._with_subcommand(rest)

    def _name(self, word: str) -> str | None:
        """Return the name of a program in the vocabulary, given as a name, a path, or with its version."""
        base = word.replace("\\", "/").rpartition("/")[2]
        if len(base) > _LONGEST_NAME:
            return None
        for suffix in _SUFFIXES:
            base = base.removesuffix(suffix)
        base = base.partition("@")[0] or base
        if match := _VERSIONED.fullmatch(base):
            base = match[1]
        base = self._vocabulary.program_names.get(base, base)
        known = (
            base in self._vocabulary.programs or base in self._vocabulary.wrappers or base in self._vocabulary.preparing
        )
        return base if known else None

    def _with_subcommand(self, words: Sequence[str]) -> str:
        name = self._name(words[0])
        if name is None:
            return self._extension(words[0]) or OTHER
        if name in self._vocabulary.interpreters:
            return self._of_interpreter(name, words[1:])
        if name not in self._vocabulary.programs:
            return name if name in self._vocabulary.preparing else OTHER
        rest = words[1:]
        while True:
            rest = _without_options(rest, self._vocabulary.options.get(name, frozenset()))
            if not rest:
                return name
            longer = self._vocabulary.subcommand_names.get(f"{name} {rest[0]}", f"{name} {rest[0]}")
            if not self._is_command(longer):
                return name
            name, rest = longer, rest[1:]

    def _says_something(self, program: str) -> bool:
        """Return whether a program that prepares is worth a word: `:` and `cd` are in no list of programs."""
        return program in self._vocabulary.programs or self._is_command(program)

    def _is_command(self, name: str) -> bool:
        program, _, subcommand = name.rpartition(" ")
        return subcommand in self._vocabulary.programs.get(program, ())

    def _of_interpreter(self, name: str, words: Sequence[str]) -> str:
        rest = _without_options(words, frozenset())
        if not rest:
            return name
        if rest[0] in self._vocabulary.programs.get(name, ()):
            return f"{name} {rest[0]}"
        inner = self._name(rest[0])
        if "." in rest[0] and inner is not None and inner not in self._vocabulary.interpreters:
            return self._with_subcommand(rest)
        extension = self._extension(rest[0])
        return f"{name} {extension}" if extension else name

    def _extension(self, word: str) -> str | None:
        dotted = word.rpartition(".")
        extension = dotted[2].lower()
        return f".{extension}" if dotted[1] and extension in self._vocabulary.extensions else None


def _inline(words: Sequence[str]) -> str | None:
    """Return the command that a shell gets in one word."""
    for position, word in enumerate(words[1:4], start=1):
        if _INLINE.fullmatch(word):
            return words[position + 1] if position + 1 < len(words) else ""
        if not word.startswith("-"):
            return None
    return None


def _behind(words: Sequence[str], wrapper: Wrapper) -> list[str]:
    """Return what stands behind a wrapper; nothing where it is none here."""
    rest = list(words[1:])
    if wrapper.inline is not None:
        return []
    if wrapper.after is not None and wrapper.after.startswith("-"):
        while rest and rest[0].startswith("-"):
            if rest.pop(0) == wrapper.after:
                return rest
        return []
    rest = _without_options(rest, wrapper.values)
    if wrapper.after is not None:
        if not rest or rest[0] != wrapper.after:
            return []
        rest = _without_options(rest[1:], wrapper.values)
    rest = without_assignments(rest)[wrapper.words :]
    return _without_options(rest, wrapper.values)


def _without_options(words: Sequence[str], values: frozenset[str]) -> list[str]:
    rest = list(words)
    while rest and rest[0].startswith(("-", "+")) and len(rest[0]) > 1:
        option = rest.pop(0)
        if option in values and rest:
            rest.pop(0)
    return rest
