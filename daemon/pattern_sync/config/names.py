"""How settings are spelled, and which spelling was probably meant."""

import difflib
import re
from collections.abc import Callable, Collection

PREFIX = "PATTERN_SYNC_"
ENV_FILE_VARIABLE = "PATTERN_SYNC_ENV_FILE"


def variable(name: str) -> str:
    """Return the environment variable of a setting."""
    return PREFIX + name.upper()


def option(name: str) -> str:
    """Return the option of the command line that overrides a setting."""
    return "--" + name.replace("_", "-")


def credential(name: str) -> str:
    """Return the name of a setting's file in the folder of credentials."""
    return variable(name).lower()


def plain(name: str) -> str:
    """Return a name as a setting's field would be spelled, without our prefix."""
    return re.sub(r"[-. ]", "_", name.lower()).removeprefix(PREFIX.lower())


def not_a_setting(name: str, fields: Collection[str], spell: Callable[[str], str]) -> str:
    """Return the complaint about a name that is no field's, with the nearest of these, or all."""
    nearest = difflib.get_close_matches(plain(name), fields, n=1)
    hint = f"Did you mean {spell(nearest[0])}?" if nearest else f"The settings are: {', '.join(map(spell, fields))}."
    return f"is not a setting of Pattern Sync. {hint}"
