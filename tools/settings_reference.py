"""The table of the settings, from the class that reads them."""

from typing import Any, Literal, get_args, get_origin

from annotated_types import Ge, Le
from pydantic.fields import FieldInfo

from pattern_sync.config import PREFIX, Settings
from pattern_sync.domain.filter import BOUNDS
from tools.markdown import table


def settings_table() -> str:
    """Return every setting with its default, what it takes and what it means."""
    rows = [
        (f"`{PREFIX}{name.upper()}`", _default(field.default), accepted_values(name, field), field.description or "")
        for name, field in Settings.model_fields.items()
    ]
    return table(("variable", "default", "values", "meaning"), rows)


def _default(value: object) -> str:
    return f"`{shown}`" if (shown := default_value(value)) else "unset"


def default_value(value: object) -> str:
    """Return a default as an operator would write it; empty where the setting is unset."""
    match value:
        case None | ():
            return ""
        case bool():
            return "on" if value else "off"
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def accepted_values(name: str, field: FieldInfo) -> str:
    """Return the bounds or the choices of a setting; empty where neither is fixed."""
    if name in BOUNDS:
        return str(BOUNDS[name]).removeprefix("from ")
    if get_origin(field.annotation) is Literal:
        return ", ".join(f"`{choice}`" for choice in get_args(field.annotation))
    if field.annotation is bool:
        return "`on`, `off`"
    bounds: list[Any] = [
        item.ge if isinstance(item, Ge) else item.le for item in field.metadata if isinstance(item, Ge | Le)
    ]
    match bounds:
        case [low, high]:
            return f"{low:,} to {high:,}"
        case [low]:
            return f"{low:,} or more"
        case _:
            return ""
