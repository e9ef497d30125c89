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
        # From 3.13 on, Python wants these two of a private authority.
        self.own = _self_signed(folder, name, "keyUsage=critical,keyCertSign,cRLSign")
        self._identifier = folder / f"{name}.ext"
        self._identifier.write_text("authorityKeyIdentifier=keyid\n")

    def sign(self, name: str, alternative: str | None = None, *, days: int = 30) -> Certificate:
        """Return a certificate for a name; `days` of -1 has expired."""
        made, request = _at(self._folder, name), self._folder / f"{name}.csr"
        more = () if alternative is None else ("-addext", f"subjectAltName={alternative}")
        _openssl("req", *_KEY, "-keyout", made.key, "-out", request, "-subj", f"/CN={name}", *more)
        signer = ("-CA", self.own.file, "-CAkey", self.own.key, "-CAcreateserial", "-copy_extensions", "copy")
        identifier = ("-extfile", self._identifier)
        _openssl("x509", "-req", "-in", request, *signer, *identifier, "-days", days, "-out", made.file)
        made.key.chmod(0o600)
        return made


def self_signed(folder: Path, name: str, alternative: str | None = None) -> Certificate:
    """Return a self-signed certificate."""
    return _self_signed(folder, name, *(() if alternative is None else (f"subjectAltName={alternative}",)))


def _self_signed(folder: Path, name: str, *extensions: str) -> Certificate:
    made = _at(folder, name)
    more = [word for extension in extensions for word in ("-addext", extension)]
    _openssl("req", "-x509", *_KEY, "-keyout", made.key, "-out", made.file, "-subj", f"/CN={name}", "-days", 30, *more)
    made.key.chmod(0o600)
    return made


def _at(folder: Path, name: str) -> Certificate:
    return Certificate(folder / f"{name}.crt", folder / f"{name}.key")


def _openssl(*arguments: object) -> None:
    done = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
