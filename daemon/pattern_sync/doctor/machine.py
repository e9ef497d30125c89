"""Checks of this machine: the settings, the files that hold secrets, and who can reach the HTTP API."""

import shlex
from collections.abc import Iterator

from pattern_sync.config import Settings, exposed_secrets
from pattern_sync.doctor.check import Check, Finding, Remedy, fine, problem, unknown, warning
from pattern_sync.doctor.patient import Patient
from pattern_sync.domain.errors import InvalidSettings

_CORRECT = Remedy.advice("correct the setting that the message names")


def _settings(patient: Patient) -> Iterator[Finding]:
    named = Remedy.setting("PATTERN_SYNC_DATABASE_URL=postgresql://user:password@host:5432/database")
    if patient.embedded:
        yield warning("PATTERN_SYNC_DATABASE_URL is not set, so this is the embedded server", named)
    elif patient.address is not None:
        yield fine(f"the database is {patient.address}")
    elif patient.settings is not None and _names_none(patient.settings):
        yield problem(patient.complaint, named)
    else:
        yield problem(patient.complaint, _CORRECT)


def _names_none(settings: Settings) -> bool:
    try:
        return settings.url() is None
    except InvalidSettings:
        return False


def _secret_files(patient: Patient) -> Iterator[Finding]:
    if patient.settings is None:
        yield unknown(patient.complaint)
        return
    exposed = exposed_secrets(patient.settings)
    for name, file in exposed.items():
        yield warning(
            f"{name} {str(file)!r} holds a secret, and others may read it",
            Remedy.command(f"chmod 600 {shlex.quote(str(file))}"),
        )
    if not exposed:
        yield fine("no other user may read a file with a secret")


def _http(patient: Patient) -> Iterator[Finding]:
    settings = patient.settings
    if settings is None:
        yield unknown(patient.complaint)
        return
    here = Remedy.setting("PATTERN_SYNC_HTTP_HOST=127.0.0.1")
    try:
        settings.tokens()
    except InvalidSettings as fault:
        yield problem(str(fault), _CORRECT if settings.on_loopback else here)
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
        "the tokens, and whether the API listens beyond loopback",
        "A daemon does not start with a token that it cannot read. It speaks plain HTTP; TLS is a reverse proxy's job.",
        _http,
    ),
)
