"""The folder of credentials: systemd's, or a container's secrets.

Others' secrets may lie in the same folder, above all beside a container's. So a name that could be meant for us is
refused, and every other one is left alone.
"""

import difflib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from pattern_sync.config.names import PREFIX, credential, not_a_setting, plain
from pattern_sync.domain.errors import InvalidSettings

FOLDER_VARIABLE = "CREDENTIALS_DIRECTORY"
_OURS = re.compile("pattern[-_. ]?sync", re.IGNORECASE)
# Half of a short name may coincide by chance; at this likeness, one letter in ten is wrong.
_ALIKE = 0.9


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the folder holds: the texts of settings by field, and the names of all other files."""

    folder: Path | None = None
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    others: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path | None, fields: Collection[str]) -> Self:
        """Read the settings in a folder; without one there are none. Raises InvalidSettings."""
        if folder is None:
            return cls()
        try:
            names = sorted(path.name for path in folder.iterdir())
        except OSError as fault:
            raise InvalidSettings(
                f"{FOLDER_VARIABLE} is {str(folder)!r}, which cannot be read: {fault.strerror}. Name a folder that this"
                " user may read, or unset it."
            ) from None
        files = {credential(name): name for name in fields}
        texts = {files[name.lower()]: _read(folder / name) for name in names if name.lower() in files}
        return cls(folder, texts, tuple(name for name in names if name.lower() not in files))

    def refuse_misspelt(self, fields: Collection[str], values: Collection[str]) -> None:
        """Refuse names that begin as ours do, unless a value mentions them, as a file. Raises InvalidSettings."""
        for name in self.others:
            if _OURS.match(name) and not any(name in value for value in values):
                complaint = not_a_setting(name, fields, credential)
                raise InvalidSettings(f"{name}, in the credentials folder {str(self.folder)!r}, {complaint}")

    @property
    def names(self) -> list[str]:
        """Return the credentials that hold settings."""
        return [credential(name) for name in self.texts]

    def searched(self, name: str) -> str:
        """Return where a setting was looked for in vain, to end a list; empty without a folder."""
        if self.folder is None:
            return ""
        held = ", ".join([*self.names, *self.others]) or "nothing"
        return f"; for {credential(name)} in {str(self.folder)!r}, which holds {held}"

    def refuse_lookalike(self, name: str) -> None:
        """Refuse a file that seems to hold a setting that is missing, without our prefix. Raises InvalidSettings."""
        for other in self.others:
            if difflib.SequenceMatcher(None, plain(other), name).ratio() >= _ALIKE:
                raise InvalidSettings(
                    f"{other}, in the credentials folder {str(self.folder)!r}, is not read by Pattern Sync. Rename it"
                    f" to {credential(name)}, or set {PREFIX}{name.upper()}_FILE to its path."
                )


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8").strip()
    except OSError as fault:
        raise InvalidSettings(
            f"The credential {str(file)!r} cannot be read: {fault.strerror}. Make it a file that this user may read."
        ) from None
    except UnicodeDecodeError:
        raise InvalidSettings(f"The credential {str(file)!r} is not valid UTF-8; save it as UTF-8 text.") from None
