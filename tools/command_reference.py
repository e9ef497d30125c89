"""The reference of the command line.

It reads the functions behind the commands. The help that typer makes of them differs with its version and with the
width of the terminal.
"""

import inspect
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

from pattern_sync.cli.main import app
from tools.markdown import table

PROGRAM = "pattern-sync"
_PLACEHOLDERS = {str: "TEXT", int: "NUMBER", float: "NUMBER", Path: "PATH"}
# Where a command finds its default out by itself, its help states it.
_STATED_DEFAULT = re.compile(r"\s*\[default: (.+)\]$")


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument or an option, as a person types it."""

    usage: str
    default: str
    meaning: str
    in_usage: bool


def command_sections() -> str:
    """Return a section for each command; the first has the options of all of them."""
    return "\n\n".join(_sections(typer.main.get_command(app), PROGRAM))


def _sections(command: Any, path: str) -> Iterator[str]:  # noqa: ANN401 - click's class, or typer's copy of it
    inner = getattr(command, "commands", {})
    parameters = list(_parameters(inspect.unwrap(command.callback))) if command.callback else []
    usage = [
        path,
        *(["[OPTIONS]"] if any(not each.in_usage for each in parameters) else []),
        *(each.usage for each in parameters if each.in_usage),
        *(["COMMAND"] if inner else []),
    ]
    parts = [f"## `{path}`", f"```\n{' '.join(usage)}\n```", _prose(command.help or "")]
    if parameters:
        rows = [(f"`{each.usage}`", each.default, each.meaning) for each in parameters]
        parts.append(table(("argument or option", "default", "meaning"), rows))
    if inner:
        links = [_link(f"{path} {name}", each.help or "") for name, each in inner.items()]
        parts.append(table(("command", "what it does"), links))
    yield "\n\n".join([*parts, *([_prose(command.epilog)] if command.epilog else [])])
    for name, each in inner.items():
        yield from _sections(each, f"{path} {name}")


def _link(path: str, text: str) -> tuple[str, str]:
    return f"[`{path}`](#{path.replace(' ', '-')})", _prose(text).partition("\n\n")[0]


def _prose(text: str) -> str:
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in inspect.cleandoc(text).split("\n\n"))


def _parameters(function: Callable[..., object]) -> Iterator[Parameter]:
    hints = get_type_hints(function, include_extras=True)
    for name, parameter in inspect.signature(function).parameters.items():
        kind, *notes = get_args(hints[name]) if hasattr(hints[name], "__metadata__") else (hints[name],)
        info = next((note for note in notes if isinstance(note, ArgumentInfo | OptionInfo)), None)
        if kind is not typer.Context:
            yield _parameter(name, _without_none(kind), info, parameter.default)


def _parameter(name: str, kind: type, info: ArgumentInfo | OptionInfo | None, default: object) -> Parameter:
    required = default is inspect.Parameter.empty
    meaning, shown = (info.help or "") if info else "", "required" if required else _default(default)
    if stated := _STATED_DEFAULT.search(meaning):
        meaning, shown = meaning[: stated.start()], f"`{stated[1]}`"
    meaning = " ".join(part for part in (meaning, _choices(kind), _bounds(info)) if part)
    metavar = info.metavar if info else None
    if not isinstance(info, OptionInfo):
        return Parameter(metavar or name.upper(), shown, meaning, in_usage=True)
    # typer takes the first name for a default until it looks at the annotation.
    declared = [info.default] if isinstance(info.default, str) else list(info.param_decls or ())
    option = ", ".join(declared) or f"--{name.replace('_', '-')}"
    value = "" if kind is bool else f" {metavar or _PLACEHOLDERS.get(kind, name.upper())}"
    return Parameter(f"{option}{value}", shown, meaning, in_usage=required)


def _without_none(kind: type) -> type:
    return next((each for each in get_args(kind) if each is not NoneType), kind)


def _default(value: object) -> str:
    match value:
        case None | False:
            return ""
        case Enum():
            return f"`{value.value}`"
        case float():
            return f"`{value:g}`"
        case _:
            return f"`{value}`"


def _choices(kind: type) -> str:
    return f"One of {', '.join(f'`{each.value}`' for each in kind)}." if issubclass(kind, Enum) else ""


def _bounds(info: ArgumentInfo | OptionInfo | None) -> str:
    if info is None or info.min is None or info.max is None:
        return ""
    return f"{info.min:,} to {info.max:,}."
