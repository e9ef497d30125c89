"""Throw-away certificates, made by the openssl program."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its private key."""

    file: Path
    key: Path


class Authority:
    """A private authority, which signs certificates."""

    def __init__(self, folder: Path, name: str) -> None:
        if shutil.which("openssl") is None:
            pytest.skip("there is no openssl to make certificates with")
        self._folder = folder
        self.own = self_signed(folder, name)

    def sign(self, name: str, alternative: str | None = None, *, days: int = 30) -> Certificate:
        """Return a certificate for a name; `days` of -1 has expired."""
        made, request = _at(self._folder, name), self._folder / f"{name}.csr"
        more = () if alternative is None else ("-addext", f"subjectAltName={alternative}")
        _openssl("req", *_KEY, "-keyout", made.key, "-out", request, "-subj", f"/CN={name}", *more)
        signer = ("-CA", self.own.file, "-CAkey", self.own.key, "-CAcreateserial", "-copy_extensions", "copy")
        _openssl("x509", "-req", "-in", request, *signer, "-days", days, "-out", made.file)
        made.key.chmod(0o600)
        return made


def self_signed(folder: Path, name: str, alternative: str | None = None) -> Certificate:
    """Return a self-signed certificate."""
    made = _at(folder, name)
    more = () if alternative is None else ("-addext", f"subjectAltName={alternative}")
    _openssl("req", "-x509", *_KEY, "-keyout", made.key, "-out", made.file, "-subj", f"/CN={name}", "-days", 30, *more)
    made.key.chmod(0o600)
    return made


def _at(folder: Path, name: str) -> Certificate:
    return Certificate(folder / f"{name}.crt", folder / f"{name}.key")


def _openssl(*arguments: object) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
