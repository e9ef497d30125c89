"""An SMTP session on a connection that is there already."""

import smtplib
import socket
import ssl
from email.message import EmailMessage
from typing import BinaryIO

from pattern_sync.domain.mail_route import MailRoute, MailSecurity

_READY = 220
# A server that never ends its answer must not fill the memory.
_MOST_REPLY_BYTES = 262_144


def send_in_session(sock: socket.socket, route: MailRoute, mail: EmailMessage, context: ssl.SSLContext) -> int:
    """Send a mail and return how many recipients were refused. Raises smtplib's errors, ValueError and OSError."""
    if route.security is MailSecurity.TLS:
        sock = context.wrap_socket(sock, server_hostname=route.host)
    session = _Session(sock, route.host)
    try:
        code, text = session.connect(route.host, route.port)
        if code != _READY:
            raise smtplib.SMTPConnectError(code, text)
        _secure(session, route, context)
        if route.user is not None and route.password is not None:
            session.login(route.user, route.password)
        # Not send_message, which writes a > before each line that begins with From.
        refused = session.sendmail(route.sender, route.recipients, mail.as_bytes())
        # It has arrived: whatever becomes of the answer to this must not look like a failure.
        session.putcmd("quit")
        return len(refused)
    finally:
        session.close()


class _BoundedReader:
    """Reads lines up to a number of bytes in all; then it is as if the connection had broken."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left_bytes = _MOST_REPLY_BYTES

    def readline(self, most_bytes: int) -> bytes:
        line = self._file.readline(most_bytes)
        self._left_bytes -= len(line)
        if self._left_bytes < 0:
            raise smtplib.SMTPServerDisconnected("an answer has no end")
        return line

    def close(self) -> None:
        self._file.close()


class _Session(smtplib.SMTP):
    """Looks no name up: neither the server's a second time, nor its own with no deadline."""

    def __init__(self, sock: socket.socket, host: str) -> None:
        super().__init__(local_hostname=_own_name())
        self._connected = sock
        self._host = host  # what STARTTLS checks the certificate against

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002 - the library's own
        return self._connected

    def getreply(self) -> tuple[int, bytes]:
        """Read an answer; after STARTTLS from a new reader, without what came before."""
        if self.file is None and self.sock is not None:
            self.file = _BoundedReader(self.sock.makefile("rb"))
        return super().getreply()


def _secure(session: _Session, route: MailRoute, context: ssl.SSLContext) -> None:
    if route.security is MailSecurity.REQUIRED_STARTTLS:
        session.starttls(context=context)
    elif route.security is MailSecurity.OFFERED_STARTTLS:
        session.ehlo_or_helo_if_needed()
        if session.has_extn("starttls"):
            # Whoever could fake a certificate could also hide the offer. So this is against listeners only, and a
            # relay on the next machine needs no certificate of an authority; a password is never sent this way.
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            session.starttls(context=context)


def _own_name() -> str:
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"
