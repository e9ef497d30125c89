"""Shell commands, read just well enough to tell which programs they run. It never fails, whatever the text is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

# What matters stands at the beginning; the rest of 100 kB is the text that is written somewhere.
LONGEST_LOOK = 4_096
MOST_COMMANDS = 40
MOST_WORDS = 60
# Every character belongs to one of these, but for the two that need a closer look: `$` and `\`.
_TOKEN = re.compile(
    r"""
    (?P<blank> (?: [ \t\r\f\v] | \\\r?\n )+ )
    | (?P<plain> [^\s;&|<>(){}'"\\`$#]+ )
    | ' (?P<single> [^']* ) (?: ' | \Z )
    | " (?P<double> (?: [^"\\] | \\. )* ) (?: " | \\?\Z )
    | (?P<ticks> ` (?: [^`\\] | \\. )* (?: ` | \\?\Z ) )
    | (?P<end> [;&|()\n] )
    | (?P<redirect> <<< | <<-? | [<>][<>&|]*-? )
    | (?P<other> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_BRACES = re.compile(r"\$\{[^}]*(?:\}|\Z)")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*(?:\[[^\]]*\])?\+?=")
# A command follows them at once; what follows the others is none.
_KEYWORDS = frozenset({"!", "do", "elif", "else", "if", "then", "until", "while", "{", "}", "coproc"})
_NO_COMMANDS = frozenset({"case", "esac", "done", "fi", "for", "function", "select", "in", "[", "[[", "((", "test"})


def commands_of(text: str) -> Iterator[list[str]]:
    """Yield the words of each simple command, without assignments, keywords, redirections and comments.

    A word is as the shell would pass it on, except that nothing is expanded.
    """
    scanner = _Scanner(text[:LONGEST_LOOK].replace("\0", " "))
    for number, words in enumerate(scanner.commands()):
        if number >= MOST_COMMANDS:
            return
        if bare := without_assignments(_without_keywords(words)):
            yield bare


def without_assignments(words: list[str]) -> list[str]:
    """Return a command without the variables that are set for it."""
    for position, word in enumerate(words):
        if not _ASSIGNMENT.match(word):
            return words[position:]
    return []


def _without_keywords(words: list[str]) -> list[str]:
    for position, word in enumerate(words):
        if word in _NO_COMMANDS:
            return []
        if word not in _KEYWORDS:
            return words[position:]
    return []


@dataclass(slots=True)
class _Scanner:
    text: str
    at: int = 0
    _words: list[str] = field(default_factory=list)
    _word: str | None = None
    _drops_next: bool = False
    _reads_delimiter: bool = False
    _delimiters: list[str] = field(default_factory=list)

    def commands(self) -> Iterator[list[str]]:
        while token := _TOKEN.match(self.text, self.at):
            kind = token.lastgroup or ""
            if kind == "blank":
                self._finish()
            elif kind == "end":
                self.at = token.end()
                yield from self._end(token[0])
                continue
            elif kind == "redirect":
                self._redirect(token[0])
            elif kind == "other":
                self._other(token[0])
                continue
            else:
                self._word = (self._word or "") + token[kind]
            self.at = token.end()
        yield from self._end("\n")

    def _end(self, character: str) -> Iterator[list[str]]:
        self._finish()
        if character == "\n":
            self._skip_here_documents()
        self._drops_next = False
        words, self._words = self._words, []
        if words:
            yield words

    def _redirect(self, operator: str) -> None:
        # In `2>file`, the number is none of the command's words.
        if self._word is not None and self._word.isdecimal():
            self._word = None
        self._finish()
        self._drops_next = not operator.endswith("-") or operator == "<<-"
        self._reads_delimiter = operator in {"<<", "<<-"}

    def _other(self, character: str) -> None:
        text, at = self.text, self.at
        if character == "#" and self._word is None:
            end = text.find("\n", at)
            self.at = len(text) if end < 0 else end
            return
        piece, self.at = character, at + 1
        if character == "$":
            piece, self.at = self._expansion()
        elif character == "\\":
            piece, self.at = text[at + 1 : at + 2], at + 2
        self._word = (self._word or "") + piece

    def _expansion(self) -> tuple[str, int]:
        text, at = self.text, self.at
        if match := _BRACES.match(text, at):
            return match[0], match.end()
        if not text.startswith("$(", at):
            return "$", at + 1
        depth, end = 0, at + 1
        while end < len(text):
            depth += (text[end] == "(") - (text[end] == ")")
            end += 1
            if depth == 0:
                break
        return text[at:end], end

    def _finish(self) -> None:
        if self._word is None:
            return
        if self._reads_delimiter:
            self._delimiters.append(self._word)
        elif not self._drops_next and len(self._words) < MOST_WORDS:
            self._words.append(self._word)
        self._word, self._drops_next, self._reads_delimiter = None, False, False

    def _skip_here_documents(self) -> None:
        for delimiter in self._delimiters:
            end = re.compile(rf"^\t*{re.escape(delimiter)}[ \t]*\r?$\n?", re.MULTILINE).search(self.text, self.at)
            self.at = end.end() if end else len(self.text)
        self._delimiters.clear()
