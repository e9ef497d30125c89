"""The table of the errors that the package exports, from the classes themselves."""

import inspect
from collections.abc import Iterator

import pattern_sync
from pattern_sync import PatternSyncError
from pattern_sync.cli.endings import exit_code
from tools.markdown import table


def error_table() -> str:
    """Return every exported error, below the one that it is a kind of, with the exit code that stands for it."""
    rows = [
        (f"{'&nbsp;&nbsp;' * depth}`{kind.__name__}`", str(_exit_code_of(kind)), _summary(kind))
        for kind, depth in _tree(PatternSyncError, 0)
    ]
    return table(("error", "exit code", "meaning"), rows)


def _tree(kind: type[PatternSyncError], depth: int) -> Iterator[tuple[type[PatternSyncError], int]]:
    exported = kind.__name__ in pattern_sync.__all__
    if exported:
        yield kind, depth
    for each in kind.__subclasses__():
        yield from _tree(each, depth + exported)


def _exit_code_of(kind: type[PatternSyncError]) -> int:
    return exit_code(kind.__new__(kind))  # by its class alone: some take arguments


def _summary(kind: type[PatternSyncError]) -> str:
    return inspect.cleandoc(kind.__doc__ or "").partition("\n\n")[0]
