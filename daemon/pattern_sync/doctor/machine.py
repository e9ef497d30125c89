"""Checks of this machine: the settings, the files that hold secrets, and who can reach the HTTP API."""

import contextlib
import os
import re
import shlex
import stat
from collections.abc import Iterator
from pathlib import Path

from pattern_sync.config import ENV_FILE_VARIABLE, PREFIX, Settings
from pattern_sync.doctor.check import Check, Finding, Remedy, fine, problem, unknown, warning
from pattern_sync.doctor.patient import Patient
from pattern_sync.domain.errors import InvalidSettings

_SECRET = re.compile(rf"^\s*(export\s+)?{PREFIX}(DATABASE_URL|API_TOKEN|ADMIN_TOKEN)\s*=", re.MULTILINE | re.IGNORECASE)


def _settings(patient: Patient) -> Iterator[Finding]:
    named = Remedy.setting("PATTERN_SYNC_DATABASE_URL=postgresql://user:password@host:5432/database")
    if patient.embedded:
        yield warning("PATTERN_SYNC_DATABASE_URL is not set, so this is the embedded server", named)
    elif patient.settings is not None and patient.settings.database_url is None:
        yield problem(patient.complaint, named)
    elif patient.address is None:
        yield problem(patient.complaint, Remedy.advice("correct the setting that the message names"))
    else:
        yield fine(f"the database is {patient.address}")


def _secret_files(patient: Patient) -> Iterator[Finding]:
    exposed = [file for file in _files_with_secrets(patient.settings) if _readable_by_others(file)]
    for file in exposed:
        yield warning(
            f"{file} holds a secret, and others may read it", Remedy.command(f"chmod 600 {shlex.quote(str(file))}")
        )
    if not exposed:
        yield fine("no other user may read a file with a secret")


def _files_with_secrets(settings: Settings | None) -> Iterator[Path]:
    if settings is not None:
        for name in type(settings).model_fields:
            value = getattr(settings, name)
            if name.endswith("_file") and isinstance(value, Path):
                yield value
    if folder := os.environ.get("CREDENTIALS_DIRECTORY"):
        with contextlib.suppress(OSError):  # the check of the settings reports it
            yield from sorted(each for each in Path(folder).iterdir() if each.is_file())
    env_file = Path(os.environ.get(ENV_FILE_VARIABLE) or ".env")
    if _holds_secret(env_file):
        yield env_file.absolute()


def _holds_secret(env_file: Path) -> bool:
    try:
        text = env_file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return _SECRET.search(text) is not None


def _readable_by_others(file: Path) -> bool:
    try:
        return bool(file.stat().st_mode & stat.S_IROTH)
    except OSError:
        return False


def _http(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    if settings is None:
        yield unknown(patient.complaint)
        return
    here = Remedy.setting("PATTERN_SYNC_HTTP_HOST=127.0.0.1")
    try:
        settings.tokens()
    except InvalidSettings as fault:
        yield problem(str(fault), here)
        return
    if settings.on_loopback:
        yield fine("only this machine reaches the API and the page")
    else:
        yield warning(
            f"the API and the page are on {settings.http_host}, without TLS: tokens and decisions are readable on the"
            " network",
            here,
            Remedy.advice("let a reverse proxy on this machine serve TLS"),
        )


CHECKS = (
    Check(
        "settings",
        "whether the settings can be used, and whether they name a database",
        "Without a URL, every command works on an embedded server of its own.",
        _settings,
    ),
    Check(
        "secret-files",
        "whether other users of this machine may read a file with a token, a password or a URL",
        "Whoever has them may decide, or reach the database.",
        _secret_files,
    ),
    Check(
        "http",
        "whether the API listens beyond loopback",
        "It speaks plain HTTP; TLS is a reverse proxy's job.",
        _http,
    ),
)
