"""Writes systemd/pattern-sync.env, the annotated settings file: `python -m tools.environment_file`, or `make docs`."""

import textwrap
from pathlib import Path

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from pattern_sync.config import CRITERIA, PREFIX, Settings
from tools.settings_reference import accepted_values, default_value

FILE = Path(__file__).parents[1] / "systemd" / "pattern-sync.env"
_WIDTH = 100
_HEAD = """\
# The settings of Pattern Sync under systemd: /etc/pattern-sync/pattern-sync.env, as the unit names it.
# Each setting has its default; remove the # before a line to change it. An empty value counts as unset.
"""
_RELOADED = "These take effect with `systemctl reload pattern-sync`."
_RESTARTED = "These take effect with `systemctl restart pattern-sync`."
_AS_CREDENTIALS = (
    "These are secrets, and everybody may read this file. Let the unit load them as credentials instead, by the"
    " setting's name in lower case: LoadCredential=pattern_sync_api_token:/etc/pattern-sync/api-token"
)


def environment_file() -> str:
    """Return the file: every setting with its meaning, the values that it accepts, and its default."""
    return _HEAD + "".join(map(_section, (_RELOADED, _RESTARTED, _AS_CREDENTIALS)))


def _section(title: str) -> str:
    settings = [_setting(name, field) for name, field in Settings.model_fields.items() if _title(name, field) == title]
    return f"\n\n{_comment(title, prefix='## ')}{''.join(settings)}"


def _title(name: str, field: FieldInfo) -> str:
    if name in CRITERIA:
        return _RELOADED
    return _AS_CREDENTIALS if field.annotation == SecretStr | None else _RESTARTED


def _setting(name: str, field: FieldInfo) -> str:
    values = accepted_values(name, field)
    words = f"{field.description} Values: {values}." if values else f"{field.description}"
    return f"\n{_comment(words)}#{PREFIX}{name.upper()}={default_value(field.default)}\n"


def _comment(words: str, prefix: str = "# ") -> str:
    lines = textwrap.wrap(words.replace("`", ""), _WIDTH, break_long_words=False, break_on_hyphens=False)
    return "".join(f"{prefix}{line}\n" for line in lines)


def main() -> None:
    """Write the file anew."""
    FILE.write_text(environment_file(), encoding="utf-8")


if __name__ == "__main__":
    main()
