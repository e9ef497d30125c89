"""One mail by SMTP, from a thread: the library blocks."""

import asyncio
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.message import EmailMessage

from pattern_sync.delivery.connecting import connected
from pattern_sync.delivery.faults import Undelivered, tls_complaint
from pattern_sync.delivery.smtp_session import send_in_session
from pattern_sync.domain.mail_route import MailRoute
from pattern_sync.domain.messages import Delivery, DeliveryOutcome

_CODES = range(200, 600)
_LASTING = range(500, 600)
# Longer than the deadline, which shall be what ends an attempt.
_GRACE_SECONDS = 1.0


async def send_mail(
    route: MailRoute, mail: EmailMessage, trusted: Callable[[], ssl.SSLContext], deadline: float
) -> Delivery:
    """Send a mail; `deadline` is the loop's time. Raises Undelivered and TimeoutError."""
    async with asyncio.timeout_at(deadline):
        sock = await connected(route.host, route.port)
        # A thread cannot be cancelled. Shutting its connection down ends whatever it waits for.
        connection = sock.dup()
        try:
            sock.settimeout(deadline - asyncio.get_running_loop().time() + _GRACE_SECONDS)
            return await asyncio.to_thread(_sent, sock, route, mail, trusted)
        finally:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()


def _sent(sock: socket.socket, route: MailRoute, mail: EmailMessage, trusted: Callable[[], ssl.SSLContext]) -> Delivery:
    host = route.host
    try:
        with sock:
            refused = send_in_session(sock, route, mail, trusted())
    except ssl.SSLError as fault:  # some of these are ValueErrors, too
        raise Undelivered(tls_complaint(host, route.port, fault)) from None
    except smtplib.SMTPResponseException as fault:
        raise _answered(host, fault) from None
    except smtplib.SMTPRecipientsRefused as fault:
        codes = [code for code, _ in fault.recipients.values()]
        raise _refused(host, min(codes), "the recipients") from None
    except smtplib.SMTPNotSupportedError:
        raise Undelivered(f"{host} offers no STARTTLS, or no login, which its URL asks for") from None
    except (smtplib.SMTPException, ValueError):
        # Their texts may repeat what was sent.
        raise Undelivered(f"{host} broke off, or does not speak SMTP as the URL has it") from None
    except OSError as fault:
        raise Undelivered(tls_complaint(host, route.port, fault)) from None
    # Another attempt would tell those a second time who got it.
    partly = f"{host} refused {refused} of {len(route.recipients)} recipients" if refused else None
    return Delivery(DeliveryOutcome.DELIVERED, reason=partly)


def _answered(host: str, fault: smtplib.SMTPResponseException) -> Undelivered:
    """Return what an answer to a step means: to some of them it says something of this mail or moment only."""
    match fault:
        case smtplib.SMTPAuthenticationError():
            return _refused(host, fault.smtp_code, "the login")
        case smtplib.SMTPSenderRefused():
            return _refused(host, fault.smtp_code, "the sender")
        case smtplib.SMTPDataError():
            what = "the text"
        case _:
            what = "the greeting"
    if fault.smtp_code not in _CODES:
        return Undelivered(f"{host} does not speak SMTP")
    return Undelivered(f"{host} answered {fault.smtp_code} to {what}", status_code=fault.smtp_code)


def _refused(host: str, code: int, what: str) -> Undelivered:
    outcome = DeliveryOutcome.REFUSED if code in _LASTING else DeliveryOutcome.FAILED
    return Undelivered(f"{host} answered {code} to {what}", outcome, code)
