"""TLS for the event loop's driver, with libpq's files and rules."""

import os
import ssl
import stat
from collections.abc import Mapping
from pathlib import Path

from pattern_sync.domain.errors import InvalidSettings

_FOLDER = Path("~/.postgresql")
# OpenSSL's codes, which are stable; its words are not.
_OTHER_NAME = {62, 64}
_NOT_YET_VALID, _EXPIRED = 9, 10
_SYSTEMS_AUTHORITIES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


class _NamedContext(ssl.SSLContext):
    """Checks the certificate against the host's name even if the connection goes to a numeric address."""

    host: str | None = None

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,  # noqa: FBT001, FBT002 - the signature of the class above
        server_hostname: str | bytes | None = None,  # noqa: ARG002
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        return super().wrap_bio(incoming, outgoing, server_side, self.host, session)


def tls_context(parameters: Mapping[str, str], host: str) -> ssl.SSLContext:
    """Return the TLS context for a host. Raises InvalidSettings, with the parameter, if a file cannot be used."""
    mode = parameters.get("sslmode", "prefer")
    context = _NamedContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = mode == "verify-full"
    context.verify_mode = ssl.CERT_NONE if mode != "verify-full" else ssl.CERT_REQUIRED
    context.host = host if context.check_hostname or parameters.get("sslsni") != "0" else None
    context.minimum_version = _version(parameters.get("ssl_min_protocol_version")) or ssl.TLSVersion.TLSv1_2
    context.maximum_version = _version(parameters.get("ssl_max_protocol_version")) or ssl.TLSVersion.MAXIMUM_SUPPORTED
    context.set_alpn_protocols(["postgresql"])
    if log := parameters.get("sslkeylogfile"):
        context.keylog_filename = log
    _trust(context, parameters, mode)
    if parameters.get("sslcertmode") != "disable":
        _identify(context, parameters)
    return context


def file_of_authorities(named: str) -> str:
    """Return libpq's sslrootcert: psycopg's bundled OpenSSL cannot find the system's authorities by itself."""
    if named != "system":
        return named
    candidates = [ssl.get_default_verify_paths().cafile, *_SYSTEMS_AUTHORITIES]
    return next((file for file in candidates if file and Path(file).is_file()), named)


def why_untrusted(fault: ssl.SSLCertVerificationError, parameters: Mapping[str, str]) -> str:
    """Return what is wrong with a server's certificate, and the way out."""
    if fault.verify_code in _OTHER_NAME:
        return (
            f"the server's certificate is for another name: {fault.verify_message.rstrip('.')}."
            " Put a name that the certificate holds into the URL"
        )
    if fault.verify_code == _EXPIRED:
        return "the server's certificate has expired. Renew it on the server"
    if fault.verify_code == _NOT_YET_VALID:
        return "the server's certificate is not valid yet. Check the clocks of both machines"
    file = parameters.get("sslrootcert") or str((_FOLDER / "root.crt").expanduser())
    return (
        f"the server's certificate is not trusted: {fault.verify_message}. The authorities that are trusted come from"
        f" sslrootcert {file!r}; name the file of those that signed it"
    )


def _trust(context: ssl.SSLContext, parameters: Mapping[str, str], mode: str) -> None:
    authorities = parameters.get("sslrootcert")
    if authorities == "system":
        context.load_default_certs()
    else:
        file = Path(authorities) if authorities else (_FOLDER / "root.crt").expanduser()
        if not _is_there(file):
            if mode in {"verify-ca", "verify-full"}:
                raise InvalidSettings(
                    f"sslmode is {mode!r}, but its root certificate {str(file)!r} does not exist."
                    " Set sslrootcert to a file of certificates, or to `system`."
                )
            return
        try:
            context.load_verify_locations(file)
        except OSError as fault:
            raise InvalidSettings(f"sslrootcert {str(file)!r} {_reason(fault, 'holds no certificate')}.") from None
    # As in libpq, certificates are checked in every mode if authorities are named.
    context.verify_mode = ssl.CERT_REQUIRED
    file = Path(parameters.get("sslcrl") or (_FOLDER / "root.crl").expanduser())
    folder = parameters.get("sslcrldir")
    if _is_there(file) or folder:
        try:
            context.load_verify_locations(file if _is_there(file) else None, folder)
        except OSError as fault:
            raise InvalidSettings(f"sslcrl {str(file)!r} {_reason(fault, 'holds no revocation list')}.") from None
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_CHAIN


def _identify(context: ssl.SSLContext, parameters: Mapping[str, str]) -> None:
    certificate = Path(parameters.get("sslcert") or (_FOLDER / "postgresql.crt").expanduser())
    if not _is_there(certificate):
        return  # the server may not require one
    key = Path(parameters.get("sslkey") or (_FOLDER / "postgresql.key").expanduser())
    try:
        status = key.stat()
        with key.open("rb"), certificate.open("rb"):
            pass
    except OSError as fault:
        name, file = ("sslcert", certificate) if fault.filename == os.fspath(certificate) else ("sslkey", key)
        raise InvalidSettings(f"{name} {str(file)!r} {_reason(fault, '')}.") from None
    # root may own a key that a group of services reads.
    others = stat.S_IRWXO | (stat.S_IWGRP | stat.S_IXGRP if status.st_uid == 0 else stat.S_IRWXG)
    if status.st_mode & others:
        raise InvalidSettings(f"sslkey {str(key)!r} is accessible to other users. Set its mode to 600.")
    try:
        context.load_cert_chain(certificate, key, lambda: parameters.get("sslpassword", ""))
    except OSError as fault:
        reason = _reason(fault, "are not a certificate and its private key, or sslpassword is wrong")
        raise InvalidSettings(f"sslcert {str(certificate)!r} and sslkey {str(key)!r} {reason}.") from None


def _version(name: str | None) -> ssl.TLSVersion | None:
    return ssl.TLSVersion[name.replace(".", "_")] if name else None


def _is_there(file: Path) -> bool:
    try:
        file.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True  # opening it will report the reason
    return True


def _reason(fault: OSError, otherwise: str) -> str:
    # For a file with wrong contents, OpenSSL sets `errno` to a value that is no errno.
    if isinstance(fault, ssl.SSLError) or not fault.strerror:
        return otherwise
    return f"cannot be read: {fault.strerror}"
