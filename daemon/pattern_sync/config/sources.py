"""Where settings come from: the environment, a settings file, the folder of credentials."""

import os
import stat
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from typing import Self

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream

from pattern_sync.config.credentials import FOLDER_VARIABLE, Credentials
from pattern_sync.config.names import ENV_FILE_VARIABLE, PREFIX, not_a_setting, plain, variable
from pattern_sync.domain.errors import InvalidSettings
from pattern_sync.observability.journal import leads_to_journal

# An editor may have put a mark before the first name, which would then be nobody's.
ENV_FILE_ENCODING = "utf-8-sig"


@dataclass(frozen=True, slots=True)
class Sources:
    """What was found where; `env_file` is the settings file, read if it is there. No text form holds a value."""

    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    env_file: Path = Path(".env")
    lines: Mapping[str, str] = field(default_factory=dict, repr=False)
    has_env_file: bool = False
    credentials: Credentials = field(default_factory=Credentials)
    manager: str | None = None
    options: tuple[str, ...] = ()

    @classmethod
    def find(cls, fields: Collection[str], environment: Mapping[str, str] = os.environ) -> Self:
        """Read all sources. Raises InvalidSettings for what cannot be read and for names that are misspelt."""
        env_file = _env_file(environment)
        lines = _lines(env_file)
        folder = environment.get(FOLDER_VARIABLE)
        found = cls(
            _ours(environment),
            env_file,
            _ours(lines or {}),
            lines is not None,
            Credentials.read(Path(folder) if folder else None, fields),
            _manager(environment),
        )
        known = sorted([*fields, plain(ENV_FILE_VARIABLE)])
        for name in sorted({*found.environment, *found.lines}):
            if name.upper() not in map(variable, known):
                raise InvalidSettings(f"{name} {not_a_setting(name, known, variable)}")
        values = [*found.environment.values(), *found.lines.values(), *found.credentials.texts.values()]
        found.credentials.refuse_misspelt(fields, values)
        return found

    @property
    def variables(self) -> list[str]:
        """Return the names of the variables that are set."""
        return _set(self.environment)

    @property
    def file_settings(self) -> list[str]:
        """Return the names that are set in the settings file."""
        return _set(self.lines)

    def unnamed(self) -> dict[str, str]:
        """Return the credentials, by field, that neither a variable nor the settings file overrides.

        A secret and the file that holds it are one setting: a unit may load a credential that nobody uses.
        """
        named = {_secret_of(plain(name)) for name in [*self.variables, *self.file_settings]}
        return {name: text for name, text in self.credentials.texts.items() if _secret_of(name) not in named}

    def refuse_accident(self) -> None:
        """Refuse an embedded server that nobody asked for where no person started us. Raises InvalidSettings."""
        if self.manager is None:
            return
        found = "which does not set it" if self.has_env_file else "which does not exist"
        searched = self.credentials.searched("database_url")
        raise InvalidSettings(
            f"{variable('database_url')} is not set, and {self.manager} an embedded server is started only if it is"
            f" asked for by name. Looked for it, and for {variable('database_url_file')}: in the environment; in"
            f" {str(self.env_file)!r}, {found}{searched}. Set it, or name a folder for an embedded server with"
            f" {variable('data_dir')} or --data-dir."
        )


def _env_file(environment: Mapping[str, str]) -> Path:
    """Return the settings file; only one that was named has to be there."""
    named = environment.get(ENV_FILE_VARIABLE)
    file = Path(named or ".env")
    try:
        file = file.absolute()
        is_file = stat.S_ISREG(file.stat().st_mode)  # not is_file(): newer Pythons make a closed folder an empty one
    except (FileNotFoundError, NotADirectoryError):  # also a working directory that was deleted
        is_file = False
    except OSError as fault:
        raise _unreadable(file, fault) from None
    if named and not is_file:
        raise InvalidSettings(f"{ENV_FILE_VARIABLE} is {named!r}, but there is no such file; name another one.")
    return file


def _lines(env_file: Path) -> Mapping[str, str] | None:
    """Return what the settings file sets; None if there is none."""
    if not env_file.is_file():
        return None
    try:
        text = env_file.read_text(encoding=ENV_FILE_ENCODING)
    except OSError as fault:
        raise _unreadable(env_file, fault) from None
    except UnicodeDecodeError:
        raise InvalidSettings(f"{env_file} is not valid UTF-8; save it as UTF-8 text.") from None
    for binding in parse_stream(StringIO(text)):
        _refuse_unparsable(env_file, binding)
    return {name: value or "" for name, value in dotenv_values(stream=StringIO(text)).items()}


def _refuse_unparsable(env_file: Path, binding: Binding) -> None:
    """Refuse what would pass for a setting that is not there: a reload would publish its default.

    Others' lines too, as a quote that is not closed may have taken in one of ours.
    """
    is_ours = (binding.key or "").upper().startswith(PREFIX)
    if binding.error or (is_ours and (binding.value is None or "\n" in binding.value)):
        text = binding.original.string
        line = binding.original.line + text[: len(text) - len(text.lstrip())].count("\n")
        # Not the text of the line: it may hold a secret.
        raise InvalidSettings(
            f"The settings file {str(env_file)!r} cannot be understood at line {line}. Write NAME=value on one line,"
            " and close every quote."
        )


def _unreadable(file: Path, fault: OSError) -> InvalidSettings:
    return InvalidSettings(
        f"The settings file {str(file)!r} cannot be read: {fault.strerror}. Let this user read it, or name another file"
        f" with {ENV_FILE_VARIABLE}."
    )


def _manager(environment: Mapping[str, str]) -> str | None:
    """Return what shows that no person started this process; None if nothing does."""
    # SYSTEMD_EXEC_PID alone is no proof: the shells of a desktop inherit it.
    # A wrapper, such as a shell, has another process of its own; the log still goes to the unit's journal.
    is_started = environment.get("NOTIFY_SOCKET") or environment.get("SYSTEMD_EXEC_PID") == str(os.getpid())
    if is_started or leads_to_journal(sys.stderr, environment):
        return "under a service manager"
    return "with a credentials folder" if environment.get(FOLDER_VARIABLE) else None


def _secret_of(name: str) -> str:
    """Return the field of a secret also for that of its file."""
    return name.removesuffix("_file")


def _ours(given: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in given.items() if name.upper().startswith(PREFIX)}


def _set(given: Mapping[str, str]) -> list[str]:
    return sorted(name for name, value in given.items() if value)
